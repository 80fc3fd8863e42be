"""`queue`: who waits for a device of a host, in which order, and what else they wait for."""

import argparse
from collections.abc import Callable, Mapping
from typing import Any

from remote.actions.kept.keep import ask, change_line
from remote.protocol.arguments import NoArgs
from remote.protocol.errors import CallError
from remote.protocol.keeping import WaitingLine
from remote.protocol.results import as_answered
from remote.protocol.verbs import QUEUE
from remote.session.session import Session
from tui.commands.arguments import Commands, add_command, count
from tui.commands.find_run import find_view
from tui.commands.host_session import link_to
from tui.commands.output import OK, emit, say, tell

ACTS = ("move", "hold", "release", "after")


def queue(args: argparse.Namespace) -> int:
    """List the line of a host, or change it and list it."""
    with link_to(args.host) as session:
        line = changed(session, args) if args.act else ask(session, QUEUE, NoArgs())
    rows = [{"host": args.host, **row} for row in as_answered(line)["runs"]]
    if args.json:
        emit(rows)
    elif not rows:
        say(f"nobody waits on {args.host}")
    else:
        tell("\n".join([f"{'PLACE':>5} {'RUN':28} {'DEVICE':12} NAME (WHY)", *map(line_words, rows)]))
    return OK


def changed(session: Session, args: argparse.Namespace) -> WaitingLine:
    """The line after the change.

    Raises:
        CallError: `bad_request`, or what the host refuses.
    """
    if not args.waiting or (args.act in ("move", "after")) != (args.where is not None):
        raise CallError(
            "bad_request",
            f"queue {args.act} takes {'a run and a place' if args.act == 'move' else 'runs'}",
            "photinus queue move RUN PLACE, after RUN OTHER, hold RUN, release RUN",
        )
    run_id = find_view(session, args.waiting).run_id
    place = after = held = None
    if args.act == "move":
        place = count(args.where) if args.where.isdecimal() and 0 < int(args.where) < 1 << 20 else None
        if place is None:
            raise CallError("bad_request", f"{args.where!r} is no place in a line", "1 is the first")
    elif args.act == "after":
        after = find_view(session, args.where).run_id
    else:
        held = args.act == "hold"
    if args.act == "release":
        after = ""
    return change_line(session, run_id, place=place, held=held, after=after)


def line_words(row: Mapping[str, Any]) -> str:
    """A line for people."""
    why = f"  ({row['why']})" if row["why"] else ""
    return f"{row['place']:>5} {row['run_id']:28} {row['device']:12} {row['name'][:40]}{why}"


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {"queue": queue}


def add_to(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = add_command(commands, "queue", "list who waits for a device of a host, or change the order")
    parser.add_argument(
        "act", nargs="?", choices=ACTS, help="move RUN PLACE, hold RUN, release RUN, or after RUN OTHER"
    )
    parser.add_argument("waiting", nargs="?", metavar="RUN", help="the run that waits")
    parser.add_argument(
        "where", nargs="?", metavar="PLACE", help="its new place (1: the first), or the run that it waits for"
    )
