"""What is said over a connection: hello first, then runs, followed files and whatever was waiting."""

from collections import deque
from typing import Any, TypeVar

from remote.audit.whoami import whoami
from remote.protocol.arguments import HelloArgs, NoArgs, PingArgs, RunsArgs, VerbArgs
from remote.protocol.errors import CallError, ProtocolError
from remote.protocol.framing import Frame
from remote.protocol.messages import PROTO, Pushed, Reply
from remote.protocol.results import HostLoad, Pong, RunList, StatePushed, StreamOver, StreamSkipped
from remote.protocol.sanitise import clean_line
from remote.protocol.values import read_as
from remote.protocol.verbs import HELLO, PING, RUNS, TELEMETRY, Verb
from remote.protocol.version import version
from remote.protocol.views import HostHello, RunView
from remote.session.link.connection import Connection
from remote.session.pending_calls import CallTable, answer_to
from remote.session.run_cache import RunCache
from remote.session.streams.followed_streams import FollowedStreams
from remote.session.updates import AgentTalk, HostSeen, RunChanged, RunsSeen, Telemetry, Update, offer

LIVE_MAX = 10_000
LEFT_MAX, NAMES_MAX, NAME_MAX = 1000, 8, 200  # runs that left something, what, its length
A = TypeVar("A", bound=VerbArgs)


class Dialogue:
    """Turns messages into updates. Used by the session's own thread only."""

    def __init__(
        self,
        updates: "deque[Update]",
        board: RunCache,
        calls: CallTable,
        streams: FollowedStreams,
        telemetry_s: float,
        client: str,
        history: int,
    ) -> None:
        self.hello: HostHello | None = None
        self.hello_done = False
        self.refusal: CallError | None = None
        self._updates, self._board, self._calls, self._streams = updates, board, calls, streams
        self._telemetry_s, self._client = telemetry_s, client or whoami()
        self._history = history
        self._waiting: dict[int, Verb[Any, Any]] = {}
        self._pages: list[RunView] = []
        self._left: dict[str, list[str]] = {}
        self._next_telemetry = self._next_refresh = 0.0

    def begin(self) -> None:
        """No connection, or a new one: nothing was said on it yet."""
        self.hello_done, self.refusal = False, None
        self._waiting.clear()
        self._pages.clear()
        self._left.clear()
        self._next_telemetry = self._next_refresh = 0.0

    def say_hello(self, connection: Connection) -> None:
        """The first request of a connection."""
        args = HelloArgs(proto=list(PROTO), version=version(), client=self._client)
        self._ask(connection, HELLO, args)

    def ping(self, connection: Connection, n: int) -> None:
        """Ask for pong `n`."""
        self._ask(connection, PING, PingArgs(n=n))

    def routine(self, connection: Connection, now: float, refresh_s: float) -> None:
        """Ask for what is asked for every so often."""
        if self._next_refresh and now >= self._next_refresh and RUNS not in self._waiting.values():
            self._ask_runs(connection)
        if now >= self._next_refresh:
            self._next_refresh = now + refresh_s
        due = self._telemetry_s > 0 and now >= self._next_telemetry
        if due and TELEMETRY not in self._waiting.values():
            self._next_telemetry = now + self._telemetry_s
            self._ask(connection, TELEMETRY, NoArgs())

    def take(self, message: Reply | Pushed | Frame, connection: Connection) -> int | None:
        """Take one message; the number of the pong, if it is one.

        Raises:
            ProtocolError: it makes no sense; the connection must be closed.
        """
        if isinstance(message, Frame):
            self._streams.take(message, connection)
        elif isinstance(message, Pushed):
            self._take_pushed(message, connection)
        elif (verb := self._waiting.pop(message.id or 0, None)) is not None:
            return self._take_own(verb, message, connection)
        elif not self._calls.answer(message):
            self._streams.answer(message)
        return None

    def _ask(self, connection: Connection, verb: Verb[A, Any], args: A) -> None:
        self._waiting[connection.send(verb, args)] = verb

    def _take_own(self, verb: Verb[Any, Any], reply: Reply, connection: Connection) -> int | None:
        answer = answer_to(verb, reply)
        if isinstance(answer, ProtocolError) and verb is not TELEMETRY:
            raise answer
        if isinstance(answer, CallError):
            if verb is HELLO:
                self.refusal = answer
            return None  # the others are asked for again in the next round
        match answer:
            case Pong():
                return answer.n
            case HostHello():
                self._take_hello(answer, connection)
            case RunList():
                self._take_runs(answer, connection)
            case HostLoad():
                offer(self._updates, Telemetry(answer))
        return None

    def _take_hello(self, hello: HostHello, connection: Connection) -> None:
        before = self.hello
        if before is not None and before.host_id != hello.host_id:
            self._board.clear()
        self.hello, self.hello_done = hello, True
        self._updates.append(HostSeen(hello, before is not None and before.boot_id != hello.boot_id))
        if hello.proto[0] != PROTO[0]:
            self.refusal = _other_protocol(hello)
        else:
            self._ask_runs(connection)
            self._streams.attach_all(connection)
        self._calls.send(connection)

    def _ask_runs(self, connection: Connection, skip: int = 0) -> None:
        """Of a host with a long history, what lives and as much of the rest as our owner shows."""
        pages = self.hello is not None and self.hello.has_pages
        self._ask(connection, RUNS, RunsArgs(finished=self._history, skip=skip) if pages else RunsArgs())

    def _take_runs(self, answer: RunList, connection: Connection) -> None:
        self._pages += answer.runs
        for run_id, names in list(answer.left.items())[:LEFT_MAX]:
            self._left[run_id] = [clean_line(name)[:NAME_MAX] for name in names[:NAMES_MAX]]
        live = sum(not view.is_terminal for view in self._pages)
        wanted = answer.live or 0
        if answer.runs and live < wanted and len(self._pages) <= answer.next <= LIVE_MAX:
            self._ask_runs(connection, answer.next)  # even what lives takes more than one line
            return
        views = self._board.put_all({view.run_id: view for view in self._pages}.values())
        self._pages.clear()
        left, self._left = self._left, {}
        all_live = not answer.left_out or (answer.live is not None and live >= wanted)
        troubles = tuple(answer.troubles)
        offer(self._updates, RunsSeen(views, answer.wall, answer.left_out, all_live, troubles, left))
        for view in views:
            self._streams.run_seen(view, connection)

    def _take_pushed(self, message: Pushed, connection: Connection) -> None:
        if message.event == "state":
            try:
                row = read_as(StatePushed, message.body).run
            except ProtocolError as error:  # it costs that row alone
                offer(self._updates, AgentTalk(f"a run was told wrongly: {error}"))
                return
            view = self._board.put(row)
            if view is not None:
                offer(self._updates, RunChanged(view))
                self._streams.run_seen(view, connection)
        elif message.event == "eof":
            over = read_as(StreamOver, message.body)
            self._streams.ended(over.stream, over.reason)
        elif message.event == "gap":
            self._streams.skipped(read_as(StreamSkipped, message.body))


def _other_protocol(hello: HostHello) -> CallError:
    theirs, ours = ".".join(map(str, hello.proto)), ".".join(map(str, PROTO))
    return CallError(
        "incompatible",
        f"the host's agent (photinus {hello.version}) speaks protocol {theirs}, this client {ours}: "
        "only status, stop and kill work",
        "update the older of the two",
        {"theirs": list(hello.proto), "ours": list(PROTO)},
    )
