"""The file of the run index: a line a finished run, each with its own checksum.

It holds nothing that cannot be read from the runs again: a line that is torn or of another root is passed
over, a file of another version as a whole, and it is written without the fsync that truth would need.
"""

import contextlib
import json
import math
import os
import stat
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from remote.version import version
from trainer.run.layout import RUN_ID
from trainer.run.states import TERMINAL

FORMAT = 1
FILE_MAX = 256 << 20
Mark: TypeAlias = tuple[int, int, int, int]


@dataclass(slots=True)
class Entry:
    """A run that is over.

    Attributes:
        mark: of the `state.json` that all this comes from.
        since: when it ended, epoch seconds.
        name: for people, as the spec with the mark `name_of` says; None: that was not read yet.
        row: its view as a line of JSON, empty: not worked out yet; `of`: the marks of what it was made from.
        is_settled: it died, and it was found that no restart of it is wanted.
        trouble: why no view can be made of it.
    """

    run_id: str
    mark: Mark
    state: str
    since: float
    name: str | None = None
    name_of: Mark = (0, 0, 0, 0)
    row: bytes = b""
    of: tuple[Mark, ...] = ()
    is_settled: bool = False
    trouble: str = ""


def load(path: Path, base: str) -> Iterator[Entry]:
    """What an earlier agent knew of the runs below `base`; nothing where the file is not to be trusted."""
    lines = _read(path).split(b"\n")
    if lines[0] != _header(base):
        return
    for line in lines[1:]:
        checksum, _, rest = line.partition(b" ")
        if rest and checksum == _checksum(rest) and (entry := _entry(rest)) is not None:
            yield entry


def save(path: Path, base: str, entries: Iterable[Entry]) -> None:
    """Replace the file; where the disk refuses, the next agent reads the runs themselves."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    lines = [_header(base), *map(_line, entries)]
    with contextlib.suppress(OSError):
        try:
            draft.unlink(missing_ok=True)
            fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            with open(fd, "wb") as file:  # noqa: PTH123  a descriptor
                file.write(b"\n".join(lines) + b"\n")
            draft.rename(path)
        except OSError:
            draft.unlink(missing_ok=True)
            raise


def _header(base: str) -> bytes:
    return json.dumps({"format": FORMAT, "photinus": version(), "runs": base}).encode()


def _line(entry: Entry) -> bytes:
    facts = [entry.run_id, entry.mark, entry.state, entry.since, entry.name, entry.name_of, entry.of]
    rest = json.dumps([*facts, entry.is_settled, entry.trouble]).encode() + b"\t" + entry.row.rstrip(b"\n")
    return _checksum(rest) + b" " + rest


def _checksum(data: bytes) -> bytes:
    return b"%08x" % zlib.crc32(data)


def _entry(rest: bytes) -> Entry | None:
    facts, _, row = rest.partition(b"\t")
    try:
        run_id, mark, state, since, name, name_of, of, is_settled, trouble = json.loads(facts)
        marks = tuple(map(_mark, of))
        entry = Entry(
            run_id, _mark(mark), state, since, name, _mark(name_of), row, marks, is_settled, trouble
        )
    except (ValueError, TypeError, RecursionError):
        return None
    sound = RUN_ID.fullmatch(entry.run_id) and entry.state in TERMINAL and math.isfinite(entry.since)
    return entry if sound else None


def _mark(raw: Any) -> Mark:
    mtime, ctime, inode, size = map(int, raw)
    return (mtime, ctime, inode, size)


def _read(path: Path) -> bytes:
    """The file's bytes; empty where there is none, or something else stands in its place."""
    with contextlib.suppress(OSError):
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            found = os.fstat(fd)
            if stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid() and found.st_size <= FILE_MAX:
                with open(fd, "rb", closefd=False) as file:
                    return file.read()
        finally:
            os.close(fd)
    return b""
