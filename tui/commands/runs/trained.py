"""`checkpoints` and `feed`: what a run keeps, and files for one that is fed, on any host."""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from remote.actions.trained.ask_trainer import ask_trainer, feed_file
from remote.protocol.errors import CallError
from remote.protocol.trained import TrainerAnswer
from remote.protocol.views import RunView
from remote.transfer.sinks import open_sink
from remote.transfer.sources import LostError
from tui.commands.arguments import RUN_HELP, Commands, add_command, count, gigabytes, seconds
from tui.commands.family.branch import branch
from tui.commands.family.lineage import lineage
from tui.commands.find_run import find_view
from tui.commands.host_session import link_to
from tui.commands.output import OK, answer, emit, say, tell

WORDS = ("list", "show", "diff", "verify", "pin", "unpin", "retain", "restore", "lineage", "branch")
ALONE = ("pause", "resume", "stop", "snapshot")
OF_A_SHARD = ("skip", "retry")
KEEPS = ("keep_last", "keep_best", "keep_every", "max_gb")


def checkpoints(args: argparse.Namespace) -> int:
    """Carry out a word of `photinus-train checkpoints` on the host, and print what it printed.

    `lineage` and `branch` are this client's own: of every host, and a start.
    """
    if args.word != "branch" and (args.overrides or args.name or args.device or args.queue):
        raise CallError(
            "bad_request",
            "--set, --name, --device and --queue are for branch",
            "photinus checkpoints RUN branch CKPT",
        )
    if args.word == "branch":
        return branch(args)
    if args.word == "lineage":
        return lineage(args)
    words = [args.word, *args.names, *(["--plan"] if args.plan else []), *(["--json"] if args.json else [])]
    for key in KEEPS:
        if (value := getattr(args, key)) is not None:
            words += [f"--{key.replace('_', '-')}", f"{value:g}"]
    words += ["--as-planned", args.as_planned] if args.as_planned else []
    with link_to(args.host) as session:
        view = find_view(session, args.run)
        done = ask_trainer(session, view.run_id, "checkpoints", words)
    if args.word == "list" and not args.json and done.code == 0 and done.out.count("\n") == 1:  # titles alone
        say(why_none(view))
        return OK
    return shown(done, args.json)


def why_none(view: RunView) -> str:
    """Why a run has no checkpoint, and what can be done."""
    if view.kind == "command":
        return (
            f"{view.run_id} has no checkpoints: it is a command, and what another program saves lies where "
            "it saves it. Listed are those of `photinus start --preset NAME`, and of a command that is "
            "`photinus-train run --out DIR`; `photinus-train import FILE` takes weights of other programs"
        )
    if view.is_terminal:
        return f"{view.run_id} has no checkpoints: it is over ({view.state}) and saved none"
    return f"{view.run_id} has no checkpoints yet: `photinus save {view.run_id}` has it save one now"


def feed(args: argparse.Namespace) -> int:
    """Bring files to a run that is fed, ask something of it, or list its shards."""
    words = wish(args)
    if words and args.files:
        raise CallError("bad_request", "either files or a wish", "photinus feed RUN FILE...")
    with link_to(args.host) as session:
        view = find_view(session, args.run)
        if not args.files:
            most = ["--most", str(args.most)] if args.most is not None else []
            asked = words or ["list", *most, *(["--json"] if args.json else [])]
            return shown(ask_trainer(session, view.run_id, "feed", asked), args.json and not words)
        sink = open_sink(session)

        def write(there: str, pieces: Iterator[bytes]) -> None:
            try:
                sink.write(there, 0, pieces, lambda _: None)
            except LostError as error:
                raise CallError("unreachable", f"the link was lost: {error}", "run the same again") from error

        rows: list[dict[str, Any]] = []
        try:
            for path in args.files:
                if not path.is_file():
                    raise CallError("not_found", f"{path} is no file", "name a file that you can read")
                taken = feed_file(session, view.run_id, path, args.priority, write)
                rows.append({"run_id": view.run_id, "file": str(path), "dir": taken.dir, "name": taken.name})
                if not args.json:
                    tell(f"{path} waits in {taken.dir} as {taken.name}")
        finally:
            sink.close()
    if args.json:
        emit(rows)
    return OK


