"""Runs that died with their supervisor (a reboot, say) and whose spec asks to be resumed."""

import hashlib
import time

from remote.agent.audit import ITSELF
from remote.agent.context import Context
from remote.agent.starts.resume import resume
from remote.agent.verb import Work
from remote.protocol.arguments import ResumeArgs
from remote.protocol.verbs import RESUME
from remote.protocol.views import StartedRun
from remote.supervisor.admission.reconcile import retry_after_loss
from trainer.run.layout import RunDir
from trainer.run.states import State

LOST = frozenset({State.DIED, State.DIED_REBOOT})


class Restarts:
    """Begins each restart once; its start id is made from run and attempt, so that two agents make one."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._settled: set[str] = set()
        self.is_waiting = False
        """Whether, at the last look, a restart was wanted whose time had not come."""

    def due(self) -> list[Work[StartedRun]]:
        """The resumes that are wanted now and that this agent did not begin yet."""
        self.is_waiting = False
        return [work for run in self._ctx.views.whole() if (work := self._wanted(run)) is not None]

    def _wanted(self, run: RunDir) -> Work[StartedRun] | None:
        state = self._ctx.views.state(run)
        if state is None or state.state not in LOST:
            return None
        start_id = restart_id(run.run_id, state.attempt + 1)
        if start_id in self._settled:
            return None
        process = self._ctx.views.process(run)
        if process is not None and process.started < self._ctx.home.copied:
            return None  # it was copied along: whether it goes on is the original's business
        retry = retry_after_loss(run)
        if retry is not None and time.time() < state.since + retry.delay_s:
            self.is_waiting = True
            return None
        self._settled.add(start_id)
        if retry is None:
            return None
        args = ResumeArgs(start_id=start_id, run_id=run.run_id, queue=True)
        self._ctx.audit.asked(RESUME.name, args, ITSELF)
        return resume(self._ctx, args, restarts=retry.spent)


def restart_id(run_id: str, attempt: int) -> str:
    """The start id of the restart that becomes `attempt`."""
    return f"auto-{hashlib.sha256(run_id.encode()).hexdigest()[:16]}-{attempt}"
