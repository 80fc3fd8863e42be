"""`move`, and `archive --to HOST`: a run leaves one host for another, and is whole on one at any time."""

import argparse
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from remote.actions import resume_run, stop_run
from remote.actions.keep import archive_run, ask, purge_trash, restore_run, trash_run
from remote.actions.outcome import Outcome
from remote.audit.whoami import whoami
from remote.hosts.lookup import find_host
from remote.protocol.arguments import RunArgs
from remote.protocol.errors import CallError
from remote.protocol.keeping import DepartArgs
from remote.protocol.verbs import DEPART, RUN
from remote.protocol.views import RunDetails, RunView
from remote.session.session import Session
from remote.transfer.trees.copy_run import copy_run
from remote.transfer.trees.send_tree import SendOptions, SentTree
from trainer.config.data_source import DATA_KEY
from tui.commands.arguments import RUN_HELP, Commands, add_command, seconds
from tui.commands.find_run import find_view
from tui.commands.host_session import link_to
from tui.commands.output import OK, answer, say
from tui.commands.runs.pull_push import TransferLine
from tui.commands.runs.selection import Chosen, by_host
from tui.commands.runs.summary import view_fields

CONNECT_S = 20.0
DEPART_S = 3600.0


def move(args: argparse.Namespace) -> int:
    """Stop with a checkpoint, copy, prove, resume there, and only then leave."""
    ((host, (name,)),) = by_host([args.run], args.host).items()
    find_host(args.target)
    with ExitStack() as links:
        origin = links.enter_context(link_to(host))
        view = find_view(origin, name)
        target = links.enter_context(link_to(args.target))
        spec = origin.call(RUN, RunArgs(run_id=view.run_id)).spec
        demand_movable(origin, target, view, spec)
        changes = data_of(spec, args.data)
        stopped = stop_here(origin, view, args.timeout)
        sent = carry(origin, target, stopped)
        restore_run(target, view.run_id)
        resumed = resume_there(origin, target, stopped, sent, changes, queue=args.queue)
        leave(origin, target, view.run_id, sent)
    run = resumed.run or stopped
    row = {**view_fields(args.target, run), "moved_from": host, "sent": sent.sent}
    answer(
        row, args.json, lambda _: f"{run.run_id} went from {host} to {args.target}, and is {run.state} there"
    )
    return OK


def archive_to_host(one: Chosen, target: str) -> dict[str, object]:
    """A run that is over goes to another host, archived; what `--json` gives of it."""
    with link_to(target) as there:
        demand_other(one.session, there)
        sent = carry(one.session, there, one.view)
        done = leave(one.session, there, one.view.run_id, sent)
    return {
        "host": one.host,
        "run_id": done.run_id,
        "name": done.name,
        "state": one.view.state,
        "where": done.where,
        "bytes": done.bytes,
    }


def demand_other(origin: Session, target: Session) -> None:
    """Refuse a move within one state root.

    Raises:
        CallError: `refused`.
    """
    if origin.wait_connected(CONNECT_S).host_id == target.wait_connected(CONNECT_S).host_id:
        raise CallError(
            "refused",
            f"{origin.host.name} and {target.host.name} are one state root: the run is there",
            "photinus hosts list shows who is the same",
        )


def demand_movable(origin: Session, target: Session, view: RunView, spec: Any) -> None:
    """Refuse, before anything is stopped, what could not go on there.

    Raises:
        CallError: `refused`.
    """
    demand_other(origin, target)
    if view.kind == "command" and not spec.get("resume_argv"):
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


def data_of(spec: Any, given: str | None) -> dict[str, Any]:
    """What the resume is to be told of its text, so that the new host says at once whether it is there."""
    data = (spec.get("config") or {}).get("data")
    source = given or (data.get("source") if isinstance(data, dict) else None)
    return {DATA_KEY: source} if spec.get("kind") == "trainer" and source else {}


def stop_here(origin: Session, view: RunView, timeout: float) -> RunView:
    """The run, over.

    Raises:
        CallError: it did not stop in time.
    """
    if view.is_terminal:
        return view
    outcome = stop_run(origin, view.run_id, timeout=timeout)
    if not outcome.ok or outcome.run is None:
        raise outcome.error
    say(f"photinus: {view.run_id} is {outcome.run.state} on {origin.host.name}")
    return outcome.run


def carry(origin: Session, target: Session, view: RunView) -> SentTree:
    """Archive it, so that nobody resumes it meanwhile, and copy it; refused, it is in the list again.

    Raises:
        CallError: what the hosts say.
    """
    archive_run(origin, view.run_id)
    try:
        with TransferLine() as line:
            return copy_run(origin, target, view.run_id, whoami(), SendOptions(on_progress=line.show))
    except CallError as error:
        if error.code not in ("unreachable", "timeout") and not view.archived:
            restore_run(origin, view.run_id)
        raise


def resume_there(
    origin: Session,
    target: Session,
    stopped: RunView,
    sent: SentTree,
    changes: dict[str, Any],
    *,
    queue: bool = False,
) -> Outcome:
    """Resume it there; where that is refused, it is taken back.

    Raises:
        CallError: why it is refused; it is here, stopped, and not there, unless it has gone on there since.
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


def leave(origin: Session, target: Session, run_id: str, sent: SentTree) -> Any:
    """The old home says where it went.

    Raises:
        CallError: it was changed meanwhile, and stays.
    """
    gone = DepartArgs(run_id=run_id, to=f"{target.host.name}:{run_id}", sha256=sent.sha256, by=whoami())
    return ask(origin, DEPART, gone, DEPART_S)


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {"move": move}


def add_to(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add this command to the command line."""
    moving = add_command(commands, "move", "stop a run, copy it to another host, and resume it there")
    moving.add_argument("run", help=RUN_HELP)
    moving.add_argument("target", metavar="HOST", help="where it is to go on")
    moving.add_argument(
        "--queue", action="store_true", help="wait in the queue there where the device is busy"
    )
    moving.add_argument("--data", help="where its text lies there")
    moving.add_argument(
        "--timeout",
        type=seconds,
        default=600.0,
        metavar="S",
        help="how long to wait for its stop (default: 600)",
    )