def wish(args: argparse.Namespace) -> list[str]:
    """The one thing that is asked of a feed; nothing where nothing is.

    Raises:
        CallError: two things are.
    """
    asked = [[word] for word in ALONE if getattr(args, word)]
    asked += [[word, getattr(args, word)] for word in OF_A_SHARD if getattr(args, word)]
    asked += [["move", *args.move]] if args.move else []
    if len(asked) > 1:
        raise CallError("bad_request", "one wish at a time", f"--{asked[0][0]}, then --{asked[1][0]}")
    return asked[0] if asked else []


def shown(done: TrainerAnswer, is_json: bool) -> int:
    """Print what the program printed there; its exit code."""
    if done.code and not done.out:
        say(f"photinus: {done.said or 'it failed and said nothing'}")
        return done.code
    if done.said:
        say(done.said)
    if is_json:
        try:
            answer(json.loads(done.out), True, str)
        except ValueError as error:
            raise CallError(
                "internal", "the host answered what is no JSON", "photinus hosts deploy"
            ) from error
    else:
        tell(done.out.rstrip("\n"))
    sys.stdout.flush()
    return done.code


def add_to(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Declare both commands."""
    kept = add_command(commands, "checkpoints", "what a run keeps: ranked, compared, proven, pinned, let go")
    kept.add_argument("run", help=RUN_HELP)
    kept.add_argument("word", nargs="?", choices=WORDS, default="list", help="default: list")
    kept.add_argument(
        "names", nargs="*", metavar="CKPT", help="step-NNNNNNNN, its step, latest or best; diff takes two"
    )
    kept.add_argument("--plan", action="store_true", help="with retain: only say what would be kept, and why")
    kept.add_argument(
        "--as-planned",
        default="",
        metavar="ID",
        help="with retain: only if it is still what that --plan said",
    )
    for key in KEEPS:
        kind = gigabytes if key == "max_gb" else count
        kept.add_argument(
            f"--{key.replace('_', '-')}",
            type=kind,
            metavar="N",
            help="with retain: in place of the run's own",
        )
    branching = kept.add_argument_group("branch", "A new run from CKPT; what is not said is as of RUN.")
    branching.add_argument(
        "--set", dest="overrides", action="append", default=[], metavar="KEY=VALUE", help="what is different"
    )
    branching.add_argument("--name", help="its name for people (default: that of RUN)")
    branching.add_argument("--device", help="another device")
    branching.add_argument("--queue", action="store_true", help="wait in the queue where the device is busy")
    kept.add_argument(
        "--timeout", type=seconds, default=10.0, metavar="S",
        help="with lineage: how long another host is waited for (default: 10)",
    )  # fmt: skip
    fed = add_command(
        commands, "feed", "bring files to a run that is fed, list its shards, or ask it for something"
    )
    fed.add_argument("run", help=RUN_HELP)
    fed.add_argument("files", nargs="*", type=Path, metavar="FILE", help=".txt .md .jsonl .gz .zip of here")
    fed.add_argument(
        "--priority", choices=("high", "normal", "low"), default="normal", help="which come first"
    )
    fed.add_argument("--most", type=count, metavar="N", help="list so many shards: in training, next, newest")
    for word, what in zip(
        ALONE,
        ("hold after the step in hand", "go on", "end after the step in hand", "save now, proven and pinned"),
        strict=True,
    ):
        fed.add_argument(f"--{word}", action="store_true", help=what)
    for word in OF_A_SHARD:
        what = "leave it, or what is left of it" if word == "skip" else "let it wait again"
        fed.add_argument(f"--{word}", default="", metavar="SHARD", help=what)
    fed.add_argument(
        "--move", nargs=2, metavar=("SHARD", "N"), help="another place in the queue; 1 comes next"
    )


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {"checkpoints": checkpoints, "feed": feed}
