"""The control with R bolted on: a GPT whose last stream is scaled by `1 + alpha R` right before its norm.

A norm does not see the scale of what it is given, so R cannot matter here; a test of causality that finds an
effect in this model is a test that finds effects everywhere.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from trainer.config.model import ModelConfig
from trainer.models.gpt import GPT, KeyValues
from trainer.models.kuramoto.bank import Bank, Reading
from trainer.models.outputs import Features

ALPHA = 0.5


@dataclass(frozen=True)
class BoltedState(KeyValues):
    """The cache of the GPT, and the oscillators of the bank that is bolted on, `[2, B, N]`."""

    oscillators: Tensor


class BoltedGPT(GPT):
    """`gpt`, and a bank of oscillators that reads its last stream."""

    def __init__(self, config: ModelConfig, vocab_size: int) -> None:
        super().__init__(config, vocab_size)
        self.bank = Bank(config)
        self.alpha = nn.Parameter(torch.tensor(ALPHA))

    @property
    def noise_generator(self) -> torch.Generator | None:
        """The generator of the phase noise, on the model's device; the loop seeds, saves and restores it."""
        return self.bank.noise_generator

    @noise_generator.setter
    def noise_generator(self, generator: torch.Generator | None) -> None:
        self.bank.noise_generator = generator

    def features(self, tokens: Tensor) -> Features:
        """See `LanguageModel.features`."""
        stream = self.stream(tokens)
        return self._bolt(stream, self.bank(self.norm(stream))[1])

    def init_state(self, batch: int) -> KeyValues:
        """Return an empty cache and oscillators at rest."""
        empty = super().init_state(batch)
        rest = self.bank.dynamics.rest(batch, self.embedding.weight.device)
        return BoltedState(empty.keys, empty.values, rest)

    def advance(self, token: Tensor, state: KeyValues) -> tuple[Features, KeyValues]:
        """See `LanguageModel.advance`; `state` comes from `init_state` of this model."""
        if not isinstance(state, BoltedState):
            raise TypeError("the state is not of this model: begin with its init_state")
        stream, cache = self.advance_stream(token, state)
        _, reading, rest = self.bank.advance(self.norm(stream), state.oscillators)
        return self._bolt(stream, reading), BoltedState(cache.keys, cache.values, rest)

    def _bolt(self, stream: Tensor, reading: Reading) -> Features:
        scaled = stream * (1 + self.alpha * reading.R.unsqueeze(-1))
        u = None if reading.u is None else reading.u.unsqueeze(-1)
        R, coherence = reading.R.unsqueeze(-1), reading.coherence.unsqueeze(-1)
        return Features(self.norm(scaled), R, coherence, u, reading.penalty)
