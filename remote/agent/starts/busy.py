"""Why a start cannot have what it wants: who has it, as far as files and kernel tell."""

import contextlib

from remote.agent.processes.lock_holders import Holder
from remote.agent.run_index import RunIndex
from remote.agent.run_views import Views
from remote.protocol.errors import CallError
from remote.supervisor.admission.admit import Busy
from trainer.run.locks import is_free
from trainer.run.run_errors import RunError
from trainer.run.spec import RunSpec
from trainer.run.states import State, StateRecord


def already_running(spec: RunSpec, state: StateRecord) -> CallError:
    """Who runs it, and since when."""
    return CallError(
        "already_running",
        f"run {state.run_id} is {state.state} (attempt {state.attempt}, started by {spec.by or 'somebody'})",
        "watch it, or stop it first",
        {
            "run_id": state.run_id,
            "state": str(state.state),
            "attempt": state.attempt,
            "since": state.since,
            "who": spec.by,
            "start_id": state.start_id,
        },
    )


def busy(
    asked: RunSpec, locks: Busy, owner: tuple[RunSpec, StateRecord] | None, found: list[Holder]
) -> CallError:
    """Who holds the device, where we know: the run, else the processes that the kernel names."""
    detail: dict[str, object] = {"device": locks.device or asked.device, "run_id": None}
    who = ", ".join(map(str, found[:3])) or "a process that cannot be seen"
    detail["pids"] = [one.pid for one in found]
    if not locks.device:
        why = f"the lock of {asked.run_id} is held by {who}"
        return CallError("already_running", why, "try again in a moment, or see: photinus processes", detail)
    if owner is None:
        why = f"{locks.device} is held by {who}, which is no supervised run of this state root"
        return CallError("device_busy", why, "photinus doctor explains it; or start with --queue", detail)
    spec, state = owner
    detail |= {"run_id": spec.run_id, "name": spec.name, "who": spec.by, "since": state.since}
    detail |= {"state": str(state.state), "start_id": state.start_id}
    why = f"{locks.device} is held by run {spec.run_id} ({state.state}, started by {spec.by or 'somebody'})"
    remedy = "stop it, wait for it, or start with --queue (in line after it) or --shared (beside it)"
    return CallError("device_busy", why, remedy, detail)


def owner_of(index: RunIndex, views: Views, device: str) -> tuple[RunSpec, StateRecord] | None:
    """The run that holds a device: not over, its own lock held. None if nobody of ours is known."""
    index.look_now()
    for run in index.live:
        with contextlib.suppress(RunError, OSError):  # one that cannot be read hides no other
            state = views.state(run)
            if state is None or state.is_terminal or state.state is State.QUEUED:
                continue
            spec = views.spec(run)
            if device in spec.devices and not is_free(run.lock):
                return spec, state
    return None
