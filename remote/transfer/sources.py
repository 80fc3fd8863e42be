"""Where a pull's bytes come from: SFTP of a session's present connection, or this machine's own disk."""

import os
from collections.abc import Callable, Iterator
from typing import Protocol

from remote.protocol.errors import CallError
from remote.session.session import Session
from remote.transport.sftp import Sftp

CHUNK = 1 << 20


class LostError(Exception):
    """The link broke; what has arrived is good, and the rest may be asked for again."""


class NoChannelError(LostError):
    """The connection is there, and has no channel to spare; the cause says it in words."""


class GoneError(Exception):
    """There is no such file on the host any more."""


class FileSource(Protocol):
    """Reads files of a host; for one thread at a time. `close` may come from any thread."""

    def prepare(self) -> None:
        """Have whatever reading needs; may take seconds.

        Raises:
            LostError
        """

    def read(self, path: str, start: int, end: int) -> Iterator[bytes]:
        """Bytes [start, end), fewer where the file ends earlier.

        Raises:
            LostError, GoneError
            CallError: `refused`: it cannot be read.
        """

    def close(self) -> None:
        """Let go; a read that is going on ends with `LostError`."""


class LocalSource:
    """Files of this machine."""

    def prepare(self) -> None:
        """See `FileSource`."""

    def read(self, path: str, start: int, end: int) -> Iterator[bytes]:
        """See `FileSource`."""
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                while start < end and (data := os.pread(fd, min(CHUNK, end - start), start)):
                    start += len(data)
                    yield data
            finally:
                os.close(fd)
        except FileNotFoundError:
            raise GoneError(path) from None
        except OSError as error:
            raise CallError("refused", f"{path} cannot be read: {error.strerror}") from error

    def close(self) -> None:
        """See `FileSource`."""


class SftpSource:
    """Files of another machine. A channel is opened when it is first needed, and again after a lost link."""

    def __init__(self, open_sftp: Callable[[], Sftp]) -> None:
        self._open = open_sftp
        self._sftp: Sftp | None = None
        self._is_closed = False

    def prepare(self) -> None:
        """See `FileSource`."""
        if self._sftp is not None:
            return
        try:
            sftp = self._open()
        except OSError as error:
            raise LostError(str(error)) from error
        except CallError as error:
            if error.code not in ("unreachable", "timeout"):
                raise
            kind = NoChannelError if error.code == "timeout" else LostError
            raise kind(error.message) from error
        self._sftp = sftp
        if self._is_closed:
            self._drop()

    def read(self, path: str, start: int, end: int) -> Iterator[bytes]:
        """See `FileSource`."""
        self.prepare()
        try:
            if self._sftp is None:
                raise ConnectionAbortedError("closed")
            yield from self._sftp.read_stream(path, start, end)
        except FileNotFoundError:
            self._drop()
            raise GoneError(path) from None
        except PermissionError as error:
            self._drop()
            raise CallError("refused", f"the host does not let us read {path}", "look at its mode") from error
        except (OSError, EOFError) as error:
            self._drop()
            raise LostError(str(error)) from error
        except GeneratorExit:
            self._drop()
            raise

    def close(self) -> None:
        """See `FileSource`."""
        self._is_closed = True
        self._drop()

    def _drop(self) -> None:
        sftp, self._sftp = self._sftp, None
        if sftp is not None:
            sftp.close()


def open_source(session: Session) -> FileSource:
    """What reads the files of a session's host."""
    return LocalSource() if session.host.is_local else SftpSource(session.sftp)
