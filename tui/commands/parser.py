"""The command line of `photinus`: one parser, with help that a stranger can use."""

import argparse

from trainer.run.spec import STOP_SIGNALS
from tui.commands import inspect
from tui.commands.alerts import alert_commands
from tui.commands.arguments import (
    EPILOG,
    RUN_HELP,
    Commands,
    add_bare_command,
    add_command,
    age,
    count,
    deadline,
    pid,
    seconds,
)
from tui.commands.exports import export
from tui.commands.hosts import subcommands
from tui.commands.logs import formats
from tui.commands.runs import everyday, keep, line, ls_show, pull_push, top
from tui.commands.runs.selection import add_filters, add_selection

NO_LIMITS = (
    "No limit of memory or processes is set: where there is systemd, begin a command with systemd-run, as "
    "docs/runs.md shows."
)


def build_parser() -> argparse.ArgumentParser:
    """The whole command line; `args.command` is empty for the cockpit."""
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
    _add_cockpit(commands)
    _add_looking(commands)
    _add_start(commands)
    _add_acting(commands)
    _add_streams(commands)
    for room in (formats, export, subcommands, inspect, pull_push, keep, everyday, top, line, alert_commands):
        room.add_to(commands)
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


def _add_start(commands: "Commands[argparse.ArgumentParser]") -> None:
    start = add_command(commands, "start", "start a run: one of our presets, or any command")
    what = start.add_argument_group("what to run")
    what.add_argument("--preset", help="a preset of configs/presets, such as kssm-v3-tiny")
    what.add_argument("--data", help="python-docs, recall, corpus:NAME, or a path to text, on the host")
    what.add_argument(
        "--set",
        dest="overrides",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="override a configuration key, such as steps=500 or optim.lr=2e-3",
    )
    what.add_argument(
        "--from",
        dest="parent",
        metavar="RUN/STEP",
        help="begin from a checkpoint on the host, such as demo-abcdef/step-00001000; `push` brings one",
    )
    what.add_argument(
        "--command",
        dest="as_command",
        action="store_true",
        help="run the command after -- instead of our trainer",
    )
    what.add_argument("argv", nargs="*", metavar="ARG", help="with --command: -- PROGRAM ARG ...")
    how = start.add_argument_group("how", NO_LIMITS)
    how.add_argument("--name", help="a name for people (default: the preset, or the program)")
    how.add_argument("--device", help="cpu, mps, cuda-0 ... (default: what the configuration says)")
    how.add_argument("--shared", action="store_true", help="take no device lock: share the device knowingly")
    how.add_argument("--cwd", help="working directory on the host (default: here; elsewhere your home there)")
    how.add_argument(
        "--env", action="append", default=[], metavar="K=V", help="added to the run's environment"
    )
    how.add_argument("--env-file", metavar="FILE", help="lines of K=V, for secrets that should not be typed")
    how.add_argument(
        "--resume-command", metavar="TEXT", help="what `resume` runs for a command, as one shell-quoted text"
    )
    how.add_argument(
        "--on-end",
        metavar="TEXT",
        help="called on the host when the run is over, as one shell-quoted text ($PHOTINUS_ENDED_STATE: how)",
    )
    how.add_argument(
        "--stop-signal",
        default="SIGTERM",
        choices=STOP_SIGNALS,
        help="what `stop` sends to a command (default: SIGTERM)",
    )
    how.add_argument(
        "--restart",
        default="never",
        choices=["never", "on-failure", "always"],
        help="what the supervisor does when the run fails (default: never)",
    )
    how.add_argument(
        "--max-restarts",
        type=count,
        default=3,
        metavar="N",
        help="failures that --restart bears; one is forgotten for each hour that went well (default: 3)",
    )
    how.add_argument(
        "--restart-backoff",
        type=seconds,
        default=5.0,
        metavar="S",
        help="wait before the first restart, doubled with each failure (default: 5)",
    )
    how.add_argument(
        "--on-stall",
        type=stall_seconds,
        metavar="S",
        help="with --restart: seconds without a sign of life after which a run is ended and resumed; off for "
        "never. Left out: a command's never, of our trainer after ten usual steps and 10 minutes at least",
    )
    how.add_argument(
        "--limit", type=age, default=0.0, metavar="TIME", help="stop an attempt after so long: 30m, 8h, 2d"
    )
    how.add_argument("--start-id", help="makes the start repeatable: the same id never starts a second run")
    how.add_argument(
        "--after", metavar="RUN", help="wait in the queue until that run of the host has succeeded"
    )
    how.add_argument("--hold", action="store_true", help="wait in the queue until `photinus queue release`")
    how.add_argument("--queue", action="store_true", help="wait in the queue where the device is busy")
    how.add_argument(
        "--wait", choices=["running", "terminal"], help="return only when the run has come so far"
    )
    how.add_argument(
        "--timeout", type=seconds, default=60.0, metavar="S", help="how long --wait waits (default: 60)"
    )


def stall_seconds(text: str) -> float:
    """`off`, or seconds."""
    return 0.0 if text == "off" else seconds(text)


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
