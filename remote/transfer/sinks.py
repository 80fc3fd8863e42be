"""Where a push's bytes go: SFTP of a session's present connection, or this machine's own disk."""

import os
from collections.abc import Callable, Iterable
from typing import Protocol

from remote.protocol.errors import CallError
from remote.session.session import Session
from remote.transfer.sources import LostError
from remote.transport.sftp import Sftp
from trainer.run.disk.atomic import NO_SPACE


class Sink(Protocol):
    """Writes files of a host."""

    def write(self, path: str, start: int, chunks: Iterable[bytes], on_sent: Callable[[int], None]) -> None:
        """Write from byte `start` on, 0: anew; `on_sent` is told of bytes that arrived.

        Never emptied first: another client may be writing the very same bytes, or have had them proven.

        Raises:
            LostError
            CallError: `disk_low`, or `refused`: it cannot be written.
        """

    def close(self) -> None:
        """Let go."""


class LocalSink:
    """Files of this machine."""

    def write(self, path: str, start: int, chunks: Iterable[bytes], on_sent: Callable[[int], None]) -> None:
        """See `Sink`."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        try:
            fd = os.open(path, flags, 0o600)
            try:
                os.lseek(fd, start, os.SEEK_SET)
                for data in chunks:
                    rest = memoryview(data)
                    while rest:
                        rest = rest[os.write(fd, rest) :]
                    on_sent(len(data))
                if os.fstat(fd).st_size > (end := os.lseek(fd, 0, os.SEEK_CUR)):
                    os.ftruncate(fd, end)
            finally:
                os.close(fd)
        except OSError as error:
            raise _refused(path, error) from error

    def close(self) -> None:
        """See `Sink`."""


class SftpSink:
    """Files of another machine, over a channel that is opened anew after a lost link."""

    def __init__(self, open_sftp: Callable[[], Sftp]) -> None:
        self._open = open_sftp
        self._sftp: Sftp | None = None

    def write(self, path: str, start: int, chunks: Iterable[bytes], on_sent: Callable[[int], None]) -> None:
        """See `Sink`."""
        try:
            if self._sftp is None:
                self._sftp = self._open()
            self._sftp.write_stream(path, start, chunks, on_sent)
        except (ConnectionError, TimeoutError, EOFError) as error:
            self.close()
            raise LostError(str(error)) from error
        except OSError as error:
            self.close()
            if error.errno is None and "closed" in str(error).lower():
                raise LostError(str(error)) from error
            raise _refused(path, error) from error
        except CallError as error:
            self.close()
            if error.code not in ("unreachable", "timeout"):
                raise
            raise LostError(error.message) from error

    def close(self) -> None:
        """See `Sink`."""
        sftp, self._sftp = self._sftp, None
        if sftp is not None:
            sftp.close()


def open_sink(session: Session) -> Sink:
    """What writes files on a session's host."""
    return LocalSink() if session.host.is_local else SftpSink(session.sftp)


def _refused(path: str, error: OSError) -> CallError:
    if error.errno in NO_SPACE:
        return CallError("disk_low", "the host's disk is full", "free some space; the next push goes on")
    why = error.strerror or str(error)
    return CallError(
        "refused", f"{path} cannot be written on the host: {why}", "look at that folder and at its disk"
    )
