"""A run leaves one host for another, and is whole on one at any time: stop, copy, resume there, leave."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from remote.actions.kept.keep import archive_run, ask, purge_trash, restore_run, trash_run
from remote.actions.outcome import Outcome
from remote.actions.start import resume_run
from remote.actions.stop import stop_run
from remote.audit.whoami import whoami
from remote.protocol.arguments import RunArgs
from remote.protocol.errors import CallError
from remote.protocol.keeping import DepartArgs, KeptRun
from remote.protocol.verbs import DEPART, RUN
from remote.protocol.views import RunDetails, RunView
from remote.session.session import Session

CONNECT_S = 20.0
DEPART_S = 3600.0
STOP_S = 600.0


Copy = Callable[[str], "CarriedTree"]
"""Copies all of the archived run to the other host, proven; it is told who asks for it."""


class CarriedTree(Protocol):
    """A copy that is on the other host: the hash of its list of files, and how many bytes went there."""

    @property
    def sha256(self) -> str:
        """Of the list."""

    @property
    def sent(self) -> int:
        """Bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveResult:
    """The run as it is on the new host, and how many bytes went there."""

    run: RunView
    sent: int


def move_run(
    origin: Session,
    target: Session,
    view: RunView,
    copy: Copy,
    *,
    changes: Mapping[str, Any],
    resume_argv: bool,
    queue: bool = False,
    timeout: float = STOP_S,
    on_stopped: Callable[[RunView], None] = lambda _run: None,
) -> MoveResult:
    """Stop it with a checkpoint, have it copied, resume it there, and only then leave.

    Args:
        copy: from `origin` to `target`.
        changes: what the resume there is told, such as where its text lies.
        resume_argv: whether a command says how it is resumed.
        queue: wait there where the device is busy.
        timeout: seconds for the stop.

    Raises:
        CallError: what the hosts refuse; the run is whole on one of them, and the words say on which.
    """
    demand_movable(origin, target, view, resume_argv=resume_argv)
    stopped = _stop_here(origin, view, timeout)
    if stopped is not view:
        on_stopped(stopped)
    sent = carry(origin, stopped, copy)
    restore_run(target, view.run_id)
    resumed = resume_there(origin, target, stopped, sent, changes, queue=queue)
    _leave(origin, target, view.run_id, sent)
    return MoveResult(run=resumed.run or stopped, sent=sent.sent)


def move_archived(origin: Session, target: Session, view: RunView, copy: Copy) -> KeptRun:
    """A run that is over goes to another host, archived.

    Raises:
        CallError: see `move_run`.
    """
    demand_other(origin, target)
    sent = carry(origin, view, copy)
    return _leave(origin, target, view.run_id, sent)


def demand_other(origin: Session, target: Session) -> None:
    """Refuse a move within one state root.

    Raises:
        CallError: `refused`.
    """
    if origin.wait_connected(CONNECT_S).host_id == target.wait_connected(CONNECT_S).host_id:
        both = f"{origin.host.name} and {target.host.name} are one state root"
        raise CallError(
            "refused",
            f"{'' if origin.host.name == target.host.name else f'{both}: '}the run is on {target.host.name}",
            "photinus hosts list shows who is the same",
        )


def demand_movable(origin: Session, target: Session, view: RunView, *, resume_argv: bool) -> None:
    """Refuse, before anything is stopped, what could not go on there.

    Raises:
        CallError: `refused`.
    """
    demand_other(origin, target)
    if view.kind == "command" and not resume_argv:
        raise CallError(
            "refused",
            f"{view.run_id} is a command without --resume-command: it could not go on elsewhere",
            f"photinus archive {view.run_id} --to {target.host.name} moves it once it is over",
        )
    devices = target.wait_connected(CONNECT_S).devices
    if missing := [name for name in view.device.split(",") if name not in devices]:
        raise CallError(
            "refused",
            f"{target.host.name} has no device {', '.join(missing)}, which {view.run_id} computes on; "
            f"it has {', '.join(devices)}",
            "a resume stays on the kind of device that it began on: name another host",
        )


def _stop_here(origin: Session, view: RunView, timeout: float) -> RunView:
    """The run, over."""
    if view.is_terminal:
        return view
    outcome = stop_run(origin, view.run_id, timeout=timeout)
    if not outcome.ok or outcome.run is None:
        raise outcome.error
    return outcome.run


def carry(origin: Session, view: RunView, copy: Copy) -> CarriedTree:
    """Archive it, so that nobody resumes it meanwhile, and copy it; refused, it is in the list again.

    Raises:
        CallError: what the hosts say.
    """
    archive_run(origin, view.run_id)
    try:
        return copy(whoami())
    except CallError as error:
        if error.code not in ("unreachable", "timeout") and not view.archived:
            restore_run(origin, view.run_id)
        raise


def resume_there(
    origin: Session,
    target: Session,
    stopped: RunView,
    sent: CarriedTree,
    changes: Mapping[str, Any],
    *,
    queue: bool = False,
) -> Outcome:
    """Resume it there; where that is refused it is taken back: here, stopped, unless it has gone on there.

    Raises:
        CallError: why it is refused, and on which host it is.
    """
    run_id = stopped.run_id
    outcome = resume_run(target, run_id, start_id=f"move-{sent.sha256[:24]}", changes=changes, queue=queue)
    if outcome.run is not None or outcome.ok:
        return outcome
    error = outcome.error
    if error.code in ("unreachable", "timeout"):
        again = f"photinus move {run_id} {target.host.name} goes on; photinus restore {run_id} keeps it here"
        raise CallError(error.code, f"whether {run_id} goes on there is not known: {error.message}", again)
    there: RunDetails = target.call(RUN, RunArgs(run_id=run_id))
    if (there.attempt, there.seq) != (stopped.attempt, stopped.seq):  # what it did there is nowhere else
        raise CallError(
            error.code,
            f"{run_id} has gone on at {target.host.name} since it came there, and stays: {error.message}",
            f"photinus show {target.host.name}:{run_id}; photinus rm {run_id} removes what is here",
            error.detail,
        )
    trash_run(target, run_id)
    purge_trash(target, [run_id])
    restore_run(origin, run_id)
    raise CallError(
        error.code,
        f"{run_id} cannot go on there: {error.message}; it is on {origin.host.name}, as it was stopped",
        error.remedy,
        error.detail,
    )


def _leave(origin: Session, target: Session, run_id: str, sent: CarriedTree) -> KeptRun:
    """The old home says where it went; what was changed meanwhile stays."""
    gone = DepartArgs(run_id=run_id, to=f"{target.host.name}:{run_id}", sha256=sent.sha256, by=whoami())
    return ask(origin, DEPART, gone, DEPART_S)
