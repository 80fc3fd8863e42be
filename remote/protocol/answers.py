"""What comes of a verb: its answer or one typed error, and who is told."""

from collections.abc import Callable
from typing import Protocol, TypeAlias, TypeVar

from remote.protocol.arguments import VerbArgs
from remote.protocol.errors import CallError
from remote.protocol.verbs import Verb

A = TypeVar("A", bound=VerbArgs)
R = TypeVar("R")
Answer: TypeAlias = R | CallError
OnDone: TypeAlias = Callable[[Answer[R]], None]


class Caller(Protocol):
    """Who can ask a host and wait for its answer: a session."""

    def call(self, verb: Verb[A, R], args: A, timeout: float = ...) -> R:
        """The answer of a verb.

        Raises:
            ProtocolError: it makes no sense.
            CallError: it was refused, or nobody answered.
        """
