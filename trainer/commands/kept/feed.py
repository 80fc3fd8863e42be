"""`photinus-train feed`: train files that are dropped into an inbox, one after the other, and govern that."""

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

from trainer.checkpoints.origin import NEWEST
from trainer.commands.kept.run_folder import run_folder
from trainer.commands.run import configuration, demand_folder, holder, make_folder
from trainer.config.config_error import ConfigError
from trainer.feed.daily_snapshot import snapshot_time
from trainer.feed.feed_folder import PRIORITIES, FeedFolder, drop
from trainer.feed.feed_ledger import FeedState, QueuedShard, read_ledger
from trainer.feed.feed_requests import ABOUT_A_SHARD, ask_feed, feed_answer
from trainer.job.assignment import refuse_to_overwrite, standalone
from trainer.job.job import Assignment, Job
from trainer.job.outcome import BusyError, ExitCode, RefusedError
from trainer.job.stop import Stop
from trainer.loop.attempt import Work, carry_out
from trainer.run.layout import RunDir
from trainer.run.locks import Flock

Commands = argparse._SubParsersAction
FEED = "feed"
FOREVER = 10**9
ANSWER_S = 30.0
SCHEDULES = ("constant", "wsd")
MOST = 1 << 40
DOES = {
    "pause": "hold after the step in hand, with a checkpoint",
    "resume": "go on",
    "stop": "end after the step in hand, with a checkpoint; also while paused",
    "snapshot": "save now, prove it by loading it, and pin it",
    "skip": "leave a shard, or what is left of it",
    "retry": "let a shard that failed or was skipped wait again",
    "move": "give a waiting shard another place in the queue",
}


