"""Files of runs that cannot be read: torn, malformed, or not there."""

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from remote.agent.context import Context
from remote.protocol.finding import Finding
from trainer.run.bounds import why_no_number
from trainer.run.checkpoints.manifest import NAME
from trainer.run.control import ControlRequest
from trainer.run.disk.atomic import read_json
from trainer.run.disk.small_record import decode_record, open_plain
from trainer.run.layout import RunDir, check_run_id
from trainer.run.logs import log_number
from trainer.run.process.process_record import read_process
from trainer.run.records import ExitRecord, HelloRecord, StartRecord, own, parse, read_spec, read_state
from trainer.run.run_errors import RecordError, RunError, SpecError

LOOKED_AT = 1 << 18
ANOTHER_HAND = "every file is replaced whole, so another hand or a broken disk was at it"
NEWER = "a newer photinus wrote it, or another hand: this version reads no more of it"


def check(ctx: Context, deep: bool) -> Iterator[Finding]:
    """Findings about the files of every run, and about the records of starts."""
    for path in sorted(ctx.home.runs_dir.iterdir()):
        try:
            check_run_id(path.name)
        except SpecError:
            yield Finding(
                level="note",
                about="runs",
                what=f"{path} is no run",
                why="its name is no run id: everything passes it over",
                remedy=f"mv {path} somewhere else",
            )
            continue
        yield from _run(RunDir(path), deep)
    yield from _starts(ctx)


def _run(run: RunDir, deep: bool) -> Iterator[Finding]:
    if not _is_named(run.spec) and not _is_named(run.state):
        yield Finding(
            level="note",
            about=run.run_id,
            what=f"{run.path} holds no run",
            why="a start was refused, or died, before it was recorded",
            remedy=f"rm -r {run.path}",
        )
        return
    for name, read in _READERS.items():
        problem = _trouble(lambda read=read: read(run))  # type: ignore[misc]
        if problem:
            yield Finding(
                level="problem",
                about=run.run_id,
                what=f"{name} of {run.run_id} cannot be read: {problem}",
                why=NEWER if "unknown field" in problem or "of version" in problem else ANOTHER_HAND,
                remedy=f"restore it, or move the run away: mv {run.path} ~/",
            )
    yield from _misplaced(run)
    yield from _requests(run)
    yield from _events(run, deep)


def _spec(run: RunDir) -> object:
    return own(run, read_spec(run))


def _state(run: RunDir) -> object:
    state = read_state(run)
    if state is None:
        raise RecordError(f"{run.state} is not there, and there is a spec")
    return own(run, state)


def _hello(run: RunDir) -> object:
    raw = read_json(run.hello)
    return raw if raw is None else parse(HelloRecord, raw, run.hello)


def _exit(run: RunDir) -> object:
    raw = read_json(run.exit)
    return raw if raw is None else parse(ExitRecord, raw, run.exit)


_READERS: dict[str, Callable[[RunDir], object]] = {
    "spec.json": _spec,
    "state.json": _state,
    "process.json": read_process,
    "hello.json": _hello,
    "exit.json": _exit,
}


def _trouble(read: Callable[[], object]) -> str:
    try:
        read()
    except Exception as error:  # whatever a file does to its reader, the doctor says it
        return str(error)[:500] or type(error).__name__
    return ""


def _misplaced(run: RunDir) -> Iterator[Finding]:
    """What is of another kind than Photinus makes it: a lock that is no file, a folder that is none."""
    files = [run.lock, run.trainer_lock, run.reserve, run.supervisor_log, run.events]
    folders = [run.control, run.log_dir, run.checkpoints]
    if run.log_dir.is_dir():
        files += [path for path in sorted(run.log_dir.iterdir()) if log_number(path.name)]
    if run.checkpoints.is_dir():
        folders += [path for path in sorted(run.checkpoints.iterdir()) if NAME.fullmatch(path.name)]
    odd = [path for path in files if _is_named(path) and (path.is_symlink() or not path.is_file())]
    odd += [path for path in folders if _is_named(path) and not path.is_dir()]
    for path in odd:
        yield Finding(
            level="problem",
            about=run.run_id,
            what=f"{path} is {_kind(path)}, and ought to be a {'folder' if path in folders else 'file'}",
            why="Photinus does not read or write through it",
            remedy=f"ls -ld {path}, then move it away: mv {path} ~/",
        )


