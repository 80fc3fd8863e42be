"""A client's session with one host: verbs, followed files and runs, over links that come and go.

One thread of its own decides everything (`event_loop`); the methods here only leave messages for it and
read its snapshots, so no caller is ever blocked by a host, except in `call` for as long as it asked.
"""

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from remote.audit.audit_writer import AUDIT_WRITER
from remote.hosts.host import LOCAL, Host
from remote.protocol.answers import Answer, OnDone
from remote.protocol.arguments import FilesArgs, VerbArgs, as_sent
from remote.protocol.errors import CallError, Question, UnreachableError
from remote.protocol.messages import Cursor
from remote.protocol.permission import is_read_only, refusal
from remote.protocol.results import FilesFound
from remote.protocol.verbs import FILES, Verb
from remote.protocol.views import HostHello, RunView
from remote.session.event_loop import SessionLoop
from remote.session.link.link_state import LinkState, Timings
from remote.session.link.open_transport import open_transport
from remote.session.pending_calls import Call
from remote.session.run_cache import AnsweredRuns
from remote.session.streams.follower import Follower
from remote.session.updates import Bytes, Update
from remote.session.watching.watched_runs import WatchedRuns
from remote.transport.base import Answers, Opener
from remote.transport.sftp import Sftp

A = TypeVar("A", bound=VerbArgs)
R = TypeVar("R")
CALL_S = 10.0
FILES_S = 20.0
FIRST_ATTACH = 262144
GRACE_S = 5.0
HISTORY = 200


