"""The bytes of a file or of stdin, once, as they come; with `follow` also those that are still to come."""

import contextlib
import errno
import os
import stat
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from tui.commands.output import say

CHUNK = 1 << 16
CHECKED = 64
POLL_S = 0.1
UNWRITTEN_S = 1.0  # after which a FIFO without a writer is told
STDIN = "-"


class ByteSource:
    """A file, or `-` for stdin. Nothing is opened twice, so that a pipe is whole.

    Attributes:
        live: whether the end has been seen once, so that what comes now is new.
        rewritten: how often the file was cut or replaced under us, and is read from its new beginning.
    """

    def __init__(self, name: str, *, follow: bool = False) -> None:
        self.name = name
        self.live = False
        self.rewritten = 0
        self._follow = follow and name != STDIN
        self._place = 0
        self._last = b""  # what stands directly before that place

    def __iter__(self) -> Iterator[bytes]:
        """Pieces of it, the first as soon as there is one; an empty piece where nothing came for a moment.

        Raises:
            OSError: it cannot be read.
        """
        if self.name == STDIN:
            yield from _copy(sys.stdin.fileno())
            return
        path = Path(self.name)
        fd = self._first(path)
        try:
            if not self._follow or not stat.S_ISREG(os.fstat(fd).st_mode):
                yield from _copy(fd)
                return
            while True:
                yield from self._drain(fd)
                self.live = True
                yield b""
                time.sleep(POLL_S)
                if (following := _other(path, fd)) is not None:
                    try:
                        yield from self._drain(fd)  # its last words may have come meanwhile
                    finally:
                        os.close(fd)
                        fd = following
                    yield self._begin_anew()
        finally:
            os.close(fd)

    def _first(self, path: Path) -> int:
        """The file; with `follow` it is waited for."""
        with contextlib.suppress(FileNotFoundError):
            return _open(path)
        if not self._follow:
            return _open(path)  # its absence is the caller's to tell
        say(f"photinus: {self.name} is not there yet: waiting for it")
        self.live = True
        while True:
            time.sleep(POLL_S)
            with contextlib.suppress(FileNotFoundError):
                return _open(path)

    def _drain(self, fd: int) -> Iterator[bytes]:
        """What is new; from the beginning where the file was cut, even if it has grown past our place."""
        while True:
            begin = self._place - len(self._last)
            data = os.pread(fd, len(self._last) + CHUNK, begin)
            if data[: len(self._last)] != self._last:
                yield self._begin_anew()
                continue
            if not (data := data[len(self._last) :]):
                return
            self._place += len(data)
            self._last = (self._last + data)[-CHECKED:] if len(data) < CHECKED else data[-CHECKED:]
            yield data
            self.live = self.live or len(data) < CHUNK  # its end was there

    def _begin_anew(self) -> bytes:
        """The mark of another file, or of the same from its new beginning: see `rewritten`."""
        self._place, self._last = 0, b""
        self.rewritten += 1
        return b""


def _copy(fd: int) -> Iterator[bytes]:
    while data := os.read(fd, CHUNK):
        yield data


def _open(path: Path) -> int:
    """A file, a pipe or a terminal; of a disk or of /dev/zero there is no end.

    Raises:
        OSError: there is none, or it is such a device.
    """
    waits = threading.Timer(
        UNWRITTEN_S, say, [f"photinus: {path} is a FIFO that nobody writes: waiting for a writer"]
    )
    waits.daemon = True
    if path.is_fifo():  # opening it takes until then
        waits.start()
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    finally:
        waits.cancel()
    found = os.fstat(fd)
    is_character = stat.S_ISCHR(found.st_mode) and not os.isatty(fd)
    if stat.S_ISBLK(found.st_mode) or (is_character and not os.path.samestat(found, os.stat(os.devnull))):  # noqa: PTH116
        os.close(fd)
        raise OSError(errno.EINVAL, "a device is no log", str(path))
    return fd


def _other(path: Path, fd: int) -> int | None:
    """The file that has the name by now, where that is another one."""
    try:
        named, ours = path.stat(), os.fstat(fd)
        return _open(path) if (named.st_dev, named.st_ino) != (ours.st_dev, ours.st_ino) else None
    except FileNotFoundError:
        return None  # rotated away, and the next one not there yet
