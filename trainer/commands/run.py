"""`photinus-train run`: train, here and now, alone or for a supervisor."""

import argparse
import os
import time
from collections.abc import Sequence
from pathlib import Path

from trainer.checkpoints.origin import NEWEST, demand_origin
from trainer.config.config_error import ConfigError
from trainer.job.assignment import of_rank, refuse_to_overwrite, standalone, supervised
from trainer.job.job import Assignment
from trainer.job.outcome import BusyError, ExitCode
from trainer.job.rank import ALONE, rank_from
from trainer.job.stop import Stop
from trainer.job.torchrun_launch import launch
from trainer.loop.attempt import carry_out
from trainer.loop.worker import carry_along
from trainer.mirror.mirror_fetch import fetch_newest
from trainer.mirror.mirror_places import place_at
from trainer.run.disk.atomic import NO_SPACE, read_json
from trainer.run.layout import RunDir
from trainer.run.locks import Flock
from trainer.run.records import ExitRecord, write_exit
from trainer.run.run_errors import SpecError

Commands = argparse._SubParsersAction


def add_to(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add the command."""
    run = commands.add_parser("run", help="train, here and now")
    run.set_defaults(command=run_here)
    configuration(run)
    run.add_argument(
        "--out", type=Path, metavar="DIR", help="folder of the run: events, checkpoints, last word"
    )
    run.add_argument(
        "--spec", type=Path, metavar="RUN_DIR", help="what a supervisor asks for: the run in this folder"
    )
    run.add_argument("--ranked", action="store_true", help=argparse.SUPPRESS)  # one process of several
    how = run.add_mutually_exclusive_group()
    how.add_argument(
        "--resume", action="store_true", help="continue from the newest valid checkpoint in --out"
    )
    how.add_argument("--fresh", action="store_true", help="begin anew although --out holds checkpoints")
    how.add_argument(
        "--init-from",
        default="",
        metavar="CKPT",
        help="begin a new lineage with these weights; optimizer, rate and schedule are its own",
    )
    how.add_argument(
        "--from",
        dest="source",
        default="",
        metavar="CKPT",
        help="continue from this checkpoint; latest, or best",
    )
    how.add_argument(
        "--from-mirror",
        default="",
        metavar="PLACE",
        help="fetch the newest checkpoint of that folder of a mirror, then --resume",
    )


def configuration(parser: argparse.ArgumentParser) -> None:
    """Add what a configuration is made from."""
    parser.add_argument("--preset", metavar="NAME", help="a preset (see `photinus-train presets`)")
    parser.add_argument(
        "--config", type=Path, action="append", default=[], metavar="FILE", help="a YAML file of keys"
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="such as optim.lr=0.003"
    )
    parser.add_argument(
        "--data", metavar="PATH", help="a text file, a folder, corpus:NAME, python-docs or recall"
    )


def run_here(arguments: argparse.Namespace) -> ExitCode:
    """Train. The first line is out before anything heavy is imported."""
    stop = Stop()
    try:
        rank = rank_from() if arguments.ranked else ALONE
    except ValueError as error:
        raise ConfigError(str(error)) from error
    if rank.leads:
        stop.install()  # the others end with it
    if (arguments.spec is None) == (arguments.out is None):
        raise ConfigError("say where: --out DIR, or --spec RUN_DIR under a supervisor")
    assignment = assign_supervised(arguments) if arguments.spec else assign_standalone(arguments)
    if arguments.ranked:
        return begin_ranked(of_rank(assignment, rank), stop)
    if "PHOTINUS_TRAINER_LOCK_FD" in os.environ and arguments.spec:
        return begin(assignment, arguments.words, stop)  # the trainer's lock came with us
    return begin_locked(assignment, arguments.words, stop)


def assign_supervised(arguments: argparse.Namespace) -> Assignment:
    """Return what a supervisor's spec asks for."""
    words = (arguments.preset, arguments.config, arguments.data, arguments.init_from)
    if any(words) or arguments.resume or arguments.fresh or arguments.from_mirror:
        raise ConfigError("--spec says it all; only --from and --set go with it")
    try:
        return supervised(arguments.spec, arguments.source, arguments.set)
    except (ConfigError, SpecError) as error:
        leave_refusal(RunDir(arguments.spec), str(error))
        raise


def leave_refusal(run: RunDir, reason: str) -> None:
    """Tell a supervisor why this attempt never began."""
    if run.path.is_dir() and "PHOTINUS_RUN_TOKEN" in os.environ:
        attempt, token = int(os.environ.get("PHOTINUS_ATTEMPT", "0")), os.environ["PHOTINUS_RUN_TOKEN"]
        record = ExitRecord(attempt=attempt, token=token, outcome="failed", reason=reason, at=time.time())
        write_exit(run, record)


def assign_standalone(arguments: argparse.Namespace) -> Assignment:
    """Return what the command line asks for, in a folder of its own."""
    source = arguments.source or (NEWEST if arguments.resume else "")
    if arguments.from_mirror and arguments.ranked:
        source = NEWEST  # their launcher has fetched it
    elif arguments.from_mirror:
        demand_folder(arguments.out.absolute())
        source = str(fetched(arguments.from_mirror, RunDir(arguments.out.absolute())))
    begin_with = (
        [f"init_from={Path(arguments.init_from).expanduser().absolute()}"] if arguments.init_from else []
    )
    demand_folder(arguments.out.absolute())
    if (arguments.out / "feed" / "ledger.jsonl").exists():
        raise ConfigError(
            f"--out {arguments.out} is a run that is fed; go on with "
            "`photinus-train feed run --resume --out DIR`"
        )
    assignment = standalone(
        arguments.out,
        preset=arguments.preset,
        data=arguments.data,
        files=arguments.config,
        overrides=[*begin_with, *arguments.set],
        source=source,
    )
    if not (source or arguments.fresh or arguments.ranked):
        refuse_to_overwrite(assignment.run)
    if source:
        demand_origin(assignment.run, source)
    return assignment


def fetched(place: str, run: RunDir) -> Path:
    """Return the newest checkpoint of a mirror, once it is here. Nobody else may train here meanwhile.

    Raises:
        MirrorError: there is none, or the place cannot be reached.
        BusyError: another process trains in this folder.
    """
    make_folder(run)
    with Flock(run.trainer_lock) as lock:
        if not lock.take():
            raise BusyError(f"{run.path} is being trained by {holder(run)}; stop that one first")
        return fetch_newest(place_at(place), run, lambda text: print(f"photinus-train: {text}", flush=True))


def demand_folder(out: Path) -> None:
    """Refuse what cannot become the folder of a run.

    Raises:
        ConfigError: naming what is in the way.
    """
    try:
        there = next(path for path in (out, *out.parents) if path.exists())
        is_folder = there.is_dir()
    except OSError as error:
        raise ConfigError(f"--out {out}: {error.strerror}; name a folder that you can write to") from error
    if not is_folder:
        raise ConfigError(
            f"--out {out}: {there} is a file; name a folder that is not there yet, or that of an earlier run"
        )


def make_folder(run: RunDir) -> None:
    """Make the folder of a run.

    Raises:
        ConfigError: it cannot be made there.
        OSError: the disk is full.
    """
    try:
        run.create()
    except OSError as error:
        if error.errno in NO_SPACE:
            raise
        raise ConfigError(
            f"--out {run.path}: {error.strerror}; name a folder that you can write to"
        ) from error


def begin_locked(assignment: Assignment, words: Sequence[str], stop: Stop) -> ExitCode:
    """Take the trainer's lock, then begin; exit code 4 if another process trains in this folder."""
    run = assignment.run
    make_folder(run)
    with Flock(run.trainer_lock) as lock:
        if not lock.take():
            raise BusyError(
                f"{run.path} is being trained by {holder(run)}; stop that one first, or choose another --out"
            )
        return begin(assignment, words, stop)


def holder(run: RunDir) -> str:
    """Say who trains in a folder, as far as its hello tells."""
    raw = read_json(run.hello)
    return f"process {raw['pid']}" if isinstance(raw, dict) and "pid" in raw else "another process"


def begin(assignment: Assignment, words: Sequence[str], stop: Stop) -> ExitCode:
    """Say the first line, then carry out the assignment: here, or in as many processes as it asks for."""
    config = assignment.config
    workers = f"{config.processes} processes on " if config.processes > 1 else ""
    preset = f"preset {assignment.resolved.preset}" if assignment.resolved.preset else "no preset"
    print(
        f"photinus-train: {assignment.name}, attempt {assignment.attempt}, {preset}: "
        f"{config.model.kind} on {config.data.source}, {config.steps:,} steps, "
        f"{workers}device {assignment.device}, pid {os.getpid()}",
        flush=True,
    )
    if config.processes > 1:
        return launch(assignment, [*words, "--ranked"], stop)
    return carry_out(assignment, stop)


def begin_ranked(assignment: Assignment, stop: Stop) -> ExitCode:
    """Carry out the assignment as one of several processes; their launcher has spoken, and holds the lock."""
    if assignment.rank.size != assignment.config.processes:
        raise ConfigError(
            f"{assignment.rank.size} processes were started for a run of {assignment.config.processes}; "
            "leave --ranked out"
        )
    return carry_out(assignment, stop) if assignment.rank.leads else carry_along(assignment)
