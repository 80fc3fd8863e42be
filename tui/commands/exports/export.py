"""`export RUN... --to FORMAT`: what runs told, in the files of other programs; each whole or not at all."""

import argparse
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from remote.hosts.host import LOCAL, Host
from remote.hosts.lookup import load_hosts
from remote.protocol.errors import CallError
from remote.session.session import Session
from remote.session.watching.training_files import training_files
from trainer.run.disk.atomic import write_bytes
from trainer.run.layout import RUN_ID
from tui.commands.arguments import Commands, add_bare_command
from tui.commands.exports.chart_png import png_bytes
from tui.commands.exports.chart_svg import svg_bytes
from tui.commands.exports.gather import files_of, pulled, run_of
from tui.commands.exports.page_html import html_bytes
from tui.commands.exports.parquet_file import parquet_bytes
from tui.commands.exports.recorded_run import RecordedRun
from tui.commands.exports.table_files import csv_bytes, jsonl_bytes
from tui.commands.exports.tensorboard_file import draft_folder, write_tensorboard
from tui.commands.exports.trackio_folder import write_trackio
from tui.commands.exports.wandb_folder import write_wandb
from tui.commands.find_run import find_view
from tui.commands.host_session import link_to
from tui.commands.logs.open import look_for
from tui.commands.logs.place import split_place
from tui.commands.output import FAILURE, OK, emit, say, tell
from tui.commands.target import split_run
from tui.own_formats import formats_at_hand
from tui.store.run_streams import Formats

WRITERS: Mapping[str, Callable[[RecordedRun], bytes]] = {
    "csv": csv_bytes,
    "jsonl": jsonl_bytes,
    "html": html_bytes,
    "svg": svg_bytes,
    "png": png_bytes,
    "parquet": parquet_bytes,
}
FOLDERS: Mapping[str, Callable[[RecordedRun, Path], None]] = {
    "tensorboard": write_tensorboard,
    "wandb-offline": write_wandb,
    "trackio": write_trackio,
}
HELD: Mapping[str, tuple[str, ...]] = {
    "tensorboard": ("*tfevents*",),
    "wandb-offline": ("run-*.wandb", "files", "logs", "tmp"),
    "trackio": ("*.db", "*.db-wal", "*.db-shm", "*.lock"),
}
"""Names of all that such a folder holds: one with another name in it is somebody's, and stays."""
FORMATS = (*WRITERS, *FOLDERS)
WITHOUT_ROWS = ("jsonl", "html")
"""What says something of a run that has told no number yet."""
STDOUT = "-"
KNOWN_BY = "`photinus read` says what a log may print to be known"


def export(args: argparse.Namespace) -> int:
    """Write every run; 1 where one of several could not be, or told no number.

    Raises:
        CallError: the only one could not be, or the command line makes no sense.
    """
    formats, faults = formats_at_hand()
    for fault in faults:
        say(f"photinus: a format of yours is left out: {fault}")
    out = ExportTarget(args.to, args.out, force=args.force, several=len(args.run) > 1)
    written: list[dict[str, Any]] = []
    missed = False
    with ExitStack() as stack:
        sources = RunSources(stack, formats)
        for name in args.run:
            try:
                for run in sources.runs(name):
                    if not run.rows and not (run.events and args.to in WITHOUT_ROWS):
                        say(f"photinus: {run.where}: no known metrics, so nothing was written ({KNOWN_BY})")
                        missed = True
                        continue
                    written.append(out.write(run))
                    if not args.json and args.out != STDOUT:
                        tell(f"{written[-1]['path']}  {written[-1]['rows']:,} rows of {run.where}")
            except CallError as error:
                if len(args.run) == 1:
                    raise
                missed = True
                say(f"photinus: {name}: {error.message}" + (f" ({error.remedy})" if error.remedy else ""))
    if args.json and args.out != STDOUT:
        emit(written)
    return FAILURE if missed else OK


