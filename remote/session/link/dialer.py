"""Reaching a host on a thread of its own: one that hangs holds up nobody, what comes too late is closed."""

import threading
from collections.abc import Callable
from typing import TypeAlias

from remote.hosts.host import Host
from remote.protocol.errors import CallError
from remote.session.link.link_state import Timings
from remote.transport.base import Answers, ConnectAttempt, Opener, Transport

PATIENCE = 3.0  # times the last good one
SLOWER = 1.5  # each time a host that did speak was too slow
GRACE_S = 0.5
SPEAKING = ("ssh", "auth", "agent")

DialResult: TypeAlias = Transport | OSError | CallError


class Dialer:
    """One dial at a time. Used by the session's own thread only, which `post` reaches from a dial's thread.

    Attributes:
        stage: what the present dial is doing.
    """

    def __init__(
        self,
        host: Host,
        opener: Opener,
        timings: Timings,
        answers: Answers,
        clock: Callable[[], float],
        post: Callable[[Callable[[], None]], None],
    ) -> None:
        self._host, self._opener, self._timings, self._answers = host, opener, timings, answers
        self._clock, self._post = clock, post
        self._dial: ConnectAttempt | None = None
        self._began = 0.0
        self._good_s: float | None = None
        self._factor = 1.0
        self.stage = ""

    @property
    def is_busy(self) -> bool:
        """Whether a dial is under way."""
        return self._dial is not None

    @property
    def deadline_s(self) -> float:
        """Seconds that the next dial may take."""
        least, most = self._timings.connect_s
        if self._good_s is None:
            return most
        return min(most, max(least, PATIENCE * self._good_s) * self._factor)

    def begin(self, on_stage: Callable[[], object], on_end: Callable[[DialResult], None]) -> None:
        """Start a dial; an older one is given up."""
        self.give_up()
        dial = ConnectAttempt(deadline_s=self.deadline_s, answers=self._answers)
        dial.say = lambda stage: self._post(lambda: self._staged(dial, stage, on_stage))
        self._dial, self._began, self.stage = dial, self._clock(), ""
        threading.Thread(
            target=self._run, args=(dial, on_end), name=f"photinus-dial-{self._host.name}", daemon=True
        ).start()

    def give_up(self) -> None:
        """Nobody waits for the present dial any more: it ends by itself; what it still opens is closed."""
        if self._dial is not None:
            self._dial.gave_up.set()
            self._dial = None

    def hung(self, now: float) -> str:
        """Why the present dial should be given up: it did not keep its deadline. Empty while all is well."""
        if self._dial is None or now - self._began < self._dial.deadline_s + GRACE_S:
            return ""
        self._too_slow()
        at = f" (at {self.stage})" if self.stage else ""
        return f"no answer in {self._dial.deadline_s:.3g} s{at}"

    def proved(self) -> None:
        """The host answered hello: that is how long it takes."""
        self._good_s, self._factor = self._clock() - self._began, 1.0

    def _run(self, dial: ConnectAttempt, on_end: Callable[[DialResult], None]) -> None:
        outcome: DialResult
        try:
            outcome = self._opener(self._host, dial)
        except (OSError, CallError) as error:
            outcome = error
        except Exception as error:  # a fault of ours must not leave the session waiting for ever
            outcome = CallError("internal", f"the connection failed by a fault of Photinus: {error!r}")
        self._post(lambda: self._ended(dial, outcome, on_end))
        if dial.gave_up.is_set():
            _close(outcome)  # the session may be over, and nobody reads what was posted

    def _staged(self, dial: ConnectAttempt, stage: str, on_stage: Callable[[], object]) -> None:
        if dial is self._dial:
            self.stage = stage
            on_stage()

    def _ended(self, dial: ConnectAttempt, outcome: DialResult, on_end: Callable[[DialResult], None]) -> None:
        if dial is not self._dial:
            threading.Thread(target=_close, args=(outcome,), name="photinus-late", daemon=True).start()
            return
        self._dial = None
        if isinstance(outcome, TimeoutError):
            self._too_slow()
        on_end(outcome)

    def _too_slow(self) -> None:
        if self.stage.partition(" ")[0] in SPEAKING:
            self._factor *= SLOWER


def _close(outcome: DialResult) -> None:
    if not isinstance(outcome, Exception):
        outcome.close()
