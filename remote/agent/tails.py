"""Bytes of a run's log or events, from a cursor on, over new files, truncation and replacement."""

import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from remote.protocol import WINDOW, BytesHeader, Cursor
from trainer.run.layout import RunDir
from trainer.run.logs import log_files, log_number

CHUNK = 1 << 16
CHECKED = 64
LINE_SEARCH = 1 << 16


@dataclass(frozen=True, slots=True)
class Source:
    """Which files make up a stream: log/NNN.log in order, or events.jsonl alone."""

    run: RunDir
    what: str

    def files(self) -> list[Path]:
        """Those that exist, oldest first."""
        if self.what == "events":
            return [self.run.events] if self.run.events.exists() else []
        return log_files(self.run)

    def path(self, name: str) -> Path:
        """Where a file of the stream lies; a name that is none of its names no file."""
        if self.what == "log" and log_number(name):
            return self.run.log_dir / name
        return self.run.events if self.what == "events" else self.run.log_dir / "none"

    def after(self, name: str) -> Path | None:
        """The file that follows `name`."""
        if self.what == "events" and name:
            return None
        return next((path for path in self.files() if generation(path.name) > generation(name)), None)


def generation(name: str) -> int:
    """The least generation of a file: its number; 1 for events.jsonl; 0 for no file."""
    return log_number(name) or int(bool(name))


def first_cursor(source: Source, last: int) -> Cursor:
    """Where a reader begins who wants at most `last` bytes, from the start of a line."""
    files = source.files()
    for path in reversed(files):
        size = path.stat().st_size
        if size >= last or path == files[0]:
            offset = _line_start(path, max(0, size - last))
            return Cursor(gen=generation(path.name), file=path.name, offset=offset)
        last -= size
    return Cursor()


def _line_start(path: Path, offset: int) -> int:
    if offset == 0:
        return 0
    with path.open("rb") as file:
        file.seek(offset - 1)
        end = file.read(LINE_SEARCH).find(b"\n")
    return offset + end if end >= 0 else offset


class Tail:
    """One followed stream. `poll` returns what to send; it stops at a window of unacknowledged bytes."""

    def __init__(self, number: int, source: Source, cursor: Cursor, *, follow: bool) -> None:
        self.number = number
        self.source = source
        self.is_done = False
        self._follow = follow
        self._gen, self._file, self._offset = cursor.gen, cursor.file, cursor.offset
        self._check = (cursor.crc, cursor.crc_n)
        self._fd = -1
        self._sent = self._acked = 0
        self._open()

    @property
    def cursor(self) -> Cursor:
        """Where it stands."""
        return Cursor(gen=self._gen, file=self._file, offset=self._offset)

    def acknowledge(self, received: int) -> None:
        """The client has read this many bytes of the stream."""
        self._acked = max(self._acked, min(received, self._sent))

    def close(self) -> None:
        """Let the file go."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def poll(self, is_over: Callable[[], bool], *, is_thorough: bool = True) -> list[bytes]:
        """Headers and bytes that are new. `is_over` is asked before the last look: nothing is missed.

        Only a thorough poll looks for an end, a new file or a replaced one.
        """
        frames: list[bytes] = []
        while not self.is_done and self._sent - self._acked < WINDOW:
            if self._read_some(frames):
                continue
            if not is_thorough:
                break
            over = is_over()
            if self._read_some(frames) or self._move_on():
                continue
            if over or not self._follow:
                self.is_done = True
            break
        return frames

    def _open(self) -> None:
        """Open the file of the cursor; begin it anew if it is no longer what was read."""
        if not self._file:
            self._move_on()
            return
        try:
            self._fd = os.open(self.source.path(self._file), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return
        if not self._is_same():
            self._begin_anew()

    def _begin_anew(self) -> None:
        self._gen, self._offset, self._check = self._gen + 1, 0, (0, 0)

    def _is_same(self) -> bool:
        """Whether the bytes before the offset are still those that were read."""
        crc, n = self._check
        if os.fstat(self._fd).st_size < self._offset:
            return False
        return not n or zlib.crc32(os.pread(self._fd, n, self._offset - n)) == crc

    def _read_some(self, frames: list[bytes]) -> bool:
        if self._fd < 0:
            return False
        size = os.fstat(self._fd).st_size
        if size == self._offset:
            return False
        if not self._is_same():
            self._begin_anew()
        room = WINDOW - (self._sent - self._acked)
        data = os.pread(self._fd, max(0, min(CHUNK, room)), self._offset)
        if not data:
            return False
        header = BytesHeader(
            stream=self.number,
            run=self.source.run.run_id,
            what=self.source.what,
            file=self._file,
            gen=self._gen,
            off=self._offset,
            n=len(data),
        )
        frames.append(header.encode() + data)
        self._offset += len(data)
        self._sent += len(data)
        self._remember()
        return True

    def _remember(self) -> None:
        n = min(CHECKED, self._offset)
        self._check = (zlib.crc32(os.pread(self._fd, n, self._offset - n)), n)

    def _move_on(self) -> bool:
        """The open file is drained: go to what replaced it, or to the file after it."""
        path = self.source.path(self._file) if self._file else None
        if path is not None and self._is_replaced(path):
            was_open = self._fd >= 0
            self.close()
            self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            if self._offset or was_open:
                self._begin_anew()
            return True
        following = self.source.after(self._file)
        if following is None:
            return False
        if self._fd >= 0 and os.fstat(self._fd).st_size > self._offset:
            return True  # the last words were written after our last look, and before that file appeared
        self.close()
        self._fd = os.open(following, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        self._file, self._offset, self._check = following.name, 0, (0, 0)
        self._gen = (
            max(self._gen + 1, generation(following.name)) if self._gen else generation(following.name)
        )
        return True

    def _is_replaced(self, path: Path) -> bool:
        try:
            there = path.stat()
        except FileNotFoundError:
            return False
        return self._fd < 0 or there.st_ino != os.fstat(self._fd).st_ino
