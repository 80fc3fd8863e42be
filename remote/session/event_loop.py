"""The one thread of a session: connects, listens, pings, gives up, tries again."""

import contextlib
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from remote.hosts.host import Host
from remote.protocol.errors import CallError, ProtocolError, Question, QuestionError, UnreachableError
from remote.protocol.sanitise import clean_line
from remote.protocol.views import HostHello
from remote.session.dialogue import Dialogue
from remote.session.link.connection import (
    Connection,
    ConnectionClosed,
    ConnectionEvent,
    MessagesReceived,
    StderrText,
)
from remote.session.link.dialer import Dialer, DialResult
from remote.session.link.link_state import HELD, Absence, LinkState, Phase, Pings, Timings, held_phase
from remote.session.link.start_failure import refusal
from remote.session.pending_calls import Call, CallTable
from remote.session.run_cache import RunCache
from remote.session.streams.followed_streams import FollowedStreams
from remote.session.streams.follower import Follower
from remote.session.updates import AgentTalk, LinkChanged, Update, offer
from remote.transport.base import Answers, HungUpError, Opener

TICK_S = 0.25
PARTING_S = 3.0


class SessionLoop:
    """Owns the connection. `post` is the only door for other threads."""

    def __init__(
        self,
        host: Host,
        timings: Timings,
        opener: Opener,
        clock: Callable[[], float],
        telemetry_s: float,
        client: str,
        answers: Answers,
        history: int,
    ) -> None:
        self.updates: deque[Update] = deque()
        self.board = RunCache()
        self.settled = threading.Event()
        self.refusal: CallError | None = None
        self.link = LinkState(since=clock())
        self.last_loss = ""  # why the link was lost last; kept while the next connect is tried
        self._host, self._timings, self._clock, self._answers = host, timings, clock, answers
        self._inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._calls = CallTable()
        self._streams = FollowedStreams(self.updates)
        self._talk = Dialogue(
            self.updates, self.board, self._calls, self._streams, telemetry_s, client, history
        )
        self._dialling = Dialer(host, opener, timings, answers, clock, self.post)
        self._connection: Connection | None = None
        self._pings = Pings(timings, clock())
        self._away = Absence(timings, clock())
        self._opened_at = 0.0
        self._overdue = ""  # why the connection is being ended: no hello came
        self._closing = self._redials = False
        self._door, self._is_over = threading.Lock(), False
        self._closers: list[threading.Thread] = []
        self._last_tick = (clock(), time.time())
        self._thread = threading.Thread(target=self._run_loop, name=f"photinus-{host.name}", daemon=True)

    @property
    def hello(self) -> HostHello | None:
        """The last hello."""
        return self._talk.hello

    @property
    def speaking(self) -> Connection | None:
        """The connection, once hello was answered on it. Safe from any thread."""
        connection = self._connection
        return connection if self._talk.hello_done else None

    def start(self) -> None:
        """Start the thread, once."""
        if self._thread.ident is None:
            self._thread.start()

    def close(self) -> None:
        """End the thread and the agent."""
        self.post(self._leave)
        if self._thread.is_alive():
            self._thread.join(PARTING_S)

    def post(self, act: Callable[[], None]) -> None:
        """Have the session's thread do something."""
        self._inbox.put(act)

    def post_call(self, call: Call) -> None:
        """Have a verb called."""
        with self._door:
            is_open = not self._is_over
            if is_open:
                self.post(lambda: self._take_call(call))
        if not is_open:
            call.on_done(UnreachableError("the session is closed"))

    def follow(self, follower: Follower) -> None:
        """Begin to follow (on the session's thread)."""
        self._streams.add(follower, self.speaking)

    def unfollow(self, key: int) -> None:
        """Follow no longer (on the session's thread)."""
        self._streams.remove(key, self.speaking)

    def drained(self, read: dict[int, int]) -> None:
        """The owner took bytes (on the session's thread)."""
        self._streams.drained(read, self.speaking)

    def reconnect_now(self) -> None:
        """Try at once (on the session's thread)."""
        if self.link.phase == "retrying" or self.link.phase in HELD:
            self._begin_anew("asked to connect again")

    def redial(self) -> None:
        """Leave the agent that answers for the one that lies on the host now (on the session's thread)."""
        self._redials = True

    def _begin_anew(self, reason: str) -> None:
        self._redials = False
        self._drop(reason)
        self.settled.clear()
        self.refusal = None
        self._connect()

    def answer(self, question: Question, reply: str) -> None:
        """Take the operator's answer, and try again with it (on the session's thread)."""
        self._answers.take(question, reply)
        self.reconnect_now()
        if self.link.is_up:
            self.settled.set()  # it needed no answer any more

    def _run_loop(self) -> None:
        self._connect()
        while not self._closing:
            with contextlib.suppress(queue.Empty):
                self._work_off()
            self._tick()
        self._dialling.give_up()
        self._drop("the session was closed")
        with self._door:
            self._is_over = True  # what was posted before is answered below, what comes later at once
        while not self._inbox.empty():
            self._inbox.get()()
        self._calls.refuse(UnreachableError("the session was closed"), except_always=False)
        end = time.monotonic() + PARTING_S
        for closer in self._closers:
            closer.join(max(0.0, end - time.monotonic()))

    def _work_off(self) -> None:
        """Do what was left for us; a host that floods us holds up no ping, no deadline and no end."""
        self._inbox.get(timeout=self._pause())()
        until = self._clock() + TICK_S
        while not (self._inbox.empty() or self._closing or self._clock() > until):
            self._inbox.get()()

    def _pause(self) -> float:
        now = self._clock()
        times = [now + TICK_S, self._calls.next_deadline()]
        if self.link.phase == "retrying":
            times.append(self._away.retry_at)
        elif self._connection is not None:
            times.append(self._pings.next_due())
        return max(0.0, min(at for at in times if at is not None) - now)

    def _leave(self) -> None:
        self._closing = True

    def _take_call(self, call: Call) -> None:
        self._calls.add(call)
        if self.refusal is not None:
            self._calls.refuse(self.refusal, except_always=self._connection is not None)
        if connection := self.speaking:
            self._calls.send(connection)

    def _connect(self) -> None:
        self._talk.begin()
        self._dialling.begin(lambda: self._set_link("connecting"), self._dialled)
        self._set_link("connecting")

    def _dialled(self, outcome: DialResult) -> None:
        if isinstance(outcome, CallError):
            self._refused(outcome)
        elif isinstance(outcome, OSError):
            what = "cannot start the agent: " if self._host.is_local else ""
            self._lost(f"{what}{outcome}", turned_away=isinstance(outcome, HungUpError))
        else:
            self._connection = Connection(outcome, self._on_sound)
            self._connection.start()
            self._opened_at = self._clock()
            self._pings = Pings(self._timings, self._opened_at)
            self._talk.say_hello(self._connection)

    def _on_sound(self, connection: Connection, sound: ConnectionEvent) -> None:
        self.post(lambda: self._hear(connection, sound))

    def _hear(self, connection: Connection, sound: ConnectionEvent) -> None:
        if isinstance(sound, StderrText):
            connection.took()
            offer(self.updates, AgentTalk(sound.text))
            return
        if isinstance(sound, MessagesReceived):
            connection.took()
        if connection is not self._connection:
            return
        if isinstance(sound, ConnectionClosed):
            self._take_end(sound)
        elif not self._overdue:
            self._understand(connection, sound)

    def _take_end(self, sound: ConnectionClosed) -> None:
        reason, was_of_use = self._overdue or str(sound), self._talk.hello_done
        self._end_connection()
        if (why := refusal(self._host, sound)) is not None:
            self._refused(why)
        else:
            self._lost(reason, turned_away=not was_of_use)

    def _understand(self, connection: Connection, sound: MessagesReceived) -> None:
        now = self._clock()
        try:
            for message in sound.messages:
                if (pong := self._talk.take(message, connection)) is not None:
                    self._pings.pong(pong, now)
        except ProtocolError as error:
            self._end_connection()
            self._lost(f"not understood: {error}")
            return
        if self._talk.refusal is not None and self.refusal is None:
            self._refused(self._talk.refusal)
        elif self._talk.hello_done and self.link.phase == "connecting":
            self._dialling.proved()
            self._streams.is_back(self._set_link("connected"))
            self._away.ends()
            self.settled.set()

    def _refused(self, refusal: CallError) -> None:
        """No retry: the operator decides. Over another protocol an old run can still be stopped."""
        self.refusal = refusal
        keeps_talking = self._talk.hello_done
        if not keeps_talking:
            self._end_connection()
        self._calls.refuse(refusal, except_always=keeps_talking)
        self._set_link(held_phase(refusal.code), refusal.message, remedy=refusal.remedy)
        self.settled.set()

    def _tick(self) -> None:
        now, wall = self._clock(), time.time()
        last, last_wall = self._last_tick
        self._last_tick = (now, wall)
        woke = (wall - last_wall) - (now - last) > self._timings.sleep_gap_s
        if woke or now - last > self._timings.stall_s:
            self._pings.forgive(now, slept=woke)
        if self._redials and not self._calls.has_delicate:
            self._begin_anew("another agent was asked for")
        elif self.link.phase == "retrying" and (now >= self._away.retry_at or woke):
            self._connect()
        elif self._dialling.is_busy and woke:
            self._connect()  # what was dialled before the sleep leads nowhere now
        elif hung := self._dialling.hung(now):
            self._dialling.give_up()
            self._lost(hung)
        elif self._connection is not None:
            self._keep_alive(self._connection, now)
        self._calls.expire(now, self.link.is_up or self.link.phase in HELD, self.last_loss)

    def _keep_alive(self, connection: Connection, now: float) -> None:
        if self.link.phase == "connecting":
            self._await_hello(connection, now - self._opened_at)
            return
        if (n := self._pings.due(now)) is not None:
            self._talk.ping(connection, n)
        if self.link.phase == "refused":
            return
        self._talk.routine(connection, now, self._timings.refresh_s)
        phase = self._pings.judge(now)
        if phase == "lost":
            self._end_connection()
            self._lost(f"no answer for {self._pings.patience_s:g} s")
        elif phase != self.link.phase or self._pings.rtt_s != self.link.rtt_s:
            self._set_link(phase)

    def _await_hello(self, connection: Connection, waited: float) -> None:
        """Where none comes its stdin is ended first: how it then ends tells what it was that read there."""
        if waited > self._timings.hello_s and not self._overdue:
            printed = f"; the host's shell printed: {connection.noise}" if connection.noise else ""
            self._overdue = f"no hello in {self._timings.hello_s:g} s{printed}"
            self._closers.append(connection.close())
        elif waited > self._timings.hello_s + PARTING_S:
            reason = self._overdue
            self._end_connection()
            self._lost(reason, turned_away=True)

    def _lost(self, reason: str, *, turned_away: bool = False) -> None:
        pause = self._away.goes_on(self._clock(), turned_away=turned_away)
        self.last_loss = reason
        self._calls.link_lost(reason)
        self._set_link("lost", reason)
        self._set_link("retrying", reason, pause)

    def _drop(self, reason: str) -> None:
        self._end_connection()
        self._calls.link_lost(reason)

    def _end_connection(self) -> None:
        """Close what there is, on a thread of its own: that may take a second or two."""
        connection, self._connection, self._overdue = self._connection, None, ""
        self._talk.begin()
        self._streams.detach_all()
        self._closers = [closer for closer in self._closers if closer.is_alive()]
        if connection is not None:
            self._closers.append(connection.close())

    def _set_link(
        self, phase: Phase, reason: str = "", pause: float = 0.0, *, remedy: str = ""
    ) -> float | None:
        """Tell a change of the link; seconds that it was away, if this is the moment when it is back."""
        now, old = self._clock(), self.link
        is_back = phase == "connected" and old.phase == "connecting" and self.settled.is_set()
        question = self.refusal.question if isinstance(self.refusal, QuestionError) else None
        state = LinkState(
            phase=phase,
            rtt_s=self._pings.rtt_s,
            since=old.since,
            attempt=0 if phase in ("connected", "lagging") else max(self._away.attempt, 1),
            reason=clean_line(reason),  # an SFTP server's or a login's words may be in it
            remedy=clean_line(remedy),
            retry_in_s=pause,
            stage=self._dialling.stage if phase == "connecting" else "",
            question=question if phase in HELD else None,
        )
        if phase in ("lost", "retrying"):
            state = replace(state, since=self._away.since)
        elif phase != old.phase:
            state = replace(state, since=now)
        self.link = state
        back_after_s = now - self._away.since if is_back else None
        self.updates.append(LinkChanged(state, back_after_s))
        return back_after_s
