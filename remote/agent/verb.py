"""What a verb is to the agent: an answer, or work that yields."""

from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    pass

Result: TypeAlias = Mapping[str, Any]


Work: TypeAlias = Generator[None, None, Result]
"""A verb that takes its time: it yields wherever the agent may serve others, about every 20 ms."""
