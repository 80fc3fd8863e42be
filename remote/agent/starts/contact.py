"""What any contact does for runs that lost their supervisor, and for the queue."""

from remote.agent.context import Context
from remote.protocol.errors import CallError
from remote.supervisor.admission.queue import start_next
from remote.supervisor.admission.reconcile import reconcile_run
from trainer.run.layout import RunDir
from trainer.run.locks import is_free
from trainer.run.run_errors import RunError
from trainer.run.states import State, StateRecord

TROUBLE_MAX = 500


def reconcile_all(ctx: Context) -> list[str]:
    """Look at every run that is not over, then at the queue; what went wrong, a sentence each.

    Which are not over, the last look told; the first one is taken here.
    """
    if not ctx.index.is_whole:
        ctx.index.look_now()
    troubles = [f"state root: {ctx.home.damage} (photinus doctor)"] if ctx.home.damage else []
    for run in ctx.index.live:
        try:
            reconcile(ctx, run)
            ctx.index.look(run.run_id)  # it may be over now
        except Exception as error:  # whatever it is, it costs this run alone
            troubles.append(f"{run.run_id}: {sentence_of(error)}")
    try:
        start_next(ctx.home)
    except Exception as error:  # as above
        troubles.append(f"queue: {sentence_of(error)}")
    return troubles


def sentence_of(error: Exception) -> str:
    """What went wrong, in words; what nobody foresaw names its type."""
    foreseen = isinstance(error, (RunError, OSError, CallError))
    return str(error)[:TROUBLE_MAX] if foreseen else f"{type(error).__name__}: {str(error)[:TROUBLE_MAX]}"


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
