"""A run that nobody runs, held so that nobody can: what moving its folder needs."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager

from remote.agent.context import Context
from remote.agent.starts.contact import reconcile
from remote.protocol.errors import CallError
from remote.supervisor.process.command_line import named
from trainer.run.layout import RunDir
from trainer.run.locks import Flock, is_free
from trainer.run.process.process_record import ProcessRecord
from trainer.run.process.survivors import settled
from trainer.run.records import read_state
from trainer.run.run_errors import RunError
from trainer.run.states import StateRecord

LEAVING_S = 0.02


def demand_over(ctx: Context, run: RunDir) -> Generator[None, None, int]:
    """The state's number of a run that is over and left nothing behind: `held` compares it under the locks.

    Raises:
        CallError: `already_running`, or `refused`: a process of it lives.
    """
    state = reconcile(ctx, run)
    if not state.is_terminal:
        raise _live(state)
    for _ in range(100):  # its supervisor wrote the end, and is about to leave
        if is_free(run.lock):
            break
        yield
    left = settled(run, _process(ctx, run))
    if left or not is_free(run.trainer_lock):
        who = ", ".join(named(one.pid) for one in left) or "a process that cannot be seen"
        raise CallError(
            "refused",
            f"{run.run_id} is over ({state.state}), but of it there still lives {who}",
            f"photinus kill {run.run_id}",
        )
    return state.seq


@contextmanager
def held(ctx: Context, run: RunDir, seq: int) -> Iterator[StateRecord]:
    """Hold agent.lock and the run's own: no start, adoption or restart of it can happen meanwhile.

    Raises:
        CallError: `already_running`: it was started since `seq` was read; `not_found`: it is gone.
    """
    with ctx.critical():
        state = read_state(run) if run.state.exists() else None
        if state is None:
            raise CallError("not_found", f"run {run.run_id} was removed meanwhile", "photinus ls lists them")
        with Flock(run.lock) as lock:
            if not state.is_terminal or state.seq != seq or not lock.take(LEAVING_S):
                raise _live(state)
            yield state


def _process(ctx: Context, run: RunDir) -> ProcessRecord | None:
    try:
        return ctx.views.process(run)
    except RunError:
        return None  # a record that cannot be read names nobody; trainer.lock is asked all the same


def _live(state: StateRecord) -> CallError:
    return CallError(
        "already_running",
        f"{state.run_id} is not over: it is {state.state}",
        f"photinus stop {state.run_id} first",
    )
