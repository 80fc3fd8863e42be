"""What a model carries from token to token: nothing, a state of constant size, or all of the text."""

from collections.abc import Iterable
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import torch
from torch import Tensor

from trainer.models import LanguageModel

EARLY, LATE = 8, 24
"""Tokens after which the state is counted."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Numbers in the state after 8 and after 24 tokens."""

    early: int
    late: int

    @property
    def grows(self) -> bool:
        """Whether the state keeps the text itself, as attention does."""
        return self.late > self.early

    @property
    def words(self) -> str:
        """The finding, for people."""
        if self.grows:
            return (
                f"keeps its whole text: {(self.late - self.early) // (LATE - EARLY):,} numbers more a token"
            )
        if self.early:
            return f"a state of {self.early:,} numbers, however long the text"
        return "none: nothing is carried from token to token but the position"


def memory(model: LanguageModel[Any]) -> Memory:
    """Step a model through a few tokens and count its state."""
    state, sizes = model.init_state(1), []
    token = torch.zeros(1, dtype=torch.long, device=model.embedding.weight.device)
    for _ in range(LATE):
        _, state = model.step(token, state)
        sizes.append(sum(tensor.numel() for tensor in _tensors(state)))
    return Memory(sizes[EARLY - 1], sizes[LATE - 1])


def _tensors(state: object) -> Iterable[Tensor]:
    if isinstance(state, Tensor):
        yield state
    elif isinstance(state, list | tuple):
        for part in state:
            yield from _tensors(part)
    elif is_dataclass(state):
        for field in fields(state):
            yield from _tensors(getattr(state, field.name))
