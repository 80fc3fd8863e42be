"""`photinus-train`: train on this host, with or without a supervisor. It speaks before it imports torch."""

import argparse
import io
import signal
import sys
from collections.abc import Sequence

from trainer.commands import (
    causality,
    chat,
    corpus,
    evaluate,
    export,
    plan,
    reproduce,
    run,
    sample,
    selftest,
)
from trainer.commands.kept import checkpoints, feed, import_pt
from trainer.commands.run import configuration
from trainer.config.keys import flatten, keys
from trainer.config.presets import list_presets
from trainer.config.resolve import resolve
from trainer.job.environment import prepare_environment
from trainer.job.outcome import ExitCode
from trainer.run.disk.ownership import check_root
from trainer.run.home import state_root
from trainer.user_error import UserError


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code: 0 ok, 1 failure, 2 usage, 3 refused, 4 busy."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")
    prepare_environment()
    words = list(sys.argv[1:] if argv is None else argv)
    arguments = make_parser().parse_args(words)
    arguments.words = words
    try:
        check_root(state_root())
        code: ExitCode = arguments.command(arguments)
    except UserError as error:
        return fail(error, error.exit_code)
    except KeyboardInterrupt:
        print("\nphotinus-train: interrupted", file=sys.stderr, flush=True)
        return 128 + signal.SIGINT
    except OSError as error:
        return fail(error, ExitCode.FAILURE)
    return code


def fail(error: Exception, code: int) -> int:
    """Say on stderr what is wrong; return the code."""
    print(f"photinus-train: {error}", file=sys.stderr, flush=True)
    return code


def make_parser() -> argparse.ArgumentParser:
    """Return the command line."""
    parser = argparse.ArgumentParser(prog="photinus-train", description="Train a Kuramoto state-space model.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run.add_to(commands)
    presets = commands.add_parser("presets", help="list the presets")
    presets.set_defaults(command=presets_command)
    config = commands.add_parser(
        "config", help="print the resolved configuration, with the origin of every value"
    )
    config.set_defaults(command=config_command)
    configuration(config)
    for command in (
        checkpoints,
        feed,
        corpus,
        causality,
        evaluate,
        sample,
        chat,
        export,
        import_pt,
        plan,
        reproduce,
        selftest,
    ):
        command.add_to(commands)
    return parser


def presets_command(_: argparse.Namespace) -> ExitCode:
    """List the presets."""
    for preset in list_presets():
        print(f"{preset.name:24} {preset.description}")
    return ExitCode.OK


def config_command(arguments: argparse.Namespace) -> ExitCode:
    """Print every key, its value and where that came from."""
    resolved = resolve(arguments.preset, files=arguments.config, overrides=arguments.set, data=arguments.data)
    flat = flatten(resolved.values())
    for key in keys():
        print(f"{key:22} = {flat[key]!r:24} # {resolved.origins[key]}")
    return ExitCode.OK
