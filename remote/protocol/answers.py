"""What comes of a verb: its answer or one typed error, and who is told."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeAlias

from remote.protocol.errors import CallError

Answer: TypeAlias = Mapping[str, Any] | CallError
OnDone: TypeAlias = Callable[[Answer], None]


class Caller(Protocol):
    """Who can ask a host and wait for its answer: a session."""

    def call(
        self, verb: str, args: Mapping[str, Any] | None = None, timeout: float = ...
    ) -> Mapping[str, Any]:
        """The answer of a verb.

        Raises:
            CallError: it was refused, or nobody answered.
        """
