"""The interface of the published models: each position is scored alone, so its state is only a position."""

from abc import abstractmethod
from typing import Any

import torch
from torch import Tensor, nn

from trainer.config.model import ModelConfig
from trainer.models.base import LanguageModel
from trainer.models.outputs import Features


class PositionWise(LanguageModel[int]):
    """A model that mixes nothing across the sequence; its state is the position of the next token.

    Its weights are initialised as published: PyTorch's own defaults, embeddings from N(0, 1) among them.
    """

    def __init__(self, config: ModelConfig, vocab_size: int) -> None:
        super().__init__(config, vocab_size)
        nn.init.normal_(self.embedding.weight)

    @abstractmethod
    def positions(self, tokens: Tensor, start: int) -> Features:
        """Return the features of `tokens [B, T]` that stand at positions `start`, `start + 1`, ..."""

    def features(self, tokens: Tensor) -> Features:
        """See `LanguageModel.features`."""
        return self.positions(tokens, 0)

    def init_state(self, batch: int) -> int:
        """Return position 0."""
        del batch
        return 0

    def advance(self, token: Tensor, state: int) -> tuple[Features, int]:
        """See `LanguageModel.advance`."""
        return self.positions(token.unsqueeze(1), state), state + 1

    def parameter_groups(self, weight_decay: float, decay_omega: bool = False) -> list[dict[str, Any]]:
        """Return AdamW's groups as published: everything is decayed; omega_0 only with `decay_omega`."""
        omega: list[nn.Parameter] = []
        rest: list[nn.Parameter] = []
        for name, parameter in self.named_parameters():
            (omega if name.rsplit(".", 1)[-1] == "omega" else rest).append(parameter)
        return [
            {"params": rest, "weight_decay": weight_decay},
            {"params": omega, "weight_decay": weight_decay if decay_omega else 0.0},
        ]


class Positions(nn.Module):
    """A learned embedding of absolute positions."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.table = nn.Embedding(config.positions, config.dim)

    def forward(self, tokens: Tensor, start: int) -> Tensor:
        """Return `[T, D]` for `tokens [B, T]` from position `start` on.

        Raises:
            ValueError: the text is longer than the table.
        """
        end = start + tokens.shape[1]
        if end > self.table.num_embeddings:
            raise ValueError(
                f"position {end} is past the {self.table.num_embeddings} that this model has; "
                "shorten the context, or set model.positions"
            )
        out: Tensor = self.table(torch.arange(start, end, device=tokens.device))
        return out


def evenly_spaced(count: int) -> nn.Parameter:
    """Return omega_0 of `count` oscillators as published: -pi to pi, both ends."""
    return nn.Parameter(torch.linspace(-torch.pi, torch.pi, count))
