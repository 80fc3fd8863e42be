"""A client's session with one host: verbs, followed files and runs, over links that come and go.

One thread of its own decides everything (`remote.pilot`); the methods here only leave messages for it and
read its snapshots, so no caller is ever blocked by a host, except in `call` for as long as it asked.
"""

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from remote.calls import Answer, Call, OnDone
from remote.errors import CallError, UnreachableError
from remote.following import Follower
from remote.hosts import LOCAL, Host
from remote.link import LinkState, Timings
from remote.pilot import Pilot
from remote.protocol import Cursor
from remote.transport import Opener, open_transport
from remote.updates import Bytes, Update
from remote.view import HostHello, RunView

CALL_S = 10.0
FIRST_ATTACH = 262144
GRACE_S = 5.0


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
    ) -> None:
        """`telemetry_s`: seconds between `Telemetry` updates, 0 for none; `client` names us to the host."""
        self.host = host
        self._clock = clock
        self._keys = itertools.count(1)
        self._pilot = Pilot(host, timings or Timings(), opener, clock, telemetry_s, client)

    def start(self) -> "Session":
        """Begin to connect; returns at once. A second start changes nothing."""
        self._pilot.start()
        return self

    def close(self) -> None:
        """Leave: the agent ends, runs go on. Waits at most a few seconds for the threads."""
        self._pilot.close()

    def __enter__(self) -> "Session":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def link(self) -> LinkState:
        """The link now."""
        return self._pilot.link

    @property
    def hello(self) -> HostHello | None:
        """What the host's agent said of itself last; None before the first hello."""
        return self._pilot.hello

    def run(self, run_id: str) -> RunView | None:
        """The newest that was heard of a run, without asking."""
        return self._pilot.board.get(run_id)

    def wait_run(self, run_id: str, predicate: Callable[[RunView], bool], timeout: float) -> RunView | None:
        """Wait until what was heard of a run satisfies `predicate`; None after `timeout` seconds."""
        return self._pilot.board.wait(run_id, predicate, timeout)

    def reconnect_now(self) -> None:
        """Cut the waiting short, or try a refused host again."""
        self._pilot.post(self._pilot.reconnect_now)

    def wait_connected(self, timeout: float) -> HostHello:
        """Wait for hello.

        Raises:
            UnreachableError: none within `timeout` seconds.
            CallError: the host refused us (an unsafe state root, another protocol).
        """
        if not self._pilot.settled.wait(timeout):
            why = f": {self._pilot.last_loss}" if self._pilot.last_loss else ""
            raise UnreachableError(
                f"{self.host.name} was not reached in {timeout:g} s{why}", "check the link"
            )
        if (refusal := self._pilot.refusal) is not None:
            raise refusal
        hello = self.hello
        assert hello is not None
        return hello

    def call(
        self, verb: str, args: Mapping[str, Any] | None = None, timeout: float = CALL_S
    ) -> dict[str, Any]:
        """Ask and wait for the answer; sent again over a new link if the old one is lost, where that is safe.

        Raises:
            UnreachableError: the host was not reached within `timeout` seconds.
            TimeoutError_: it was, and did not answer.
            CallError: it answered with an error.
        """
        done = threading.Event()
        answers: list[Answer] = []

        def take(answer: Answer) -> None:
            answers.append(answer)
            done.set()

        self.call_async(verb, args or {}, take, timeout)
        if not done.wait(timeout + GRACE_S):  # the session was never started, or has ended meanwhile
            raise UnreachableError("the session is not running", "start it")
        if isinstance(answers[0], CallError):
            raise answers[0]
        return dict(answers[0])

    def call_async(
        self, verb: str, args: Mapping[str, Any], on_done: OnDone, timeout: float = CALL_S
    ) -> None:
        """Ask; `on_done(result or CallError)` is called once, on the session's thread: it must not block."""
        call = Call(verb, args, self._clock() + timeout, on_done)
        self._pilot.post_call(call)

    def follow(
        self,
        run_id: str,
        what: str = "log",
        cursor: Cursor | None = None,
        last: int = FIRST_ATTACH,
        goes_on: bool = True,
    ) -> int:
        """Follow `log` or `events` of a run; its bytes come as updates under the key that this returns.

        Without a cursor it begins at most `last` bytes before the end. With `goes_on` false it ends at the
        present end of the file, otherwise when the run is over.
        """
        follower = Follower(next(self._keys), run_id, what, last, cursor, goes_on=goes_on)
        self._pilot.post(lambda: self._pilot.follow(follower))
        return follower.key

    def unfollow(self, key: int) -> None:
        """Follow no longer; updates already made may still come."""
        self._pilot.post(lambda: self._pilot.unfollow(key))

    def drain(self, limit: int = 1000) -> list[Update]:
        """Take the oldest updates, at most `limit`. Drained bytes count as read: the host then sends on."""
        updates: list[Update] = []
        read: dict[int, int] = {}
        box: deque[Update] = self._pilot.updates
        while box and len(updates) < limit:
            update = box.popleft()
            updates.append(update)
            if isinstance(update, Bytes):
                read[update.key] = read.get(update.key, 0) + len(update.data)
        if read:
            self._pilot.post(lambda: self._pilot.drained(read))
        return updates


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
