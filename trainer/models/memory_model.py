"""Recurrence beside an associative memory: `memory`.

Each block has the gated recurrence of `gated`, whose state is the address under which a token's value is
written, and says how strongly: that the token before becomes a key is learnt, no offset is wired in. A query
comes from the token itself.
"""

import math
from typing import cast

import torch
from torch import Tensor, nn

from trainer.config.model import ModelConfig
from trainer.models.associative import MEMORIES
from trainer.models.base import FeedForward, LanguageModel, initialise_linear, without_order
from trainer.models.gated import gated_states
from trainer.models.kuramoto.bank import SLOWEST
from trainer.models.native.rows import halves
from trainer.models.outputs import Features

MemoryState = tuple[list[Tensor], list[Tensor]]
"""Recurrent states `[B, N]` and memories, one a layer."""


class MemoryBlock(nn.Module):
    """A gated recurrence and an associative memory, then a feed-forward part, all inside residuals.

    Attributes:
        writes, reads: whether the memory is written to and read from: switches for controls, not trained.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        dim, units, width = config.dim, config.oscillators, config.slots
        self.memory = MEMORIES[config.memory]
        self.writes = self.reads = True
        self.bank_norm = nn.LayerNorm(dim)
        self.drive = nn.Linear(dim, 2 * units)
        self.out = nn.Linear(units, dim)
        self.key = nn.Linear(units, width, bias=False)
        self.query = nn.Linear(dim, width, bias=False)
        self.value = nn.Linear(dim, width, bias=False)
        self.strength = nn.Linear(dim + units, 1)
        self.recall = nn.Linear(width, dim, bias=False)
        self.ffn_norm = nn.LayerNorm(dim)
        self.ffn = FeedForward(config)
        for one in (self.drive, self.out, self.key, self.query, self.value, self.recall):
            initialise_linear(one, one.in_features**-0.5)
        nn.init.zeros_(self.strength.weight)
        nn.init.zeros_(self.strength.bias)
        if config.start == "identity":
            self._start_as_identity(config)
        else:
            with torch.no_grad():
                self.drive.bias[:units] = -torch.logspace(0.0, math.log10(SLOWEST), units).log()

    def _start_as_identity(self, config: ModelConfig) -> None:
        """Begin with an even mean of the last tokens as address, the token itself as value and as query.

        For `hrr`, whose keys must be complex, both addresses go through one drawn map, and values through one
        that what is read takes back.
        """
        units, dim, width = config.oscillators, config.dim, config.slots
        with torch.no_grad():
            self.drive.weight[:units] = 0.0
            nn.init.eye_(self.drive.weight[units:])
            nn.init.zeros_(self.out.weight)
            if config.memory == "outer":
                for one in (self.key, self.query, self.value, self.recall):
                    nn.init.eye_(one.weight)
                return
            drawn = torch.randn(width, max(units, dim)) * dim**-0.5
            self.key.weight.copy_(drawn[:, :units])
            self.query.weight.copy_(drawn[:, :dim])
            nn.init.orthogonal_(self.value.weight)
            self.recall.weight.copy_(self.value.weight.T)

    def forward(self, stream: Tensor) -> Tensor:
        """Return the next stream `[B, T, D]`."""
        with torch.autocast(stream.device.type, enabled=False):
            seen = self.bank_norm(stream).float()
            states = gated_states(*halves(self.drive(seen)))
            key, value, query = self._address(seen, states)
            read = self.memory.read_all(key, value, query)
        return self._finish(stream, states, read)

    def advance(self, stream: Tensor, state: Tensor, memory: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Take one position `[B, 1, D]` into the state `[B, N]` and the memory."""
        with torch.autocast(stream.device.type, enabled=False):
            seen = self.bank_norm(stream).float()
            gate, value = halves(self.drive(seen))
            g = torch.sigmoid(gate[:, 0])
            state = (1 - g) * state + g * value[:, 0]
            key, value, query = self._address(seen[:, 0], state)
            read, memory = self.memory.read_next(memory, key, value, query)
        return self._finish(stream, state.unsqueeze(1), read.unsqueeze(1)), state, memory

    def _address(self, seen: Tensor, states: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return keys, values times their strength, and queries, `[..., W]` each."""
        strength = torch.sigmoid(self.strength(torch.cat((seen, states), dim=-1)))
        value = self.value(seen) * strength
        return self.key(states), value if self.writes else torch.zeros_like(value), self.query(seen)

    def _finish(self, stream: Tensor, states: Tensor, read: Tensor) -> Tensor:
        stream = stream + self.out(states)
        if self.reads:
            stream = stream + self.recall(read)
        out: Tensor = stream + self.ffn(self.ffn_norm(stream))
        return out


class AssociativeModel(LanguageModel[MemoryState]):
    """Gated recurrences with an associative memory each; the state does not grow with the text."""

    def __init__(self, config: ModelConfig, vocab_size: int) -> None:
        super().__init__(config, vocab_size)
        self.blocks = nn.ModuleList(MemoryBlock(config) for _ in range(config.layers))

    def features(self, tokens: Tensor) -> Features:
        """See `LanguageModel.features`."""
        stream = self.embedding(tokens)
        for block in self.blocks:
            stream = block(stream)
        return without_order(self.norm(stream))

    def typed_blocks(self) -> list[MemoryBlock]:
        """Return the blocks."""
        return [cast(MemoryBlock, block) for block in self.blocks]

    def init_state(self, batch: int) -> MemoryState:
        """Return states at rest and empty memories."""
        device, config = self.embedding.weight.device, self.config
        states = [torch.zeros(batch, config.oscillators, device=device) for _ in self.blocks]
        return states, [MEMORIES[config.memory].start(batch, config.slots, device) for _ in self.blocks]

    def advance(self, token: Tensor, state: MemoryState) -> tuple[Features, MemoryState]:
        """See `LanguageModel.advance`."""
        stream = self.embedding(token).unsqueeze(1)
        states, memories = [], []
        for block, old, memory in zip(self.typed_blocks(), *state, strict=True):
            stream, new, held = block.advance(stream, old, memory)
            states.append(new)
            memories.append(held)
        return without_order(self.norm(stream)), (states, memories)
