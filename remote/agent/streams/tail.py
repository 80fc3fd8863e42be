"""Bytes of a followed stream, from a cursor on, over new files, truncation and replacement."""

import contextlib
import os
import zlib
from collections.abc import Callable
from pathlib import Path

from remote.agent.streams.source import FollowedFiles, WatchedFile, find_inode, first_cursor
from remote.protocol.messages import WINDOW, BytesHeader, Cursor, encode

__all__ = ["Tail", "WatchedFile", "first_cursor"]

CHUNK = 1 << 16
CHECKED = 64
SKIP_BEHIND = 4 << 20
SKIP_TO = 256 << 10


class Tail:
    """One followed stream. `poll` returns what to send; it stops at a window of unacknowledged bytes.

    With `skip` a reader that is more than 4 MiB behind goes on 256 KiB before the end: a `gap` says so.
    """

    def __init__(
        self, number: int, source: FollowedFiles, cursor: Cursor, *, follow: bool, skip: bool = False
    ) -> None:
        self.number = number
        self.source = source
        self.is_done = False
        self._follow, self._skip = follow, skip
        self._gen, self._file, self._offset = cursor.gen, cursor.file, cursor.offset
        self._check = (cursor.crc, cursor.crc_n)
        self._fd = -1
        self._inode = 0
        self._sent = self._acked = 0
        self._open(cursor.inode)

    @property
    def cursor(self) -> Cursor:
        """Where it stands."""
        crc, n = self._check
        return Cursor(
            gen=self._gen, file=self._file, offset=self._offset, crc=crc, crc_n=n, inode=self._inode
        )

    def behind(self) -> int:
        """Bytes that stand after the cursor now, in its file and in those that follow it."""
        number = self.source.number
        here = os.fstat(self._fd).st_size - self._offset if self._fd >= 0 else 0
        later = [path for path in self.source.files() if number(path.name) > number(self._file)]
        return max(0, here) + sum(map(_size, later))

    def before(self) -> int:
        """Bytes that stand before the cursor now, in its file and in those before it."""
        number = self.source.number
        earlier = [path for path in self.source.files() if number(path.name) < number(self._file)]
        return self._offset + sum(map(_size, earlier))

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

        Raises:
            OSError: the disk refused.
        """
        frames: list[bytes] = []
        try:
            self._fill(frames, is_over, is_thorough)
        except OSError:
            if not frames:
                raise  # else what was read goes out first: the next look meets the same refusal
        return frames

    def _fill(self, frames: list[bytes], is_over: Callable[[], bool], is_thorough: bool) -> None:
        if self._skip and self._sent - self._acked < WINDOW and (is_thorough or self._is_far_behind()):
            self._skip_on(frames)
        while not self.is_done and self._sent - self._acked < WINDOW:
            if self._read_some(frames):
                continue
            if not is_thorough:
                break
            over = is_over()
            if self._is_rewritten() or self._read_some(frames) or self._move_on(frames):
                continue
            if over or not self._follow:
                self.is_done = True
            break

    def _open(self, inode: int) -> None:
        """Open the file of the cursor; begin it anew if it is no longer what was read."""
        if not self._file:
            self._move_on([])
            return
        path = self.source.path(self._file)
        if not self._take(path):
            return
        if inode and self._inode != inode:
            # Rotated while nobody looked. What was read lies beside it perhaps: drain that first.
            moved = find_inode(path, inode)
            if moved and self._take(moved) and self._inode == inode and self._is_same():
                return
            if not self._take(path):
                self.close()
            self._begin_anew()
        elif not self._is_same():
            self._begin_anew()
        elif not self._check[1]:
            self._remember()

    def _take(self, path: Path) -> bool:
        """Open a file in place of the present one; False if it is not there (any more)."""
        try:
            fd = self.source.open(path)
        except FileNotFoundError:
            return False
        self.close()
        self._fd, self._inode = fd, os.fstat(fd).st_ino
        return True

    def _begin_anew(self) -> None:
        self._gen, self._offset, self._check = self._gen + 1, 0, (0, 0)

    def _is_same(self) -> bool:
        """Whether the bytes before the offset are still those that were read."""
        crc, n = self._check
        if os.fstat(self._fd).st_size < self._offset:
            return False
        return not n or zlib.crc32(os.pread(self._fd, n, self._offset - n)) == crc

    def _is_rewritten(self) -> bool:
        """Drained, and yet another file by its bytes: it was cut and has grown to the very same size."""
        if self._fd < 0 or self._is_same():
            return False
        self._begin_anew()
        return True

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
            run=self.source.run_id,
            what=self.source.what,
            file=self._file,
            gen=self._gen,
            off=self._offset,
            n=len(data),
            ino=self._inode,
            at=os.fstat(self._fd).st_mtime,
        )
        frames.append(header.encode() + data)
        self._offset += len(data)
        self._sent += len(data)
        self._remember(data)
        return True

    def _remember(self, sent: bytes = b"") -> None:
        """Of what was sent where that is enough: the file may be another one by now."""
        n = min(CHECKED, self._offset)
        last = sent[-n:] if len(sent) >= n else os.pread(self._fd, n, self._offset - n)
        self._check = (zlib.crc32(last), n)

    def _move_on(self, frames: list[bytes]) -> bool:
        """The open file is drained: go to what replaced it, or to the file after it.

        Once that is there, the old file is looked at a last time: its last words may have come meanwhile.
        """
        path = self.source.path(self._file) if self._file else None
        if path is not None and self._is_replaced(path):
            was_open = self._fd >= 0
            if self._read_some(frames):
                return True
            if not self._take(path):
                return False
            if self._offset or was_open:
                self._begin_anew()
            return True
        following = self.source.after(self._file)
        if following is None:
            return False
        if self._read_some(frames):
            return True
        if not self._take(following):
            return False
        number = self.source.number(following.name)
        self._gen = max(self._gen + 1, number) if self._gen else number
        self._file, self._offset, self._check = following.name, 0, (0, 0)
        return True

    def _is_replaced(self, path: Path) -> bool:
        try:
            there = path.stat()
        except FileNotFoundError:
            return False
        held = os.fstat(self._fd) if self._fd >= 0 else None
        return held is None or (there.st_ino, there.st_dev) != (held.st_ino, held.st_dev)

    def _is_far_behind(self) -> bool:
        """In this file alone: all that a quick look tells."""
        return self._fd >= 0 and os.fstat(self._fd).st_size - self._offset > SKIP_BEHIND

    def _skip_on(self, frames: list[bytes]) -> None:
        missed = self.behind()
        if missed <= SKIP_BEHIND:
            return
        before, to = self.cursor, first_cursor(self.source, SKIP_TO)
        if not to.file or not self._take(self.source.path(to.file)):
            return
        if to.file != self._file:
            self._gen = max(self._gen + 1, to.gen)
        self._file, self._offset = to.file, to.offset
        self._remember()
        after = self.cursor
        gap = {"from": before.to_json(), "to": after.to_json(), "bytes": missed - self.behind()}
        frames.append(encode({"event": "gap", "stream": self.number, "run": self.source.run_id, **gap}))


def _size(path: Path) -> int:
    with contextlib.suppress(OSError):
        return path.stat().st_size
    return 0
