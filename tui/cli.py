"""`photinus`: the cockpit, and every key of it as a command. Only the cockpit imports Textual."""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Sequence

from remote.protocol.permission import READ_ONLY_VARIABLE
from remote.protocol.version import version
from trainer.run.disk.ownership import check_root
from trainer.run.home import state_root
from tui.commands import cockpit, inspect
from tui.commands.alerts import alert_commands
from tui.commands.browser import serve
from tui.commands.exports import export
from tui.commands.hosts import subcommands
from tui.commands.logs import formats
from tui.commands.logs import open as opening
from tui.commands.logs import read as reading
from tui.commands.output import USAGE, explain, say
from tui.commands.parser import build_parser
from tui.commands.progress import progress
from tui.commands.runs import (
    everyday,
    keep,
    line,
    ls_show,
    move,
    pull_push,
    stop_resume_kill,
    tail_events,
    top,
    trained,
)
from tui.commands.runs import start as starting
from tui.commands.target import settle_target

COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "demo": cockpit.demo,
    "ls": ls_show.list_runs,
    "show": ls_show.show,
    "start": starting.start,
    "resume": stop_resume_kill.resume,
    "stop": stop_resume_kill.stop,
    "kill": stop_resume_kill.kill,
    "tail": tail_events.tail,
    "events": tail_events.events,
    "read": reading.read,
    "open": opening.open_files,
    **serve.COMMANDS,
    **alert_commands.COMMANDS,
    **subcommands.COMMANDS,
    **formats.COMMANDS,
    **export.COMMANDS,
    **inspect.COMMANDS,
    **pull_push.COMMANDS,
    **keep.COMMANDS,
    **everyday.COMMANDS,
    **move.COMMANDS,
    **line.COMMANDS,
    **top.COMMANDS,
    **progress.COMMANDS,
    **trained.COMMANDS,
}

THEME_VARIABLE = "PHOTINUS_THEME"  # what `tui.theme` reads; that would load Textual for every command


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code (`docs/commands.md` lists them)."""
    try:
        words = sys.argv[1:] if argv is None else argv
        args = build_parser(words).parse_args(words)
    except SystemExit as leaving:  # argparse has said why already
        return leaving.code if isinstance(leaving.code, int) else USAGE
    if args.version:
        sys.stdout.write(f"photinus {version()}\n")
        return 0
    try:
        root = state_root()  # one that cannot be used is told at once, by whichever command
        if args.command != "doctor":  # the doctor tells it in full
            check_root(root)
        if args.read_only:
            os.environ[READ_ONLY_VARIABLE] = "1"
        if args.theme:
            os.environ[THEME_VARIABLE] = args.theme
        settle_target(args)
        return COMMANDS[args.command](args) if args.command else cockpit.open_cockpit(args)
    except KeyboardInterrupt:
        say("interrupted; runs go on")
        return 128 + signal.SIGINT
    except BrokenPipeError:
        # The reader of our stdout left: point it elsewhere, so that the interpreter's last flush is quiet.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        code = explain(error)
        if code is None:
            raise
        return code


if __name__ == "__main__":
    sys.exit(main())
