"""The command line of `photinus`: one parser, with help that a stranger can use."""

import argparse
from collections.abc import Callable, Collection, Sequence

from trainer.run.spec import STOP_SIGNALS
from tui.commands import inspect
from tui.commands.alerts import alert_commands
from tui.commands.arguments import (
    EPILOG,
    RUN_HELP,
    Commands,
    add_bare_command,
    add_command,
    count,
    deadline,
    pid,
    seconds,
)
from tui.commands.browser import serve
from tui.commands.exports import export
from tui.commands.hosts import subcommands
from tui.commands.logs import formats
from tui.commands.progress import progress
from tui.commands.runs import everyday, keep, line, ls_show, move, pull_push, start_options, top, trained
from tui.commands.runs.selection import add_filters, add_selection


def build_parser(words: Sequence[str] = ()) -> argparse.ArgumentParser:
    """The command line; `args.command` is empty for the cockpit.

    Args:
        words: what was typed, if known: where the first of them is a command, no other room's are made, since
            sixty parsers cost more time than most answers.
    """
    parser = argparse.ArgumentParser(
        prog="photinus",
        description="A terminal cockpit for training hosts.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="store_true", help="print the version and leave")
    parser.add_argument(
        "--read-only", action="store_true", help="only look: whatever would change a host is refused"
    )
    parser.add_argument(
        "--theme",
        choices=["light", "dark"],
        help="of the cockpit (default: as COLORFGBG says)",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    first = next((word for word in words if not word.startswith("-")), "")
    meant = [add_to for names, add_to in ROOMS if first in names]
    for add_to in meant or [add_to for _, add_to in ROOMS]:
        add_to(commands)
    return parser


def _add_cockpit(commands: "Commands[argparse.ArgumentParser]") -> None:
    demo = commands.add_parser("demo", help="open the cockpit on a live Kuramoto run")
    demo.add_argument("--preset", default="kssm-v3-tiny", help="what the demo trains (default: kssm-v3-tiny)")
    demo.add_argument(
        "--data",
        default="python-docs",
        help="what it reads (default: the running Python's own documentation)",
    )


def _add_looking(commands: "Commands[argparse.ArgumentParser]") -> None:
    ls = add_command(commands, "ls", "list the runs of every host, or of one")
    ls.set_defaults(host=None)
    ls.add_argument(
        "--timeout", type=seconds, default=10.0, metavar="S", help="how long to wait for a host (default: 10)"
    )
    ls.add_argument(
        "--last",
        type=count,
        default=20,
        metavar="N",
        help="how many of the runs that are over are listed, those that ended last (default: 20)",
    )
    ls.add_argument("--all", action="store_true", help="list every run that was ever started")
    add_filters(ls)
    ls.add_argument(
        "--sort",
        choices=sorted(ls_show.SORTS),
        help="in this order; else live ones, then those that ended last",
    )
    ls.add_argument("--archived", action="store_true", help="list the runs that are archived")
    ls.add_argument("--trash", action="store_true", help="list what lies in the trash of a host")
    show = add_command(commands, "show", "show one run: state, metrics, health, last checkpoint")
    show.add_argument("run", help=RUN_HELP)
    read = add_bare_command(commands, "read", "recognise a training log and print what it tells")
    read.add_argument(
        "path", help="a log, a file of metrics, or - for stdin; `photinus formats` lists what is known"
    )
    read.add_argument("-f", "--follow", action="store_true", help="go on with what comes")
    opened = add_bare_command(
        commands,
        "open",
        "open logs, metrics or output folders that anybody wrote, live or over, in the cockpit",
    )
    opened.add_argument(
        "path",
        nargs="+",
        metavar="PLACE",
        help="PATH, GLOB or FOLDER of this machine, or HOST:PATH; printed where stdout is no terminal",
    )


def _add_acting(commands: "Commands[argparse.ArgumentParser]") -> None:
    resume = add_command(commands, "resume", "go on from the newest valid checkpoint")
    resume.add_argument("run", help=RUN_HELP)
    resume.add_argument(
        "--from",
        dest="checkpoint",
        default="",
        metavar="STEP",
        help="a checkpoint of this run, such as step-00001000",
    )
    resume.add_argument(
        "--set",
        dest="overrides",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change the configuration from here on, such as steps=4000 or optim.lr=1e-3",
    )
    resume.add_argument("--data", help="where the same text lies now")
    resume.add_argument("--start-id", help="makes the resume repeatable")
    resume.add_argument("--queue", action="store_true", help="wait in the queue where the device is busy")
    resume.add_argument(
        "--wait", choices=["running", "terminal"], help="return only when the run has come so far"
    )
    resume.add_argument(
        "--timeout", type=seconds, default=60.0, metavar="S", help="how long --wait waits (default: 60)"
    )
    stop = add_command(commands, "stop", "stop a run with a checkpoint proven on disk")
    kill = add_command(commands, "kill", "kill exactly the processes of a run, without a checkpoint")
    for parser, patience in ((stop, 600.0), (kill, 60.0)):
        add_selection(parser)
        parser.add_argument("--no-wait", action="store_true", help="ask, and do not wait for the end")
        parser.add_argument(
            "--timeout",
            type=seconds,
            default=patience,
            metavar="S",
            help=f"how long to wait (default: {patience:.0f})",
        )
    stop.add_argument(
        "--again",
        action="store_true",
        help="send a command its stop signal once more: many finish first, and end on the second",
    )
    stop.add_argument(
        "--signal", choices=STOP_SIGNALS, help="send a command this signal instead of its own, now"
    )
    stop.add_argument(
        "--deadline", type=deadline, metavar="S", help="kill what has not stopped after this many seconds"
    )


def _add_streams(commands: "Commands[argparse.ArgumentParser]") -> None:
    tail = add_command(commands, "tail", "print a run's log, or any file of the host")
    events = add_command(commands, "events", "print a run's events, one JSON object a line")
    tail.add_argument("run", nargs="?", help=RUN_HELP)
    tail.add_argument(
        "--path", metavar="FILE", help="any file of the host instead, such as /var/log/train.log; read only"
    )
    tail.add_argument(
        "--pid", type=pid, metavar="PID", help="the output of a process of yours that `processes` lists"
    )
    events.add_argument("run", help=RUN_HELP)
    for parser in (tail, events):
        parser.add_argument("-f", "--follow", action="store_true", help="go on until the run is over")
    tail.add_argument("--attempt", type=count, metavar="N", help="what this attempt printed, all of it")
    tail.add_argument(
        "--since",
        metavar="TIME",
        help="what was printed in the last 30m, 8h, 2d, or since 2026-11-30T09:00",
    )
    tail.add_argument("--all", action="store_true", help="the whole log, from its first byte on")
    tail.add_argument(
        "-n", "--bytes", type=count, default=65536, help="how much of the end of the log (default: 65536)"
    )


ROOMS: tuple[tuple[Collection[str], Callable[["Commands[argparse.ArgumentParser]"], None]], ...] = (
    (("demo",), _add_cockpit),
    (serve.COMMANDS, serve.add_to),
    (("ls", "show", "read", "open"), _add_looking),
    (("start",), start_options.add_to),
    (("resume", "stop", "kill"), _add_acting),
    (("tail", "events"), _add_streams),
    *(
        (room.COMMANDS, room.add_to)
        for room in (
            formats,
            export,
            subcommands,
            inspect,
            pull_push,
            keep,
            move,
            everyday,
            top,
            line,
            alert_commands,
            progress,
            trained,
        )
    ),
)
"""The commands of each room, and what adds them to the command line, in the order of the help."""
