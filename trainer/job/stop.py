"""Being asked to stop: by a signal or by a control file. Every loop of the trainer polls `requested`."""

import faulthandler
import os
import signal
import time
from types import FrameType

from trainer.job.outcome import Ledger, StoppedError
from trainer.run.control import Ack, ControlRequest, pending, put_ack
from trainer.run.layout import RunDir

POLL_S = 0.05
FAREWELL = "photinus-train: stopping after this step, with a checkpoint\n"
SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stop:
    """The one flag that ends a run early. Once set it stays set."""

    def __init__(self) -> None:
        self._asked = self._signal = ""
        self._noticed = False
        self._run: RunDir | None = None
        self._attempt, self._token, self._parent = 0, "", 0
        self._polled_at = self._saves_at = 0.0
        self._farewell = FAREWELL.encode()

    @property
    def reason(self) -> str:
        """Why to stop, "" for no reason yet; who asked says more than which signal came with it."""
        return self._asked or self._signal

    def install(self, farewell: str = FAREWELL) -> None:
        """Take SIGTERM and SIGINT: the step in hand is finished and saved, then the process ends.

        SIGUSR2 prints the stacks of every thread to stderr, also where Python itself stands still.
        """
        self._farewell = farewell.encode()
        for number in SIGNALS:
            signal.signal(number, self._on_signal)
        # For a supervisor that finds the run standing still. SIGUSR1 is NCCL's.
        faulthandler.register(signal.SIGUSR2, file=2, all_threads=True)

    def watch(self, run: RunDir, attempt: int, token: str, parent: int = 0) -> None:
        """Poll the control folder of `run` for stop requests to this attempt.

        `parent` is the process without which the run must end (0: none): the launcher of several holds their
        lock.
        """
        self._run, self._attempt, self._token, self._parent = run, attempt, token, parent

    def ask(self, reason: str) -> None:
        """Request a stop from within, for this reason; an earlier one stands."""
        self._asked = self._asked or reason

    def requested(self) -> bool:
        """Whether to stop. Cheap: a folder is scanned at most every 50 ms."""
        if not self._noticed:
            signalled = bool(self._signal)
            if self._run is not None and (signalled or time.monotonic() - self._polled_at >= POLL_S):
                self._polled_at = time.monotonic()
                self._poll(self._run)  # after a signal too: its request was written before it was sent
            self._noticed = signalled or bool(self._asked)
        return self._noticed

    def wants_save(self) -> bool:
        """Whether somebody wants a checkpoint now; asked once a step, looked for at most every 50 ms."""
        if self._run is None or time.monotonic() - self._saves_at < POLL_S:
            return False
        self._saves_at = time.monotonic()
        return bool(self._pending(self._run, "save"))

    def check(self) -> None:
        """Raise `StoppedError` if a stop was requested."""
        if self.requested():
            raise StoppedError(self.reason)

    def acknowledge(self, ledger: Ledger, verb: str = "stop") -> None:
        """Answer every pending stop (or save) request with the step and checkpoint that the run stands at."""
        if self._run is None:
            return
        for request in self._pending(self._run, verb):
            ack = Ack(
                req_id=request.req_id,
                attempt=self._attempt,
                token=self._token,
                at=time.time(),
                **ledger.standing(),
            )
            put_ack(self._run, ack)

    def _poll(self, run: RunDir) -> None:
        for request in self._pending(run, "stop")[:1]:  # later ones share the stop of the first
            self._asked = f"stop requested by {request.by}" if request.by else "stop requested"
        if not self._asked and self._parent and os.getppid() != self._parent:
            self._asked = "the launcher of its processes was lost"

    def _pending(self, run: RunDir, verb: str) -> list[ControlRequest]:
        """A kill is the supervisor's business."""
        return [one for one in pending(run, self._attempt, self._token) if one.verb == verb]

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if not self._signal:
            self._signal = f"{signal.Signals(number).name} received"
            os.write(2, self._farewell)
