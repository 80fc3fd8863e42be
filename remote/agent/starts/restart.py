"""Runs that died with their supervisor (a reboot, say) and whose spec asks to be resumed."""

import hashlib
import time

from remote.agent.audit import ITSELF
from remote.agent.context import Context
from remote.agent.index_file import Entry
from remote.agent.starts.resume import resume
from remote.agent.verb import Work
from remote.protocol.arguments import ResumeArgs
from remote.protocol.verbs import RESUME
from remote.protocol.views import StartedRun
from remote.supervisor.admission.reconcile import retry_after_loss
from trainer.run.records import read_state
from trainer.run.run_errors import RunError
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
        if self._ctx.home.damage:
            return []
        if not self._ctx.index.is_whole:
            self._ctx.index.look_now()
        lost = [entry for entry in self._ctx.index.newest() if entry.state in LOST]
        return [work for entry in lost if not entry.is_settled and (work := self._try(entry)) is not None]

    def _try(self, entry: Entry) -> Work[StartedRun] | None:
        try:
            return self._wanted(entry)
        except (RunError, OSError) as error:  # one that cannot be read holds up no other, and is told as such
            entry.details.trouble, entry.is_troubled = str(error), True
            return None

    def _wanted(self, entry: Entry) -> Work[StartedRun] | None:
        run = self._ctx.home.run(entry.run_id)
        state = read_state(run)
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
            entry.is_settled = True  # of this very state.json: no agent needs to ask again
            self._ctx.index.learnt(entry)
            return None
        args = ResumeArgs(start_id=start_id, run_id=run.run_id, queue=True)
        self._ctx.audit.asked(RESUME.name, args, ITSELF)
        return resume(self._ctx, args, restarts=retry.spent)


def restart_id(run_id: str, attempt: int) -> str:
    """The start id of the restart that becomes `attempt`."""
    return f"auto-{hashlib.sha256(run_id.encode()).hexdigest()[:16]}-{attempt}"
