"""Files of a host over a transport's own connection."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class Carrier(Protocol):
    """A transport whose connection carries other channels beside the agent's: SSH does, a pipe does not."""

    def sftp(self) -> "Sftp":
        """A new SFTP channel.

        Raises:
            OSError: the link broke, or the host offers no SFTP.
            CallError: `timeout`: all channels stayed in use.
        """


class SftpFile(Protocol):
    """An open file at the other end, as Paramiko offers it."""

    def read(self, size: int = ...) -> bytes: ...  # noqa: D102
    def write(self, data: bytes) -> Any: ...  # noqa: D102
    def seek(self, offset: int, whence: int = ...) -> None: ...  # noqa: D102
    def prefetch(self, file_size: int | None = ..., max_concurrent_requests: int | None = ...) -> None: ...  # noqa: D102
    def set_pipelined(self, pipelined: bool = ...) -> None: ...  # noqa: D102
    def close(self) -> None: ...  # noqa: D102


class Sftp(Protocol):
    """One SFTP channel, as Paramiko offers it: code that moves bytes knows this, and not Paramiko."""

    def open(self, filename: str, mode: str = ..., bufsize: int = ...) -> SftpFile: ...  # noqa: D102
    def stat(self, path: str) -> Any: ...  # noqa: D102
    def listdir_attr(self, path: str = ...) -> list[Any]: ...  # noqa: D102
    def mkdir(self, path: str, mode: int = ...) -> None: ...  # noqa: D102
    def chmod(self, path: str, mode: int) -> None: ...  # noqa: D102
    def posix_rename(self, oldpath: str, newpath: str) -> None: ...  # noqa: D102
    def remove(self, path: str) -> None: ...  # noqa: D102
    def rmdir(self, path: str) -> None: ...  # noqa: D102
    def close(self) -> None: ...  # noqa: D102

    def read_stream(self, path: str, start: int, end: int) -> Iterator[bytes]:
        """Bytes [start, end) of a file as fast as the line allows; see `remote.ssh.bulk`."""

    def write_stream(
        self, path: str, start: int, chunks: Iterable[bytes], on_sent: Callable[[int], None] = ...
    ) -> None:
        """Write a file from byte `start` on as fast as the line allows; see `remote.ssh.bulk`."""
