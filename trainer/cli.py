"""`photinus-train`: train on this host, with or without a supervisor. It speaks before it imports torch."""

import argparse
import io
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from trainer.assigning import refuse_to_overwrite, standalone, supervised
from trainer.attempt import carry_out
from trainer.checkpoints.origin import NEWEST
from trainer.config.errors import ConfigError
from trainer.config.keys import flatten, keys
from trainer.config.presets import list_presets
from trainer.config.resolve import resolve
from trainer.endings import BusyError, ExitCode, RefusedError
from trainer.job import Assignment
from trainer.run.atomic import read_json
from trainer.run.errors import SpecError
from trainer.run.layout import RunDir
from trainer.run.locks import Flock
from trainer.run.records import ExitRecord, write_exit
from trainer.stop import Stop


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code: 0 ok, 1 failure, 2 usage, 3 refused, 4 busy."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")
    arguments = make_parser().parse_args(argv)
    try:
        code: ExitCode = arguments.command(arguments)
    except (ConfigError, SpecError) as error:
        return fail(error, ExitCode.USAGE)
    except BusyError as error:
        return fail(error, ExitCode.BUSY)
    except OSError as error:
        return fail(error, ExitCode.FAILURE)
    except RefusedError as error:
        return fail(error, ExitCode.REFUSED)
    return code


def fail(error: Exception, code: ExitCode) -> ExitCode:
    """Say on stderr what is wrong; return the code."""
    print(f"photinus-train: {error}", file=sys.stderr, flush=True)
    return code


def make_parser() -> argparse.ArgumentParser:
    """Return the command line."""
    parser = argparse.ArgumentParser(prog="photinus-train", description="Train a Kuramoto state-space model.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="train, here and now")
    run.set_defaults(command=run_command)
    configuration(run)
    run.add_argument(
        "--out", type=Path, metavar="DIR", help="folder of the run: events, checkpoints, last word"
    )
    run.add_argument(
        "--spec", type=Path, metavar="RUN_DIR", help="what a supervisor asks for: the run in this folder"
    )
    how = run.add_mutually_exclusive_group()
    how.add_argument(
        "--resume", action="store_true", help="continue from the newest valid checkpoint in --out"
    )
    how.add_argument("--fresh", action="store_true", help="begin anew although --out holds checkpoints")
    how.add_argument(
        "--from", dest="source", default="", metavar="CKPT", help="continue from this checkpoint"
    )
    presets = commands.add_parser("presets", help="list the presets")
    presets.set_defaults(command=presets_command)
    config = commands.add_parser(
        "config", help="print the resolved configuration, with the origin of every value"
    )
    config.set_defaults(command=config_command)
    configuration(config)
    return parser


def configuration(parser: argparse.ArgumentParser) -> None:
    """Add what a configuration is made from."""
    parser.add_argument("--preset", metavar="NAME", help="a preset (see `photinus-train presets`)")
    parser.add_argument(
        "--config", type=Path, action="append", default=[], metavar="FILE", help="a YAML file of keys"
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="such as optim.lr=0.003"
    )
    parser.add_argument("--data", metavar="PATH", help="a text file, a folder, python-docs or recall")


def run_command(arguments: argparse.Namespace) -> ExitCode:
    """Train. The first line is out before anything heavy is imported."""
    stop = Stop()
    stop.install()
    if (arguments.spec is None) == (arguments.out is None):
        raise ConfigError("say where: --out DIR, or --spec RUN_DIR under a supervisor")
    return run_supervised(arguments, stop) if arguments.spec else run_standalone(arguments, stop)


def run_supervised(arguments: argparse.Namespace, stop: Stop) -> ExitCode:
    """Carry out what a supervisor's spec asks for; the trainer's lock came with us."""
    if arguments.preset or arguments.config or arguments.data or arguments.resume or arguments.fresh:
        raise ConfigError("--spec says it all; only --from and --set go with it")
    try:
        assignment = supervised(arguments.spec, arguments.source, arguments.set)
    except (ConfigError, SpecError) as error:
        leave_refusal(RunDir(arguments.spec), str(error))
        raise
    if "PHOTINUS_TRAINER_LOCK_FD" in os.environ:
        return begin(assignment, stop)
    return begin_locked(assignment, stop)


def leave_refusal(run: RunDir, reason: str) -> None:
    """Tell a supervisor why this attempt never began."""
    if run.path.is_dir() and "PHOTINUS_RUN_TOKEN" in os.environ:
        attempt, token = int(os.environ.get("PHOTINUS_ATTEMPT", "0")), os.environ["PHOTINUS_RUN_TOKEN"]
        record = ExitRecord(attempt=attempt, token=token, outcome="failed", reason=reason, at=time.time())
        write_exit(run, record)


def run_standalone(arguments: argparse.Namespace, stop: Stop) -> ExitCode:
    """Carry out what the command line asks for, in a folder of its own."""
    source = arguments.source or (NEWEST if arguments.resume else "")
    assignment = standalone(
        arguments.out,
        preset=arguments.preset,
        data=arguments.data,
        files=arguments.config,
        overrides=arguments.set,
        source=source,
    )
    if not source and not arguments.fresh:
        refuse_to_overwrite(assignment.run)
    return begin_locked(assignment, stop)


def begin_locked(assignment: Assignment, stop: Stop) -> ExitCode:
    """Take the trainer's lock, then begin; exit code 4 if another process trains in this folder."""
    run = assignment.run
    run.create()
    with Flock(run.trainer_lock) as lock:
        if not lock.take():
            raise BusyError(
                f"{run.path} is being trained by {holder(run)}; stop that one first, or choose another --out"
            )
        return begin(assignment, stop)


def holder(run: RunDir) -> str:
    """Say who trains in a folder, as far as its hello tells."""
    raw = read_json(run.hello)
    return f"process {raw['pid']}" if isinstance(raw, dict) and "pid" in raw else "another process"


def begin(assignment: Assignment, stop: Stop) -> ExitCode:
    """Say the first line, then carry out the assignment."""
    config = assignment.config
    preset = f"preset {assignment.resolved.preset}" if assignment.resolved.preset else "no preset"
    print(
        f"photinus-train: {assignment.name}, attempt {assignment.attempt}, {preset}: "
        f"{config.model.kind} on {config.data.source}, {config.steps:,} steps, device {assignment.device}, "
        f"pid {os.getpid()}",
        flush=True,
    )
    return carry_out(assignment, stop)


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
