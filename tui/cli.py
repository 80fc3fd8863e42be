"""`photinus`: the cockpit, and every key of it as a command. Only the cockpit imports Textual."""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Sequence

from remote.permission import READ_ONLY_VARIABLE
from remote.version import version
from trainer.run.home import state_root
from tui.commands import (
    acting,
    cockpit,
    formats,
    hosting,
    inspecting,
    looking,
    reading,
    starting,
    streams,
    transferring,
)
from tui.commands.output import USAGE, explain, say
from tui.commands.parser import build_parser
from tui.commands.target import settle_target

COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "demo": cockpit.demo,
    "ls": looking.list_runs,
    "show": looking.show,
    "start": starting.start,
    "resume": acting.resume,
    "stop": acting.stop,
    "kill": acting.kill,
    "tail": streams.tail,
    "events": streams.events,
    "read": reading.read,
    **formats.COMMANDS,
    **hosting.COMMANDS,
    **inspecting.COMMANDS,
    **transferring.COMMANDS,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code (`docs/commands.md` lists them)."""
    try:
        args = build_parser().parse_args(argv)
    except SystemExit as leaving:  # argparse has said why already
        return leaving.code if isinstance(leaving.code, int) else USAGE
    if args.version:
        sys.stdout.write(f"photinus {version()}\n")
        return 0
    try:
        state_root()  # a root that cannot be used is told at once, by whichever command
        if args.read_only:
            os.environ[READ_ONLY_VARIABLE] = "1"
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