class RunSources:
    """Runs by what was typed; each host is reached once."""

    def __init__(self, stack: ExitStack, formats: Formats) -> None:
        self._stack, self._formats = stack, formats
        self._sessions: dict[str, Session] = {}
        self._hosts = load_hosts()

    def runs(self, text: str) -> Iterator[RecordedRun]:
        """The runs that a name, a file, a folder or a pattern means; of a folder each that lies in it.

        Raises:
            CallError: there is none.
        """
        named, rest = split_run(text, {host.name for host in self._hosts})
        if not os.path.lexists(text) and not _is_path(rest):
            yield run_of(self._session(named or LOCAL.name), rest, self._formats)
            return
        host, path = split_place(text, self._hosts)
        if host.is_local and Path(path).is_dir() and (run := pulled(Path(path))) is not None:
            yield run
            return
        if (own := self._own(host, path)) is not None:
            yield own
            return
        session = self._session(host.name)
        found = training_files(look_for(session, [path]).files)
        for files in found:
            run = files_of(session, files, self._formats)
            if run.rows or len(found) == 1:
                yield run
            else:
                say(f"photinus: {run.where}: no known metrics, left out")

    def _own(self, host: Host, path: str) -> RecordedRun | None:
        """The run of that host whose directory this is."""
        name = path.rstrip("/").rpartition("/")[2]
        if not RUN_ID.fullmatch(name):
            return None
        session = self._session(host.name)
        try:
            if find_view(session, name).dir.rstrip("/") != path.rstrip("/"):
                return None
        except CallError:
            return None
        return run_of(session, name, self._formats)

    def _session(self, name: str) -> Session:
        if name not in self._sessions:
            self._sessions[name] = self._stack.enter_context(link_to(name))
        return self._sessions[name]


def _is_path(text: str) -> bool:
    return "/" in text or text.startswith("~") or bool(set("*?[") & set(text))


class ExportTarget:
    """Where files go: `--out` is a file for one run, a folder for several or where it is one."""

    def __init__(self, to: str, out: str, *, force: bool, several: bool) -> None:
        self._to, self._out, self._force, self._several = to, out, force, several
        self._taken: set[Path] = set()
        if out == STDOUT and (several or to in FOLDERS):
            raise CallError("bad_request", "only one run, and one file, fits stdout", "--out FOLDER")

    def write(self, run: RecordedRun) -> dict[str, Any]:
        """Write one run, and say what was written.

        Raises:
            CallError: `refused`: something is there already, or a library is missing.
        """
        written = {"name": run.name, "where": run.where, "to": self._to, "rows": len(run.rows)}
        if self._out == STDOUT:
            sys.stdout.buffer.write(WRITERS[self._to](run))
            sys.stdout.buffer.flush()
            return {**written, "path": STDOUT}
        path = self._path(run)
        if os.path.lexists(path) and not self._force:
            raise CallError("refused", f"{path} is there already", "--force replaces it, --out names another")
        if self._to in FOLDERS:
            self._folder(run, path)
        else:
            data = WRITERS[self._to](run)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_bytes(path, data, 0o644)
        return {**written, "path": str(path)}

    def _path(self, run: RecordedRun) -> Path:
        ending = f"-{self._to}" if self._to in FOLDERS else f".{self._to}"
        out = Path(self._out or ".").expanduser()
        if self._out and not self._several and not out.is_dir() and not self._out.endswith("/"):
            path = out
        else:
            path = out / f"{run.slug}{ending}"
        for number in range(2, 1 << 16):  # two runs of one name in one call
            if path not in self._taken:
                break
            path = out / f"{run.slug}-{number}{ending}"
        self._taken.add(path)
        return path.absolute()

    def _folder(self, run: RecordedRun, path: Path) -> None:
        """A folder takes its place by one rename; what holds anything but such an export is left alone."""
        if path.is_symlink() or (path.exists() and not path.is_dir()):
            raise CallError("refused", f"{path} is no folder", "--out names another")
        if path.is_dir() and not all(map(self._is_held, path.iterdir())):
            raise CallError("refused", f"{path} holds more than such an export", "--out names another")
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft_folder(path) as draft:
            made = Path(draft) / "made"
            made.mkdir()
            FOLDERS[self._to](run, made)
            if path.is_dir():
                path.rename(Path(draft) / "old")
            shutil.move(made, path)

    def _is_held(self, path: Path) -> bool:
        return any(fnmatchcase(path.name, name) for name in HELD[self._to])


def add_to(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = add_bare_command(commands, "export", "write what runs told into files of other programs")
    parser.add_argument(
        "run",
        nargs="+",
        metavar="RUN",
        help="RUN or HOST:RUN; or a log, metrics file or output folder: PATH, GLOB or HOST:PATH",
    )
    parser.add_argument("--to", required=True, choices=FORMATS, metavar="FORMAT", help=", ".join(FORMATS))
    parser.add_argument(
        "--out",
        default="",
        metavar="PATH",
        help="file or folder (default: here, named by the run); - for stdout",
    )
    parser.add_argument("--force", action="store_true", help="replace what is there")


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {"export": export}
