"""kssm-v2 as published: position-wise blocks whose R is read and never used."""

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout, gelu, layer_norm

from trainer.config.model import ModelConfig
from trainer.models.base import stack_layers
from trainer.models.outputs import Features
from trainer.models.published.phases import intervened, kuramoto_step, magnitude
from trainer.models.published.positionwise import Positions, PositionWise, evenly_spaced


class BlockV2(nn.Module):
    """Phases of each position, one coupling step, and their sines and cosines back into the stream."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        units, dim = config.oscillators, config.dim
        self.dropout = config.dropout
        self.intervene: Callable[[Tensor], Tensor] | None = None
        self.phase_norm = nn.LayerNorm(dim)
        self.omega = evenly_spaced(units)
        self.drive = nn.Linear(dim, units)
        self.coupling = nn.Linear(dim, 1)
        self.out = nn.Linear(2 * units, dim)
        self.ffn_norm = nn.LayerNorm(dim)
        self.rise = nn.Linear(dim, round(config.ffn * dim))
        self.fall = nn.Linear(round(config.ffn * dim), dim)

    def forward(self, stream: Tensor) -> tuple[Tensor, Tensor]:
        """Return the next stream `[B, T, D]` and R `[B, T]`."""
        seen = self.phase_norm(stream)
        theta = intervened(self.omega + self.drive(seen), self.intervene)
        theta = kuramoto_step(theta, 2 * self.coupling(seen).sigmoid())
        waves = torch.cat((theta.sin(), theta.cos()), dim=-1)
        stream = stream + self._drop(self.out(waves))
        stream = stream + self._drop(self.fall(self._drop(gelu(self.rise(self.ffn_norm(stream))))))
        return stream, magnitude(torch.stack((theta.cos().mean(-1), theta.sin().mean(-1))))

    def _drop(self, stream: Tensor) -> Tensor:
        return dropout(stream, self.dropout, self.training)


class PublishedV2(PositionWise):
    """`aggregator`, the published mix of the layers' R, is read by nothing; it counts as published."""

    def __init__(self, config: ModelConfig, vocab_size: int) -> None:
        super().__init__(config, vocab_size)
        self.places = Positions(config)
        self.blocks = nn.ModuleList(BlockV2(config) for _ in range(config.layers))
        self.aggregator = nn.Linear(config.layers, 1)

    def positions(self, tokens: Tensor, start: int) -> Features:
        """See `PositionWise.positions`."""
        stream, R = self._stream(tokens, start)
        return Features(self.norm(stream), R, R, None, stream.new_zeros(()))

    def forced(self, tokens: Tensor, strength: float) -> Tensor:
        """Return logits `[B, T, V]` with the published `forced_R`: the stream scaled right before its norm.

        A LayerNorm does not see the scale of what it is given, so this changes next to nothing.
        """
        stream, R = self._stream(tokens, 0)
        scaled = stream * (strength / (R.mean(-1, keepdim=True) + 1e-8))
        return self.head(layer_norm(scaled, (scaled.shape[-1],), self.norm.weight, self.norm.bias))

    def _stream(self, tokens: Tensor, start: int) -> tuple[Tensor, Tensor]:
        stream = self.embedding(tokens) + self.places(tokens, start)
        stream = dropout(stream, self.config.dropout, self.training)
        columns = []
        for block in self.blocks:
            stream, R = cast(BlockV2, block)(stream)
            columns.append(R.detach())
        return stream, stack_layers(columns)