def _kind(path: Path) -> str:
    mode = path.lstat().st_mode
    kinds = {stat.S_IFLNK: "a symbolic link", stat.S_IFDIR: "a folder", stat.S_IFREG: "a file"}
    kinds |= {stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "a device")


def _is_named(path: Path) -> bool:
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _requests(run: RunDir) -> Iterator[Finding]:
    for path in sorted(run.control.glob("*.json")) if run.control.is_dir() else ():
        if path.name.startswith(".") or path.name.endswith(".ack.json"):
            continue
        if problem := _trouble(lambda path=path: parse(ControlRequest, read_json(path), path)):  # type: ignore[misc]
            yield Finding(
                level="warning",
                about=run.run_id,
                what=f"a request to {run.run_id} is malformed: {problem}",
                why="nobody obeys it",
                remedy=f"rm {path}",
            )


def _events(run: RunDir, deep: bool) -> Iterator[Finding]:
    """Lines that are no JSON. One torn by a kill -9 costs only itself: readers count and skip it."""
    try:
        bad, total, is_torn = count_malformed(run.events, None if deep else LOOKED_AT)
    except RecordError:
        return  # told as misplaced
    if bad:
        yield Finding(
            level="note" if bad == 1 else "warning",
            about=run.run_id,
            what=f"{bad} of {total} lines of its events are torn, no JSON or absurd",
            why="a kill -9 tears at most one line an attempt; more means another writer or a bad disk",
            remedy=f"photinus events {run.run_id}",
        )
    if is_torn and (state := _state_of(run)) is not None and state:
        yield Finding(
            level="note",
            about=run.run_id,
            what="the last line of its events is torn",
            why="the trainer was killed while it wrote; a resume closes the line",
            remedy=f"photinus resume {run.run_id}",
        )


def count_malformed(path: Path, last: int | None) -> tuple[int, int, bool]:
    """Malformed whole lines, whole lines, and whether the last lacks its end; of the last `last` bytes."""
    try:
        with os.fdopen(open_plain(path), "rb") as file:
            size = file.seek(0, 2)
            start = max(0, size - last) if last is not None else 0
            file.seek(start)
            data = file.read()
    except FileNotFoundError:
        return 0, 0, False
    rows = data.split(b"\n")
    tail = rows.pop()
    if start and rows:
        rows = rows[1:]  # the first may have been cut by us
    return sum(not _is_object(row) for row in rows if row), len(rows), bool(tail)


def _is_object(row: bytes) -> bool:
    """Whether a line is an event by its form: an object whose envelope has numbers that can be."""
    try:
        event = decode_record(row, "a line")
    except RecordError:
        return False
    if not isinstance(event, dict):
        return False
    present = [name for name in ("seq", "attempt", "step", "t") if event.get(name) is not None]
    return not any(why_no_number("at" if name == "t" else name, event[name]) for name in present)


def _state_of(run: RunDir) -> bool | None:
    try:
        state = read_state(run)
    except RunError:
        return None
    return None if state is None else state.is_terminal


def _starts(ctx: Context) -> Iterator[Finding]:
    for path in sorted(ctx.home.starts_dir.glob("*.json")):
        if path.name.startswith("."):
            continue
        if problem := _trouble(lambda path=path: parse(StartRecord, read_json(path), path)):  # type: ignore[misc]
            yield Finding(
                level="warning",
                about="starts",
                what=f"the record of a start is malformed: {problem}",
                why="that start id can start nothing, and answers with an error",
                remedy=f"rm {path}",
            )
