"""What operators ask of the run: two share one stop, and a kill only raises the level."""

import contextlib
import time
from collections.abc import Callable

from remote.supervisor.attempt_outcome import KILLED
from remote.supervisor.log import Log
from trainer.run.control import Ack, ControlRequest, pending_for, put_ack, put_request
from trainer.run.layout import RunDir
from trainer.run.records import ExitRecord

ANY_TOKEN = ""  # a stop asked while the attempt had no token yet


class ControlInbox:
    """Takes the requests to this supervisor's own attempts; those to any other are ignored."""

    def __init__(self, run: RunDir, log: Log, clock: Callable[[], float] = time.monotonic) -> None:
        self._run = run
        self._log = log
        self._clock = clock
        self._lives: set[tuple[int, str]] = set()
        self.latest = (0, ANY_TOKEN)
        self._taken: dict[str, ControlRequest] = {}
        self._own: set[str] = set()
        self._deadline: float | None = None
        self.stop_reason = ""
        self.kill_reason = ""
        self.signals: list[str] = []
        """Signals that were asked for beside the first stop, by name; "" is the run's own."""
        self.to_deliver: list[ControlRequest] = []
        """Signals that somebody wants sent and that end nothing; each is answered once it was sent."""

    def expect(self, attempt: int, token: str) -> None:
        """From now on, also take requests to this attempt. Those to one just ended stay ours: a request that
        crossed a restart was meant for what runs now."""
        self._lives |= {(attempt, token), (attempt, ANY_TOKEN)}
        self.latest = (attempt, token)

    @property
    def is_asked(self) -> bool:
        """Whether anybody wants the run to end."""
        return bool(self.stop_reason or self.kill_reason)

    def stop(self, reason: str) -> None:
        """Ask for a graceful stop from within."""
        self.stop_reason = self.stop_reason or reason

    def kill(self, reason: str) -> None:
        """Ask for a kill from within."""
        self.kill_reason = self.kill_reason or reason

    def taken_signals(self) -> list[str]:
        """The signals that are to be sent now; each is handed out once."""
        found, self.signals = self.signals, []
        return found

    def ask_trainer(self, req_id: str, reason: str) -> None:
        """Leave the trainer a request that is the supervisor's own: nobody asked for an end of the run."""
        attempt, token = self.latest
        self._own.add(req_id)
        put_request(
            self._run, ControlRequest(req_id=req_id, verb="stop", attempt=attempt, token=token, by=reason)
        )

    def look(self) -> None:
        """Take new requests, and turn a stop whose deadline has passed into a kill."""
        for request in pending_for(self._run, self._lives):
            if request.verb == "save" or request.req_id in self._own:
                continue  # the trainer's business, and our own
            if request.req_id not in self._taken:
                self._take(request)
        if self._deadline is not None and self._clock() >= self._deadline:
            self.kill("the stop's deadline passed: killed")

    def answer(self, word: ExitRecord | None) -> None:
        """Acknowledge every request that was taken and that the trainer did not answer itself.

        Raises:
            OSError: the disk is full.
        """
        attempt, token = self.latest
        open_ids = {request.req_id for request in pending_for(self._run, self._lives)}
        for req_id in sorted(open_ids & (set(self._taken) | self._own)):
            ack = Ack(
                req_id=req_id,
                attempt=attempt,
                token=token,
                step=word.step if word else 0,
                checkpoint=word.checkpoint if word else None,
                sha256=word.sha256 if word else None,
                at=time.time(),
            )
            put_ack(self._run, ack)

    def delivered(self, request: ControlRequest) -> None:
        """Answer who asked for a signal. On a full disk he is not answered; the signal was sent."""
        attempt, token = self.latest
        with contextlib.suppress(OSError):
            put_ack(
                self._run, Ack(req_id=request.req_id, attempt=attempt, token=token, step=0, at=time.time())
            )

    def _take(self, request: ControlRequest) -> None:
        self._taken[request.req_id] = request
        by = f" by {request.by}" if request.by else ""
        self._log(f"{request.verb} requested{by} ({request.req_id})")
        if request.verb == "kill":
            self.kill(KILLED)
            return
        if request.verb == "signal":
            self.to_deliver.append(request)
            return
        if request.again or request.signal:
            self.signals.append(request.signal)
        self.stop(f"stop requested{by}")
        if request.deadline_s is not None:
            deadline = self._clock() + request.deadline_s
            self._deadline = deadline if self._deadline is None else min(self._deadline, deadline)
