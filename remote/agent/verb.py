"""What a verb is to the agent: an answer, or work that yields."""

from collections.abc import Generator
from typing import TypeAlias, TypeVar

Result = TypeVar("Result")
Work: TypeAlias = Generator[None, None, Result]
"""A verb that takes its time: it yields wherever the agent may serve others, about every 20 ms."""
