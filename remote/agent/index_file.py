"""The file of the run index: a line a finished run with a checksum; of two lines the later counts.

It holds nothing that cannot be read from the runs again: a line that is torn, of another root or of another
version is passed over, and it is written without the fsync that truth would need.
"""

import contextlib
import json
import math
import os
import stat
import zlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from remote.version import version
from trainer.run.layout import RUN_ID
from trainer.run.states import TERMINAL

FORMAT = 1
FLAGS = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
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


class IndexFile:
    """The file for the runs below one folder.

    Attributes:
        lines: how many it has; it is written anew when too many of them are of the past.
    """

    def __init__(self, path: Path, base: str) -> None:
        self._path = path
        self._seed = zlib.crc32(json.dumps([FORMAT, version(), base]).encode())
        self.lines = 0

    def load(self) -> dict[str, Entry]:
        """What an earlier agent knew, by id."""
        found = {}
        for line in _read(self._path).split(b"\n"):
            checksum, _, rest = line.partition(b" ")
            if rest:
                self.lines += 1
                if checksum == self._checksum(rest) and (entry := _entry(rest)) is not None:
                    found[entry.run_id] = entry
        return found

    def add(self, entries: Collection[Entry]) -> None:
        """Write what was learnt; where the disk refuses, the next agent reads the runs themselves."""
        self.lines += len(entries)
        with contextlib.suppress(OSError):
            fd = os.open(self._path, FLAGS | os.O_APPEND, 0o600)
            try:
                os.write(fd, b"\n" + self._text(entries))  # a torn end of another writer stays by itself
            finally:
                os.close(fd)

    def replace(self, entries: Collection[Entry]) -> None:
        """Write it anew."""
        self.lines = len(entries)
        draft = self._path.with_name(f".{self._path.name}.{os.getpid()}.tmp")
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
            try:
                with open(os.open(draft, FLAGS | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123
                    file.write(self._text(entries))
                draft.rename(self._path)
            except OSError:
                draft.unlink(missing_ok=True)
                raise

    def _text(self, entries: Iterable[Entry]) -> bytes:
        rests = map(_facts, entries)
        return b"".join(self._checksum(rest) + b" " + rest + b"\n" for rest in rests)

    def _checksum(self, data: bytes) -> bytes:
        return b"%08x" % zlib.crc32(data, self._seed)


def _facts(entry: Entry) -> bytes:
    facts = [entry.run_id, entry.mark, entry.state, entry.since, entry.name, entry.name_of, entry.of]
    return json.dumps([*facts, entry.is_settled, entry.trouble]).encode() + b"\t" + entry.row.rstrip(b"\n")


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
