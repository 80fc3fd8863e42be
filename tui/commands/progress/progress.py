"""`progress export`, `progress commit`: what runs have come to, as small text files; into git."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from remote.protocol.errors import CallError
from trainer.run.disk.atomic import write_bytes
from trainer.run.home import state_root
from trainer.run.layout import RUN_ID, RunDir
from tui.commands.arguments import Commands, add_bare_command, count
from tui.commands.output import OK, answer
from tui.commands.progress.progress_commit import Repository
from tui.commands.progress.recorded_progress import progress_files, read_before


def run_progress(args: argparse.Namespace) -> int:
    """Carry out the word after `progress`."""
    code: int = args.act(args)
    return code


def export_progress(args: argparse.Namespace) -> int:
    """Write the files, and name them."""
    answer(written(args), args.json, _in_words)
    return OK


def commit_progress(args: argparse.Namespace) -> int:
    """Write them, commit them, push them."""
    folder = Path(args.folder).expanduser().absolute()
    folder.mkdir(parents=True, exist_ok=True)
    repository = Repository(folder)
    report = written(args)
    steps = ", ".join(f"{one['run']} at step {one['step']}" for one in report["runs"])
    commit = repository.commit(args.message or f"Progress: {steps}")
    again = repository.push(args.remote, max(1, args.tries)) if not args.no_push else 0
    report |= {"commit": commit or None, "pushed": not args.no_push, "again": again}
    answer(report, args.json, _in_words)
    return OK


def written(args: argparse.Namespace) -> dict[str, Any]:
    """Write the files of each run into a folder of its own.

    Raises:
        CallError: `not_found`: there is no such run.
    """
    folder, rows = Path(args.folder).expanduser().absolute(), []
    for run in runs_of(args.runs):
        place = folder / run.run_id
        files = progress_files(run, read_before(place))
        place.mkdir(parents=True, exist_ok=True)
        changed = [name for name, data in sorted(files.items()) if _differs(place / name, data)]
        for name in changed:
            write_bytes(place / name, files[name], 0o644)
        step = _step(files["summary.json"])
        rows.append({
            "run": run.run_id, "folder": str(place), "files": sorted(files), "changed": changed, "step": step,
            "bytes": sum(map(len, files.values())),
        })  # fmt: skip
    return {"folder": str(folder), "runs": rows}


def runs_of(names: list[str]) -> list[RunDir]:
    """The runs of this host that are meant, by id or folder; all of them where none is named.

    Raises:
        CallError: `not_found`: there is none of that name.
    """
    home = state_root() / "runs"
    if not names:
        found = (
            [RunDir(path) for path in home.iterdir() if RUN_ID.fullmatch(path.name)] if home.is_dir() else []
        )
        return sorted(found, key=lambda run: run.run_id)
    runs = []
    for name in names:
        path = home / name if RUN_ID.fullmatch(name) and (home / name).is_dir() else Path(name).expanduser()
        if not path.is_dir():
            raise CallError("not_found", f"{name} is no run of this machine", "name its id or its folder")
        runs.append(RunDir(path.absolute()))
    return runs


def _differs(path: Path, data: bytes) -> bool:
    try:
        return path.read_bytes() != data
    except OSError:
        return True


def _step(raw: bytes) -> int:
    return int(json.loads(raw)["step"])


def _in_words(report: dict[str, Any]) -> str:
    lines = [
        f"{one['folder']}: step {one['step']:,}, {one['bytes']:,} bytes, "
        + (", ".join(one["changed"]) or "nothing new")
        for one in report["runs"]
    ]
    if "commit" in report:
        done = f"commit {report['commit'][:12]}" if report["commit"] else "nothing to commit"
        pushed = f"pushed ({report['again']} times anew)" if report["again"] else "pushed"
        lines.append(done + (f", {pushed}" if report["pushed"] else ""))
    return "\n".join(lines) or "no runs"


def add_to(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Declare the command and its words."""
    parser = commands.add_parser("progress", help="what runs have come to, as small text files for git")
    words = parser.add_subparsers(required=True, metavar="WORD", dest="word")
    export = add_bare_command(words, "export", "write summary, ledger, checkpoints and curves of runs")
    export.set_defaults(act=export_progress)
    commit = add_bare_command(words, "commit", "write them, commit them, push them; also while others push")
    commit.set_defaults(act=commit_progress)
    for one in (export, commit):
        one.add_argument("folder", metavar="DIR", help="a folder; each run gets one below it")
        one.add_argument("runs", nargs="*", metavar="RUN", help="id or folder of a run here (default: all)")
    commit.add_argument("--message", default="", metavar="TEXT", help="of the commit")
    commit.add_argument("--remote", default="origin", metavar="NAME", help="where to (default: origin)")
    commit.add_argument("--no-push", action="store_true", help="only commit")
    commit.add_argument(
        "--tries", type=count, default=8, metavar="N", help="pushes, where others are first (default: 8)"
    )


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {"progress": run_progress}