class Session:
    """Start it, call verbs, follow files, drain updates, close it. Safe to use from any thread."""

    def __init__(
        self,
        host: Host = LOCAL,
        *,
        timings: Timings | None = None,
        opener: Opener = open_transport,
        clock: Callable[[], float] = time.monotonic,
        telemetry_s: float = 0.0,
        client: str = "",
        read_only: bool = False,
        answers: Answers | None = None,
        history: int = HISTORY,
        watches: bool = False,
    ) -> None:
        """`telemetry_s`: seconds between `Telemetry` updates, 0 for none; `client` names us to the host.

        `read_only`: verbs that act are refused here and never sent; so they are under `photinus --read-only`.
        `answers`: what the operator has decided beforehand (`--accept-host-key`).
        `history`: of how many runs that are over the session hears; of all others always.
        `watches`: tell what the host's `watch:` names as runs, too.
        """
        self.host = host
        self.read_only = read_only or is_read_only()
        self._clock = clock
        self._keys = itertools.count(1)
        self.answers = answers or Answers()
        self._answered = AnsweredRuns()
        self.watched: WatchedRuns | None = None
        self._loop = SessionLoop(
            host, timings or Timings(), opener, clock, telemetry_s, client, self.answers, history
        )
        if watches and host.watch:
            self.watch_for(host.watch)

    def start(self) -> "Session":
        """Begin to connect; returns at once. A second start changes nothing."""
        self._loop.start()
        return self

    def watch_for(self, patterns: Sequence[str]) -> WatchedRuns:
        """Tell files that fit these patterns as runs, too, and follow them so; before the first drain."""

        def ask(args: FilesArgs, answered: OnDone[FilesFound]) -> None:
            self.call_async(FILES, args, answered, FILES_S)

        self.watched = WatchedRuns(self, patterns, ask, self._clock)
        return self.watched

    def close(self) -> None:
        """Leave: the agent ends, runs go on. Waits at most a few seconds for the threads."""
        self._loop.close()

    def __enter__(self) -> "Session":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def link(self) -> LinkState:
        """The link now."""
        return self._loop.link

    @property
    def hello(self) -> HostHello | None:
        """What the host's agent said of itself last; None before the first hello."""
        return self._loop.hello

    def run(self, run_id: str) -> RunView | None:
        """The newest that was heard of a run, without asking."""
        return self._loop.board.get(run_id)

    @property
    def known_runs(self) -> tuple[RunView, ...] | None:
        """The newest that was heard of every run that lives and of the last that ended; None before that."""
        listed = self._loop.board.all()
        return None if listed is None else self._answered.over(listed)

    def wait_run(self, run_id: str, predicate: Callable[[RunView], bool], timeout: float) -> RunView | None:
        """Wait until what was heard of a run satisfies `predicate`; None after `timeout` seconds."""
        return self._loop.board.wait(run_id, predicate, timeout)

    def reconnect_now(self) -> None:
        """Cut the waiting short, or try a refused host again."""
        self._loop.post(self._loop.reconnect_now)

    def redial(self) -> None:
        """Connect anew although the link is well: a deploy has put another agent there.

        A call on its way that may not be sent twice is waited for first; others are sent again.
        """
        self._loop.post(self._loop.redial)

    def answer(self, question: Question, reply: str) -> None:
        """Answer `link.question` and try again at once; an empty reply declines and changes nothing.

        A passphrase is kept in memory as long as this session; an accepted key or ProxyCommand is stored.
        """
        if reply:
            self._loop.settled.clear()  # at once: who waits now hears of the next try, not of the last
            self._loop.post(lambda: self._loop.answer(question, reply))

    def sftp(self) -> Sftp:
        """A new SFTP channel on the present connection; close it. Waits for the host.

        Raises:
            UnreachableError: the host is not connected, or the link broke.
            CallError: `refused`: `local` has none; `timeout`: all channels stayed in use.
        """
        connection = self._loop.speaking
        if connection is None:
            raise UnreachableError(f"{self.host.name} is not connected", "wait for the link, or press R")
        return connection.sftp()

    def wait_connected(self, timeout: float) -> HostHello:
        """Wait for hello.

        Raises:
            UnreachableError: none within `timeout` seconds.
            CallError: the host refused us (an unsafe state root, another protocol), or waits for a decision:
                then it is a `QuestionError`.
        """
        until = time.monotonic() + timeout
        while self._loop.settled.wait(max(0.0, until - time.monotonic())):
            if (refusal := self._loop.refusal) is not None:
                raise refusal
            if (hello := self.hello) is not None:
                return hello
            if time.monotonic() > until:
                break  # neither: the refusal was answered in this moment, and what comes of it is waited for
        why = f": {self._loop.last_loss}" if self._loop.last_loss else ""
        raise UnreachableError(
            f"{self.host.name} was not reached in {timeout:g} s{why}",
            f"photinus hosts test {self.host.name} shows which step fails",
        )

    def call(self, verb: Verb[A, R], args: A, timeout: float = CALL_S) -> R:
        """Ask and wait for the answer; sent again over a new link if the old one is lost, where that is safe.

        Raises:
            UnreachableError: the host was not reached within `timeout` seconds.
            TimeoutError_: it was, and did not answer.
            ProtocolError: its answer makes no sense.
            CallError: it answered with an error, or this client may only look (`refused`).
        """
        done = threading.Event()
        answers: list[Answer[R]] = []

        def take(answer: Answer[R]) -> None:
            answers.append(answer)
            done.set()

        self.call_async(verb, args, take, timeout)
        if not done.wait(timeout + GRACE_S):  # the session was never started, or has ended meanwhile
            raise UnreachableError("the session is not running", "start it")
        if verb.acts:
            AUDIT_WRITER.flush()
        answer = answers[0]
        if isinstance(answer, CallError):
            raise answer
        self._answered.take(answer)
        return answer

    def call_async(self, verb: Verb[A, R], args: A, on_done: OnDone[R], timeout: float = CALL_S) -> None:
        """Ask; `on_done(result or CallError)` is called once, on the session's thread: it must not block.

        What acts is noted in this client's audit log, and refused where this client may only look.
        """
        if verb.acts:
            if self.read_only:
                on_done(refusal(verb.name))
                return
            on_done = AUDIT_WRITER.audited(self.host.name, verb.name, as_sent(args), on_done)
        call = Call(verb, args, self._clock() + timeout, on_done)
        self._loop.post_call(call)

    def follow(
        self,
        run_id: str,
        what: str = "log",
        cursor: Cursor | None = None,
        last: int = FIRST_ATTACH,
        goes_on: bool = True,
        skip: bool = False,
    ) -> int:
        """Follow `log` or `events` of a run; its bytes come as updates under the key that this returns.

        Without a cursor it begins at most `last` bytes before the end. With `goes_on` false it ends at the
        present end of the file, otherwise when the run is over. With `skip`, for a view that a person looks
        at, a reader that is megabytes behind goes on near the end: a `Gap` says so.
        """
        if self.watched is not None and run_id in self.watched:
            return self.watched.follow(run_id, what, last)
        follower = Follower(next(self._keys), run_id, what, last, cursor, goes_on=goes_on, skip=skip)
        self._loop.post(lambda: self._loop.follow(follower))
        return follower.key

    def watch(
        self,
        path: str,
        cursor: Cursor | None = None,
        last: int = FIRST_ATTACH,
        goes_on: bool = True,
        skip: bool = False,
    ) -> int:
        """Follow any plain file of the host, read-only, as `follow` does a log; its `run_id` is empty.

        Over rotation, truncation and replacement; it ends only where it cannot be read.
        """
        follower = Follower(
            next(self._keys), "", "watch", last, cursor, goes_on=goes_on, path=path, skip=skip
        )
        self._loop.post(lambda: self._loop.follow(follower))
        return follower.key

    def unfollow(self, key: int) -> None:
        """Follow no longer; updates already made may still come."""
        if self.watched is not None and self.watched.unfollow(key):
            return
        self._loop.post(lambda: self._loop.unfollow(key))

    def drain(self, limit: int = 1000) -> list[Update]:
        """Take the oldest updates, at most `limit`. Drained bytes count as read: the host then sends on."""
        updates: list[Update] = []
        read: dict[int, int] = {}
        box: deque[Update] = self._loop.updates
        while box and len(updates) < limit:
            update = box.popleft()
            updates.append(update)
            if isinstance(update, Bytes):
                read[update.key] = read.get(update.key, 0) + len(update.data)
        if read:
            self._loop.post(lambda: self._loop.drained(read))
        return updates if self.watched is None else self.watched.through(updates)


def connect(host: Host = LOCAL, timeout: float = 15.0, **options: Any) -> Session:
    """A started session whose host answered hello; `options` go to `Session`.

    Raises:
        UnreachableError: no hello within `timeout` seconds.
        CallError: the host refused us.
    """
    session = Session(host, **options).start()
    try:
        session.wait_connected(timeout)
    except CallError:
        session.close()
        raise
    return session
