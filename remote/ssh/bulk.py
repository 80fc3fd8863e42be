"""Bulk bytes over one SFTP channel: requests of 255 KiB, many on their way.

Paramiko's own prefetch asks for 32 KiB at a time and either buffers a whole file or sleeps between requests;
its pipelined writes wait in a like manner. This asks by the same client underneath.
"""

import contextlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from paramiko.sftp import CMD_DATA, CMD_READ, CMD_STATUS, CMD_WRITE, SFTPError

from remote.ssh.sftp_internals import BROKEN, KNOWN, SftpInternals

READ_SIZE = 255 << 10  # OpenSSH's own limit of an answer is 256 KiB with its head
WRITE_SIZE = 128 << 10
DEPTH = 32
DEPTH_MIN = 6
RISK = 20  # at most a twentieth of what has come is on its way: so much may be lost with the link
PLAIN_SIZE = 1 << 18


class BulkSftp(SftpInternals):
    """Paramiko's client, and two methods that keep the line full. For one thread at a time."""

    is_pipelined = KNOWN

    def read_stream(self, path: str, start: int, end: int, depth: int = DEPTH) -> Iterator[bytes]:
        """Bytes [start, end) of a file, fewer if it ends earlier. Left early, it closes the channel.

        Raises:
            FileNotFoundError, PermissionError: as the host says.
            ConnectionError: the link broke.
        """
        is_whole = False
        try:
            file = self.open(path, "rb")
            if self.is_pipelined:
                yield from _Reader(self, _handle(file), start, end, depth).chunks()
            else:
                yield from _read_plainly(file, start, end)
            is_whole = True
            file.close()
        except BROKEN as error:
            raise ConnectionResetError(f"the link broke during a transfer: {error}") from None
        finally:
            if not is_whole:
                self.close()

    def write_stream(
        self,
        path: str,
        start: int,
        chunks: Iterable[bytes],
        on_sent: Callable[[int], None] = lambda _count: None,
        depth: int = DEPTH,
    ) -> None:
        """Write a file from byte `start` on (0: anew). `on_sent` is told of bytes that the host has taken.

        What lies there is overwritten and never emptied first: another client may be writing the very same
        bytes, or may have had them proven by now. What is longer than ours is cut when ours is whole.

        Raises:
            OSError: as the host says (PermissionError, a full disk).
            ConnectionError: the link broke.
        """
        is_whole = False
        try:
            if not start:
                with contextlib.suppress(OSError):  # it is there already
                    self.open(path, "wx").close()
            file = self.open(path, "r+b")
            writer: _Writer | _PlainWriter = (
                _Writer(self, _handle(file), start, depth, on_sent)
                if self.is_pipelined
                else _PlainWriter(file, start, on_sent)
            )
            for chunk in chunks:
                writer.write(chunk)
            writer.finish(0)
            if (file.stat().st_size or 0) > writer.end:
                file.truncate(writer.end)
            is_whole = True
            file.close()
        except BROKEN as error:
            raise ConnectionResetError(f"the link broke during a transfer: {error}") from None
        finally:
            if not is_whole:
                self.close()


def _read_plainly(file: Any, start: int, end: int) -> Iterator[bytes]:
    """The public way: Paramiko asks for a little at a time, and waits."""
    file.seek(start)
    while start < end and (data := file.read(min(PLAIN_SIZE, end - start))):
        start += len(data)
        yield data


class _PlainWriter:
    """The public way: each piece is answered before the next one goes."""

    def __init__(self, file: Any, start: int, on_sent: Callable[[int], None]) -> None:
        self._file, self.end, self._on_sent = file, start, on_sent
        file.seek(start)

    def write(self, data: bytes) -> None:
        self._file.write(data)
        self._file.flush()
        self.end += len(data)
        self._on_sent(len(data))

    def finish(self, left: int) -> None:
        """Nothing is on its way."""


def _handle(file: Any) -> bytes:
    """The host's name for an open file; Paramiko's stubs have it wrong."""
    return bytes(file.handle)


class _Answers:
    """Where Paramiko's client puts the answers to our requests."""

    def __init__(self, convert: Callable[[Any], None]) -> None:
        self.data: dict[int, bytes] = {}
        self.error: Exception | None = None
        self._convert = convert

    def _async_response(self, kind: int, message: Any, number: int) -> None:
        if kind == CMD_DATA:
            self.data[number] = message.get_string()
            return
        self.data[number] = b""
        if kind != CMD_STATUS:
            self.error = SFTPError("an answer of another kind")
            return
        try:
            self._convert(message)
        except EOFError:
            return  # the file ends here
        except OSError as error:
            self.error = error


class _Reader:
    def __init__(self, sftp: Any, handle: bytes, start: int, end: int, depth: int) -> None:
        self._sftp, self._handle, self._next, self._end, self._depth = sftp, handle, start, end, depth
        self._size = READ_SIZE
        self._asked: deque[tuple[int, int, int]] = deque()
        self._answers = _Answers(sftp.raise_status)

    def chunks(self) -> Iterator[bytes]:
        while True:
            depth = max(DEPTH_MIN, min(self._depth, self._next // RISK // READ_SIZE))
            while len(self._asked) < depth and self._next < self._end:
                length = min(self._size, self._end - self._next)
                self._asked.append(self._ask(self._next, length))
                self._next += length
            if not self._asked:
                return
            number, offset, length = self._asked.popleft()
            data = self._wait(number)
            if not data:
                return
            if len(data) < length:  # an older server's limit: ask for the rest, and for less from now on
                self._size = max(1 << 15, min(self._size, len(data)))
                starts = range(offset + len(data), offset + length, self._size)
                rest = [self._ask(start, min(self._size, offset + length - start)) for start in starts]
                self._asked.extendleft(reversed(rest))
            yield data

    def _ask(self, offset: int, length: int) -> tuple[int, int, int]:
        number = self._sftp.request(self._answers, CMD_READ, self._handle, offset, length)
        return number, offset, length

    def _wait(self, number: int) -> bytes:
        while number not in self._answers.data:
            self._sftp.hear_answer()
        if self._answers.error is not None:
            raise self._answers.error
        return self._answers.data.pop(number)


class _Writer:
    def __init__(
        self, sftp: Any, handle: bytes, start: int, depth: int, on_sent: Callable[[int], None]
    ) -> None:
        self._sftp, self._handle, self._offset, self._depth = sftp, handle, start, depth
        self._on_sent = on_sent
        self._asked: deque[tuple[int, int]] = deque()
        self._answers = _Answers(sftp.raise_status)

    @property
    def end(self) -> int:
        """Where the next byte goes."""
        return self._offset

    def write(self, data: bytes) -> None:
        for at in range(0, len(data), WRITE_SIZE):
            piece = data[at : at + WRITE_SIZE]
            number = self._sftp.request(self._answers, CMD_WRITE, self._handle, self._offset, piece)
            self._offset += len(piece)
            self._asked.append((number, len(piece)))
            self.finish(self._depth)

    def finish(self, left: int) -> None:
        """Wait until at most `left` requests are on their way."""
        while len(self._asked) > left:
            number, length = self._asked.popleft()
            while number not in self._answers.data:
                self._sftp.hear_answer()
            del self._answers.data[number]
            if self._answers.error is not None:
                raise self._answers.error
            self._on_sent(length)
