"""What a link needs of a way to reach an agent, whatever it is made of: a pipe, or a channel of SSH."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from remote.hosts.host import Host
from remote.protocol.errors import Question


@dataclass(frozen=True, slots=True)
class AgentExit:
    """How an agent ended, in a few words; `code` is its exit code where it has one that is known."""

    text: str
    code: int | None = None


class HungUpError(ConnectionError):
    """The other end took the connection and ended it before we were in: each further try counts there."""


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
