"""`move`, and `archive --to HOST`: a run leaves one host for another."""

import argparse
from collections.abc import Callable
from contextlib import ExitStack

from remote.actions.kept.move_run import move_archived, move_run
from remote.hosts.lookup import find_host
from remote.protocol.arguments import RunArgs
from remote.protocol.verbs import RUN
from remote.session.session import Session
from remote.transfer.trees.copy_run import copy_run
from remote.transfer.trees.send_tree import SendOptions, SentTree
from trainer.config.data_source import text_change
from tui.commands.arguments import RUN_HELP, Commands, add_command, seconds
from tui.commands.find_run import find_view
from tui.commands.host_session import link_to
from tui.commands.output import OK, answer, say
from tui.commands.runs.pull_push import TransferLine
from tui.commands.runs.selection import Chosen, by_host
from tui.commands.runs.summary import view_fields


def move(args: argparse.Namespace) -> int:
    """Stop with a checkpoint, copy, prove, resume there, and only then leave."""
    ((host, (name,)),) = by_host([args.run], args.host).items()
    find_host(args.target)
    with ExitStack() as links:
        origin = links.enter_context(link_to(host))
        view = find_view(origin, name)
        target = links.enter_context(link_to(args.target))
        spec = origin.call(RUN, RunArgs(run_id=view.run_id)).spec
        moved = move_run(
            origin,
            target,
            view,
            lambda by: with_a_line(origin, target, view.run_id, by),
            changes=text_change(spec, args.data),
            resume_argv=bool(spec.get("resume_argv")),
            queue=args.queue,
            timeout=args.timeout,
            on_stopped=lambda run: say(f"photinus: {run.run_id} is {run.state} on {host}"),
        )
    row = {**view_fields(args.target, moved.run), "moved_from": host, "sent": moved.sent}
    answer(
        row,
        args.json,
        lambda _: f"{moved.run.run_id} went from {host} to {args.target}, and is {moved.run.state} there",
    )
    return OK


def archive_to_host(one: Chosen, target: str) -> dict[str, object]:
    """A run that is over goes to another host, archived; what `--json` gives of it."""
    with link_to(target) as there:
        done = move_archived(
            one.session, there, one.view, lambda by: with_a_line(one.session, there, one.view.run_id, by)
        )
    return {
        "host": one.host,
        "run_id": done.run_id,
        "name": done.name,
        "state": one.view.state,
        "where": done.where,
        "bytes": done.bytes,
    }


def with_a_line(origin: Session, target: Session, run_id: str, by: str) -> SentTree:
    """Copy it, and show on stderr how far that is."""
    with TransferLine() as line:
        return copy_run(origin, target, run_id, by, SendOptions(on_progress=line.show))


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
