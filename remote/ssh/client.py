"""The one module that knows Paramiko: an authenticated connection, and the channels on it."""

from dataclasses import dataclass
from typing import cast

import paramiko

from remote.hosts import Host
from remote.transport import Dial, Sftp, Transport


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command on the host answered."""

    code: int
    out: bytes
    err: bytes


class SshClient:
    """One authenticated connection. Every method may be called from any thread."""

    def __init__(self, transport: paramiko.Transport) -> None:
        self._transport = transport

    def run(self, command: str, stdin: bytes = b"", timeout_s: float = 30.0) -> Ran:
        """Run a command to its end, `stdin` given to it.

        Raises:
            OSError: the link broke, or it took longer than `timeout_s`.
        """
        raise NotImplementedError

    def open_agent(self, command: str) -> Transport:
        """Run a command and speak with it.

        Raises:
            OSError: the link broke.
        """
        raise NotImplementedError

    def sftp(self) -> Sftp:
        """A new SFTP channel.

        Raises:
            OSError: the link broke, or the host offers none.
        """
        return cast(Sftp, paramiko.SFTPClient.from_transport(self._transport))

    def close(self) -> None:
        """End the connection and every channel on it."""
        self._transport.close()


def connect(host: Host, dial: Dial) -> SshClient:
    """Reach `host` through its jumps, verify every key, authenticate.

    Raises:
        OSError: it cannot be reached now.
        CallError: trying again would not help; a `QuestionError` where the operator can decide.
    """
    raise NotImplementedError
