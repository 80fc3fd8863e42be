"""What a link needs of a way to reach an agent, whatever it is made of: a pipe, or a channel of SSH."""

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from remote.hosts.host import Host
from remote.protocol.errors import Question


@dataclass(frozen=True, slots=True)
class AgentExit:
    """How an agent ended, in a few words; `code` is its exit code where it has one that is known."""

    text: str
    code: int | None = None


class Transport(Protocol):
    """Bytes to and from one agent. Reads block; each method is called by one thread."""

    def read(self) -> bytes:
        """Some bytes of the agent's stdout; empty at its end."""

    def talk(self) -> bytes:
        """Some bytes of the agent's stderr; empty at its end."""

    def write(self, data: bytes) -> None:
        """All of `data` to the agent's stdin.

        Raises:
            OSError: the agent is gone.
        """

    def close(self) -> AgentExit:
        """End it, and say how it ended; takes two seconds at most. From any thread, more than once too."""


@dataclass(slots=True)
class Answers:
    """What the operator has answered for one host since this program began; secrets never leave memory.

    Attributes:
        accepted_keys: `SHA256:...` fingerprints of host keys that may be stored on first contact.
        passphrases: path of a private key -> its passphrase.
        accepted_proxies: SHA-256 of each ProxyCommand that may be run.
    """

    accepted_keys: set[str] = field(default_factory=set)
    passphrases: dict[str, str] = field(default_factory=dict, repr=False)
    accepted_proxies: set[str] = field(default_factory=set)

    def take(self, question: Question, text: str) -> None:
        """What the operator said; `text` is the passphrase, and of no account for the other kinds."""
        if question.kind == "passphrase":
            self.passphrases[question.subject] = text
        elif question.kind == "host_key":
            self.accepted_keys.add(question.fingerprint)
        else:
            self.accepted_proxies.add(question.fingerprint)


@dataclass(slots=True)
class ConnectAttempt:
    """One attempt to reach a host, made on a thread of its own.

    Attributes:
        deadline_s: seconds after which the attempt must have failed by itself.
        say: told each stage as it begins: `dns`, `tcp`, `ssh`, `auth`, `agent` (over a jump: `tcp via NAME`).
        gave_up: set when nobody waits for this attempt any more.
    """

    deadline_s: float = 15.0
    say: Callable[[str], None] = lambda _stage: None
    answers: Answers = field(default_factory=Answers)
    gave_up: threading.Event = field(default_factory=threading.Event)


class Opener(Protocol):
    """How a session reaches its host."""

    def __call__(self, host: Host, dial: ConnectAttempt, /) -> Transport:
        """Reach the host and start an agent there.

        Raises:
            OSError: it cannot be reached now; worth another try.
            CallError: trying again would not help; a `QuestionError` where the operator can decide.
        """


def open_transport(host: Host, dial: ConnectAttempt) -> Transport:
    """The opener of every session: a pipe for this machine, SSH for any other.

    Raises:
        OSError, CallError: see `Opener`.
    """
    if host.is_local:
        from remote.transport.local import LocalPipe

        return LocalPipe(host)
    from remote.session.link.ssh_pipe import open_ssh

    return open_ssh(host, dial)


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
