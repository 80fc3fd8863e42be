"""Which files make up a followed stream, and where a reader begins: of a run, or any file of the host."""

import contextlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from remote.protocol.values import BEGINNING, Cursor
from trainer.run.layout import RunDir
from trainer.run.logs import log_files, log_number

LINE_SEARCH = 1 << 16
SIBLINGS_MAX = 4096
FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY


class FollowedFiles(Protocol):
    """A stream's files. Names are those of files in one folder; a cursor holds one."""

    @property
    def run_id(self) -> str:
        """Whose it is; empty for a file of no run of ours."""

    @property
    def what(self) -> str:
        """`log`, `events` or `watch`."""

    def files(self) -> list[Path]:
        """Those that exist, oldest first."""

    def path(self, name: str) -> Path:
        """Where a file of the stream lies; a name that is none of its names names no file."""

    def after(self, name: str) -> Path | None:
        """The file that follows `name`."""

    def number(self, name: str) -> int:
        """The least generation of a file; 0 for no file."""

    def open(self, path: Path) -> int:
        """A descriptor that reads a plain file.

        Raises:
            OSError: there is none, or it cannot be read.
        """


@dataclass(frozen=True, slots=True)
class StreamSource:
    """Of a run: log/NNN.log in order, or events.jsonl alone."""

    run: RunDir
    what: str

    @property
    def run_id(self) -> str:
        """See `FollowedFiles`."""
        return self.run.run_id

    def files(self) -> list[Path]:
        """See `FollowedFiles`."""
        if self.what == "events":
            return [self.run.events] if self.run.events.exists() else []
        return log_files(self.run)

    def path(self, name: str) -> Path:
        """See `FollowedFiles`."""
        if self.what == "log" and log_number(name):
            return self.run.log_dir / name
        return self.run.events if self.what == "events" else self.run.log_dir / "none"

    def after(self, name: str) -> Path | None:
        """See `FollowedFiles`."""
        if self.what == "events" and name:
            return None
        return next((path for path in self.files() if self.number(path.name) > self.number(name)), None)

    def number(self, name: str) -> int:
        """Its number; 1 for events.jsonl."""
        return log_number(name) or int(bool(name))

    def open(self, path: Path) -> int:
        """See `FollowedFiles`; never through a link."""
        return _open_plain(path, os.O_NOFOLLOW)


@dataclass(frozen=True, slots=True)
class WatchedFile:
    """Any file that the operator names. A link is followed: `latest.log` is what a person would name."""

    place: Path

    @property
    def run_id(self) -> str:
        """None of ours."""
        return ""

    @property
    def what(self) -> str:
        """`watch`."""
        return "watch"

    def files(self) -> list[Path]:
        """See `FollowedFiles`."""
        return [self.place] if _is_there(self.place) else []

    def path(self, name: str) -> Path:  # noqa: ARG002  there is but one
        """See `FollowedFiles`."""
        return self.place

    def after(self, name: str) -> Path | None:
        """See `FollowedFiles`."""
        return None if name or not _is_there(self.place) else self.place

    def number(self, name: str) -> int:
        """1."""
        return int(bool(name))

    def open(self, path: Path) -> int:
        """See `FollowedFiles`."""
        return _open_plain(path, 0)


def _is_there(path: Path) -> bool:
    """Whether there is something, however odd.

    Raises:
        OSError: it cannot be told: a loop of links, a folder that may not be searched.
    """
    try:
        os.stat(path)  # noqa: PTH116  `exists` takes a loop for nothing
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _open_plain(path: Path, more: int) -> int:
    """Never opens a FIFO, whose writer would notice, nor a device, which might act; and waits for neither."""
    if not stat.S_ISREG(os.stat(path, follow_symlinks=not more & os.O_NOFOLLOW).st_mode):  # noqa: PTH116
        raise IsADirectoryError(f"{path} is not a plain file")
    fd = os.open(path, FLAGS | more)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise IsADirectoryError(f"{path} is not a plain file")
    return fd


def first_cursor(source: FollowedFiles, last: int) -> Cursor:
    """Where a reader begins who wants at most `last` bytes, from the start of a line."""
    files = source.files()
    for path in reversed(files):
        with contextlib.suppress(OSError), opened(source, path) as fd:
            size = os.fstat(fd).st_size
            if size >= last or path == files[0]:
                offset = _line_start(fd, max(0, size - last))
                return Cursor(gen=source.number(path.name), file=path.name, offset=offset)
            last -= size
    return BEGINNING


def _line_start(fd: int, offset: int) -> int:
    """The start of the first whole line from `offset` on, if one begins soon."""
    if offset == 0:
        return 0
    end = os.pread(fd, LINE_SEARCH, offset - 1).find(b"\n")
    return offset + end if end >= 0 else offset


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes [offset, offset + len(data)) of a file; `is_first`: nothing stands before them."""

    file: str
    offset: int
    data: bytes
    is_first: bool


def read_before(source: FollowedFiles, name: str, before: int, n: int) -> Piece:
    """At most `n` bytes before a place, from the start of a line; of the file before where it is its start.

    Raises:
        OSError: the file is gone, or was cut.
    """
    files = [path for path in source.files() if source.number(path.name) <= source.number(name)]
    earlier = [path for path in files if path.name != name]
    if before == 0:
        if not earlier:
            return Piece(name, 0, b"", is_first=True)
        *earlier, path = earlier
    else:
        path = source.path(name)
    with opened(source, path) as fd:
        size = os.fstat(fd).st_size
        if before > size:
            raise FileNotFoundError(f"{path.name} was cut meanwhile")
        end = before or size
        start = _line_start(fd, max(0, end - n))
        start = start if start < end else max(0, end - n)
        return Piece(path.name, start, os.pread(fd, end - start, start), start == 0 and not earlier)


def find_inode(path: Path, inode: int) -> Path | None:
    """A plain file beside `path` under another name: what it was before it was rotated away."""
    with contextlib.suppress(OSError), os.scandir(path.parent) as entries:
        for count, entry in enumerate(entries):
            if count > SIBLINGS_MAX:
                return None
            if entry.inode() == inode and entry.is_file(follow_symlinks=False):
                return Path(entry.path)
    return None


@contextlib.contextmanager
def opened(source: FollowedFiles, path: Path) -> Iterator[int]:
    """A descriptor of a file of the stream, closed afterwards.

    Raises:
        OSError: it cannot be read.
    """
    fd = source.open(path)
    try:
        yield fd
    finally:
        os.close(fd)
