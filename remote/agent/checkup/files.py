"""Files of runs that cannot be read: torn, malformed, or not there."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from remote.agent.context import Context
from remote.protocol.finding import Finding
from trainer.run.atomic import read_json
from trainer.run.control import ControlRequest
from trainer.run.layout import RunDir, check_run_id
from trainer.run.process.process_record import read_process
from trainer.run.records import StartRecord, parse, read_spec, read_state
from trainer.run.run_errors import RunError, SpecError

LOOKED_AT = 1 << 18


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
    if not run.spec.exists() and not run.state.exists():
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
                why="every file is replaced whole, so another hand or a broken disk was at it",
                remedy=f"restore it, or move the run away: mv {run.path} ~/",
            )
    yield from _requests(run)
    yield from _events(run, deep)


def _spec(run: RunDir) -> object:
    return read_spec(run)


def _last_words(run: RunDir) -> object:
    return read_json(run.hello), read_json(run.exit)


_READERS: dict[str, Callable[[RunDir], object]] = {
    "spec.json": _spec,
    "state.json": read_state,
    "process.json": read_process,
    "hello.json or exit.json": _last_words,
}


def _trouble(read: Callable[[], object]) -> str:
    try:
        read()
    except (RunError, OSError, ValueError) as error:
        return str(error)
    return ""


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
    bad, total, is_torn = count_malformed(run.events, None if deep else LOOKED_AT)
    if bad:
        yield Finding(
            level="note" if bad == 1 else "warning",
            about=run.run_id,
            what=f"{bad} of {total} lines of its events are torn or no JSON",
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
        with path.open("rb") as file:
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
    try:
        return isinstance(json.loads(row), dict)
    except ValueError:
        return False


def _state_of(run: RunDir) -> bool | None:
    try:
        state = read_state(run)
    except (RunError, ValueError):
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
