"""What any contact does for runs that lost their supervisor, and for the queue."""

from remote.agent.context import Context
from remote.protocol.errors import CallError
from remote.supervisor.admission.queue import start_next
from remote.supervisor.admission.reconcile import reconcile_run
from trainer.run.layout import RunDir
from trainer.run.locks import is_free
from trainer.run.run_errors import RunError
from trainer.run.states import State, StateRecord


def reconcile_all(ctx: Context) -> list[str]:
    """Look at every run that is not over, then at the queue; what went wrong, a sentence each."""
    troubles = []
    for run in ctx.views.runs():
        try:
            reconcile(ctx, run)
        except (RunError, OSError, CallError) as error:
            troubles.append(f"{run.run_id}: {error}")
    try:
        start_next(ctx.home)
    except (RunError, OSError) as error:
        troubles.append(f"queue: {error}")
    return troubles


def reconcile(ctx: Context, run: RunDir) -> StateRecord:
    """The state of `run` after adopting or marking it, where its supervisor is gone.

    Raises:
        CallError: `not_found`.
        RunError: its files are malformed, or the lock of the agents hangs.
    """
    state = ctx.views.state(run)
    if state is None:
        raise CallError("not_found", f"no run {run.run_id} on this host", "photinus ls lists them")
    if state.is_terminal or state.state is State.QUEUED or not is_free(run.lock):
        return state
    with ctx.critical():
        return reconcile_run(ctx.home, run)