def add_to(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add the command."""
    feed = commands.add_parser(FEED, help="train files as they are dropped into an inbox")
    verbs = feed.add_subparsers(required=True, metavar="VERB")
    _add_run(verbs.add_parser("run", help="train what comes, until it is stopped"))
    add = verbs.add_parser("add", help="put files into the inbox")
    add.set_defaults(command=add_files)
    add.add_argument("run", metavar="RUN", help="a run's id or folder")
    add.add_argument("files", metavar="FILE", type=Path, nargs="+", help=".txt .md .jsonl .gz .zip")
    add.add_argument("--priority", choices=PRIORITIES, default="normal", help="which come first")
    listing = verbs.add_parser("list", help="every shard: state, steps, examples, losses")
    listing.set_defaults(command=list_shards)
    listing.add_argument("run", metavar="RUN", help="a run's id or folder")
    listing.add_argument("--json", action="store_true", help="one object")
    listing.add_argument(
        "--most", type=int, default=MOST, metavar="N", help="so many shards, and as many files that are none"
    )
    for verb, what in DOES.items():
        parser = verbs.add_parser(verb, help=what)
        parser.set_defaults(command=ask, verb=verb)
        parser.add_argument("run", metavar="RUN", help="a run's id or folder")
        if verb in ABOUT_A_SHARD:
            parser.add_argument("shard", metavar="SHARD", help="its id, or the number it begins with")
        if verb == "move":
            parser.add_argument("place", type=int, metavar="N", help="1: it comes next")


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=run_feed)
    configuration(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the run")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--resume", action="store_true", help="go on from the newest valid checkpoint in --out")
    how.add_argument("--fresh", action="store_true", help="begin anew although --out holds checkpoints")
    how.add_argument("--init-from", default="", metavar="CKPT", help="begin with these weights")
    parser.add_argument("--once", action="store_true", help="end when nothing waits any more")
    parser.add_argument(
        "--replay", type=float, default=0.0, metavar="SHARE",
        help="mix in examples of earlier shards, as a share of a shard's own",
    )  # fmt: skip
    parser.add_argument(
        "--snapshot-at", default="03:00", metavar="HH:MM",
        help="local time of the daily snapshot (03:00), or off",
    )  # fmt: skip
    parser.add_argument(
        "--keep-snapshots", type=int, default=7, metavar="N", help="snapshots that stay pinned (7)"
    )


def run_feed(arguments: argparse.Namespace) -> ExitCode:
    """Train what comes."""
    stop = Stop()
    stop.install()
    if arguments.replay < 0 or arguments.keep_snapshots < 1:
        raise ConfigError("--replay is 0 or more, --keep-snapshots 1 or more")
    snapshot_at = snapshot_time(arguments.snapshot_at)
    assignment = _assign(arguments)
    run = assignment.run
    make_folder(run)

    def story() -> Work:
        from trainer.feed.feeding import FeedWish, feed

        wish = FeedWish(arguments.once, arguments.replay, snapshot_at, arguments.keep_snapshots)

        def work(job: Job) -> None:
            feed(job, wish)

        return work

    with Flock(run.trainer_lock) as lock:
        if not lock.take():
            raise BusyError(f"{run.path} is being trained by {holder(run)}; stop that one first")
        if arguments.fresh:
            _set_feed_aside(run)
        folder = FeedFolder(run.path / FEED).create()
        print(
            f"photinus-train: feed {assignment.name}, attempt {assignment.attempt}: "
            f"{assignment.config.model.kind}, inbox {folder.inbox}, pid {os.getpid()}",
            flush=True,
        )
        return carry_out(assignment, stop, story)


def _assign(arguments: argparse.Namespace) -> Assignment:
    """Return what is asked for, as a run without an end, whose rate no single shard may bend."""
    begin = [f"init_from={Path(arguments.init_from).expanduser().absolute()}"] if arguments.init_from else []
    demand_folder(arguments.out.absolute())
    schedule = (
        [] if any(one.startswith("optim.schedule=") for one in arguments.set) else ["optim.schedule=constant"]
    )
    fixed = [] if arguments.resume and not arguments.preset else schedule
    assignment = standalone(
        arguments.out,
        preset=arguments.preset,
        data=arguments.data,
        files=arguments.config,
        overrides=[*begin, *fixed, *arguments.set, f"steps={FOREVER}", "guard.rollbacks=0"],
        source=NEWEST if arguments.resume else "",
    )
    config = assignment.config
    if not (arguments.resume or arguments.fresh):
        refuse_to_overwrite(assignment.run)
    if config.optim.schedule not in SCHEDULES:
        raise ConfigError(
            f"optim.schedule={config.optim.schedule} ends at a step, a feed does not; "
            "--set optim.schedule=constant, or wsd with optim.horizon"
        )
    if config.optim.schedule == "wsd" and not config.optim.horizon:
        raise ConfigError("wsd falls at the end of its horizon: --set optim.horizon=STEPS, over all shards")
    if config.processes > 1:
        raise ConfigError("a feed trains in one process; --set parallel.processes=1, and one device")
    return assignment


def _set_feed_aside(run: RunDir) -> None:
    """Move the ledger and the shards of an earlier feed to the run's trash; what waits in the inbox stays."""
    folder = FeedFolder(run.path / FEED)
    if not folder.ledger.exists():
        return
    trash = run.path / "trash" / f"feed-{time.time_ns():x}"
    trash.mkdir(mode=0o700, parents=True)
    for path in (folder.ledger, folder.shards, folder.sources, folder.refused, folder.claimed):
        if path.exists():
            path.rename(trash / path.name)
    print(f"photinus-train: --fresh: the ledger and {len(list(trash.glob('shards/*')))} shards of the "
          f"earlier feed were moved to {trash}", flush=True)  # fmt: skip


def add_files(arguments: argparse.Namespace) -> ExitCode:
    """Put files into the inbox of a run, whether or not it is being fed."""
    folder = _folder(arguments.run)
    for path in arguments.files:
        if not path.is_file():
            raise ConfigError(f"{path}: not a file; give files, one or several")
    for path in arguments.files:
        print(drop(folder, path, arguments.priority))
    return ExitCode.OK


def list_shards(arguments: argparse.Namespace) -> ExitCode:
    """Print what the ledger says of every shard."""
    folder = _folder(arguments.run)
    state = read_ledger(folder.ledger)
    waiting = sum(1 for priority in PRIORITIES for path in folder.drop(priority).glob("*") if path.is_file())
    most = max(arguments.most, 0)
    if arguments.json:
        print(json.dumps(_report(state, waiting, most)))
        return ExitCode.OK
    print(f"{'shard':14} {'state':9} {'examples':>8} {'steps':>15} {'loss':>17} {'held-out CE':>17}  name")
    for key in state.shown(most):
        print(_row(key, state.shards[key]))
    for one in state.last_refused(most):
        print(f"{'-':14} {'refused':9} {_shown(one.name)}: {_shown(one.reason)}")
    if state.paused:
        print(state.paused)
    print(f"{len(state.waiting)} shards wait, {waiting} files lie in the inbox")
    return ExitCode.OK


def _row(key: str, shard: QueuedShard) -> str:
    begun, ended = shard.begun, shard.ended
    end = ended.end if ended and ended.end else begun.end if begun else 0
    steps = f"{begun.start}..{end}" if begun else "-"
    loss = f"{_number(ended.loss_first)} {_number(ended.loss_last)}" if ended else "-"
    ce = f"{_number(ended.val_before)} {_number(ended.val_after)}" if ended else "-"
    flag = (
        "  REGRESSION"
        if ended and ended.regression
        else f"  {ended.reason}"
        if ended and ended.reason
        else ""
    )
    shown = _shown(shard.admitted.name)
    many = shard.admitted.examples
    return f"{key:14} {shard.state:9} {many:>8} {steps:>15} {loss:>17} {ce:>17}  {shown}{flag}"


def _shown(text: str) -> str:
    return text.encode("unicode_escape").decode()[:80]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _report(state: FeedState, files: int, most: int) -> dict[str, Any]:
    shown, refused = state.shown(most), state.last_refused(most)
    return {
        "paused": state.paused,
        "waiting": state.waiting,
        "inbox": files,
        "snapshot": state.snapshot,
        "shards": [{"shard": key, **state.shards[key].to_json()} for key in shown],
        "left_out": len(state.shards) - len(shown),
        "refused": [{"name": one.name, "reason": one.reason, "at": one.at} for one in refused],
    }


def ask(arguments: argparse.Namespace) -> ExitCode:
    """Ask a running feed for something, and print its answer."""
    folder = _folder(arguments.run)
    req_id = ask_feed(folder, arguments.verb, getattr(arguments, "shard", ""), getattr(arguments, "place", 1))
    deadline = time.monotonic() + (ANSWER_S if _is_fed(arguments.run) else 0.0)
    while (ack := feed_answer(folder, req_id)) is None and time.monotonic() < deadline:
        time.sleep(0.05)
    if ack is None:
        (folder.requests / f"{req_id}.json").unlink(missing_ok=True)
        raise RefusedError(
            f"nobody feeds {arguments.run}: nothing was changed; "
            "`photinus-train feed run --resume --out DIR` goes on"
        )
    print(ack.message)
    return ExitCode.OK if ack.done else ExitCode.REFUSED


def _is_fed(text: str) -> bool:
    """Whether a process trains in the folder of this run."""
    with Flock(run_folder(text).trainer_lock) as lock:
        return not lock.take(0.1)


def _folder(text: str) -> FeedFolder:
    run = run_folder(text)
    if not (run.path / FEED).is_dir():
        raise ConfigError(f"{text} is no feed; `photinus-train feed run --out {text}` makes one")
    return FeedFolder(run.path / FEED)
