"""What is done about an attempt that stands still: its stacks, a request to save and end, then its end."""

import signal
import time

from remote.supervisor.process.launchers import launcher_of
from remote.supervisor.process.stacks import record_stacks
from remote.supervisor.process.termination import deliver, wake
from remote.supervisor.stall import StallWatch
from remote.supervisor.supervisor_context import SupervisorContext
from trainer.run.process.process_record import ProcessRecord
from trainer.run.process.survivors import survivors
from trainer.run.states import State

DUMP_S = 0.5  # for the stacks that the trainer writes itself


class Stalled:
    """The stall of one attempt, if it comes to one. `why` is "" until then."""

    def __init__(self, ctx: SupervisorContext, record: ProcessRecord) -> None:
        self._ctx, self._record = ctx, record
        self._watch = StallWatch(ctx.spec, ctx.run, record.attempt)
        self._asks_at = self._ends_at = 0.0
        self._has_asked = False
        self._stacks = ""
        self.why = ""

    @property
    def reason(self) -> str:
        """For the state."""
        return f"{self.why}; stacks in {self._stacks}" if self._stacks else self.why

    def is_over(self) -> bool:
        """Whether it was asked to end, did not, and its time is up. An operator's stop has all the time."""
        return bool(self.why) and not self._ctx.inbox.is_asked and time.monotonic() >= self._ends_at

    def look(self) -> None:
        """Find out, once, and carry on from there."""
        ctx, now = self._ctx, time.monotonic()
        if not self.why:
            if why := self._watch.look():
                self._begin(why)
        elif not self._has_asked and now >= self._asks_at:
            self._ask()
        elif self._has_asked:
            wake(ctx.run, self._record, ctx.log)

    def _begin(self, why: str) -> None:
        ctx = self._ctx
        self.why = why
        ctx.log(why)
        found = survivors(ctx.run, self._record)
        self._stacks = record_stacks(ctx.run, self._record.attempt, why, found, ctx.log)
        wake(ctx.run, self._record, ctx.log)
        self._asks_at = time.monotonic() + DUMP_S
        self._ends_at = self._asks_at + ctx.timeouts.stalled_s
        ctx.writer.to(State.RUNNING, f"{self.reason}; it is ended and, if its restarts allow, resumed")

    def _ask(self) -> None:
        """The trainer's request file and its signal: what it still can save is saved."""
        ctx, trainer = self._ctx, self._record.trainer
        self._has_asked = True
        if ctx.spec.kind == "trainer":
            try:
                ctx.inbox.ask_trainer(f"stalled-{self._record.attempt}", "the supervisor: it stood still")
            except OSError as error:
                ctx.log(f"no request could be left: {error}")
        if trainer is not None and launcher_of(ctx.spec).stops_by_signal:
            name = ctx.spec.stop_signal if ctx.spec.kind == "command" else "SIGTERM"
            deliver(trainer, signal.Signals[name], ctx.log)
