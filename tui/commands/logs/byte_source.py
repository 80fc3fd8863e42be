"""The bytes of a file or of stdin, once, as they come; with `follow` also those that are still to come."""

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

CHUNK = 1 << 18
POLL_S = 0.1
STDIN = "-"


class ByteSource:
    """A file, or `-` for stdin. Nothing is opened twice, so that a pipe is whole.

    Attributes:
        live: whether the end has been seen once, so that what comes now is new.
    """

    def __init__(self, name: str, *, follow: bool = False) -> None:
        self.name = name
        self.live = False
        self._follow = follow and name != STDIN

    def __iter__(self) -> Iterator[bytes]:
        """Pieces of it, the first as soon as there is one; an empty piece where nothing came for a moment.

        Raises:
            OSError: it cannot be read.
        """
        if self.name == STDIN:
            yield from self._drain(sys.stdin.fileno())
            return
        path = Path(self.name)
        fd = self._open(path)
        try:
            while True:
                yield from self._drain(fd)
                if not self._follow:
                    return
                self.live = True
                yield b""
                time.sleep(POLL_S)
                if _is_replaced(path, fd):
                    os.close(fd)
                    fd = self._open(path)
                    yield b"\n"  # a line that was begun in the file before does not go on in this one
        finally:
            os.close(fd)

    def _drain(self, fd: int) -> Iterator[bytes]:
        while data := os.read(fd, CHUNK):
            yield data
            self.live = self.live or (self._follow and len(data) < CHUNK)  # its end was there

    @staticmethod
    def _open(path: Path) -> int:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)


def _is_replaced(path: Path, fd: int) -> bool:
    """Whether the name is another file by now, or the file was cut short."""
    try:
        named = path.stat()
    except FileNotFoundError:
        return False  # rotated away, and the next one not there yet
    ours = os.fstat(fd)
    if (named.st_dev, named.st_ino) != (ours.st_dev, ours.st_ino):
        return True
    return named.st_size < os.lseek(fd, 0, os.SEEK_CUR)
