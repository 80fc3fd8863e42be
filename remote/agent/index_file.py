"""The file of the run index: a line a finished run with a checksum; of two lines the later counts.

It holds nothing that cannot be read from the runs again: a line that is torn, of another root or of another
version is passed over, and it is written without the fsync that truth would need.
"""

import contextlib
import json
import os
import stat
import zlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from remote.protocol.version import version
from trainer.run.layout import RUN_ID
from trainer.run.states import TERMINAL

FORMAT = 2
FLAGS = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
FILE_MAX = 256 << 20
SETTLED, TROUBLED, ARCHIVED = b"s", b"t", b"a"
Mark: TypeAlias = tuple[int, int, int, int]
NOTHING: Mark = (0, 0, 0, 0)
STATES = {state.encode(): str(state) for state in TERMINAL}


@dataclass(slots=True)
class Details:
    """What takes more than a look at a folder.

    Attributes:
        name: for people, as the spec with the mark `name_of` says; None: that was not read yet.
        row: the view as a line of JSON, empty: not worked out yet; `of`: the marks of what it was made from.
        trouble: why no view can be made.
        parent: `RUN/step-N` that it began from, as the spec says; read with the name.
    """

    name: str | None = None
    name_of: Mark = NOTHING
    row: bytes = b""
    of: tuple[Mark, ...] = ()
    trouble: str = ""
    parent: str = ""


@dataclass(slots=True)
class Entry:
    """A run that is over.

    Attributes:
        mark, labels: of the `state.json` and the `labels.json` that all this comes from.
        since: when it ended, epoch seconds.
        is_settled: it died, and it was found that no restart of it is wanted.
        is_troubled: no view can be made of it; the details say why.
        is_archived: it is not listed.
    """

    run_id: str
    mark: Mark
    state: str
    since: float
    is_settled: bool = False
    is_troubled: bool = False
    labels: Mark = NOTHING
    is_archived: bool = False
    _line: bytes = field(default=b"", repr=False)
    _details: Details | None = None

    @property
    def details(self) -> Details:
        """What more is known; of a line that was read it is taken apart when somebody asks."""
        if self._details is None:
            self._details, self._line = _details(self._line), b""
        return self._details

    def to_line(self) -> bytes:
        """All of it, without the checksum."""
        flags = SETTLED * self.is_settled + TROUBLED * self.is_troubled + ARCHIVED * self.is_archived or b"-"
        labels = "-" if self.labels == NOTHING else ":".join(map(str, self.labels))
        words = [self.run_id, *map(str, self.mark), labels, self.state, repr(self.since)]
        facts = " ".join(words).encode() + b" " + flags
        more = self._details
        if more is None:
            return facts + b" " + self._line
        fields = json.dumps([more.name, more.name_of, more.of, more.trouble, more.parent]).encode()
        return facts + b" " + fields + b"\t" + more.row.rstrip(b"\n")

    @classmethod
    def from_line(cls, line: bytes) -> "Entry | None":
        """What `to_line` made; None for anything else."""
        try:
            run_id, mtime, ctime, inode, size, labels, state, since, flags, rest = line.split(b" ", 9)
            entry = cls(  # by place: thousands of them are read before the first answer
                run_id.decode("ascii"),
                (int(mtime), int(ctime), int(inode), int(size)),
                STATES[state],
                float(since),
                SETTLED in flags,
                TROUBLED in flags,
                NOTHING if labels == b"-" else _mark(labels.split(b":")),
                ARCHIVED in flags,
                rest,
            )
        except (ValueError, KeyError):
            return None
        return entry if RUN_ID.fullmatch(entry.run_id) and abs(entry.since) < 1 << 53 else None


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
            checksum, rest = line[:8], line[9:]
            if rest:
                self.lines += 1
                if checksum == self._checksum(rest) and (entry := Entry.from_line(rest)) is not None:
                    found[entry.run_id] = entry
        return found

    def add(self, entries: Collection[Entry]) -> None:
        """Write what was learnt; where the disk refuses, the next agent reads the runs themselves."""
        self.lines += len(entries)
        with contextlib.suppress(OSError):
            fd = os.open(self._path, FLAGS | os.O_APPEND, 0o600)
            try:
                if stat.S_ISREG(os.fstat(fd).st_mode):
                    os.write(fd, b"\n" + self._text(entries))  # another writer's torn end stays by itself
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
        lines = [entry.to_line() for entry in entries]
        return b"".join(self._checksum(line) + b" " + line + b"\n" for line in lines)

    def _checksum(self, data: bytes) -> bytes:
        return b"%08x" % zlib.crc32(data, self._seed)


def _details(line: bytes) -> Details:
    """From the rest of a line; what cannot be read is worked out again."""
    fields, _, row = line.partition(b"\t")
    try:
        name, name_of, of, trouble, parent = json.loads(fields)
        return Details(name, _mark(name_of), row, tuple(map(_mark, of)), trouble, parent)
    except (ValueError, TypeError, RecursionError):
        return Details()


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
