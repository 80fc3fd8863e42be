"""kssm-v3: a causal state-space model whose state is phases and whose read-out is order parameters."""

from typing import cast

import torch
from torch import Tensor, nn

from trainer.config.model import ModelConfig
from trainer.models.base import FeedForward, LanguageModel, kept, parted, stack_layers
from trainer.models.kuramoto.bank import Bank, Reading
from trainer.models.outputs import Features


class KssmBlock(nn.Module):
    """A bank and a feed-forward part; `bypass` is the residual around the bank."""

    def __init__(self, config: ModelConfig, bypass: bool) -> None:
        super().__init__()
        self.bypass = bypass
        self.bank_norm = nn.LayerNorm(config.dim)
        self.bank = Bank(config)
        self.ffn_norm = nn.LayerNorm(config.dim)
        self.ffn = FeedForward(config)

    def forward(self, stream: Tensor, keep: Tensor | None = None) -> tuple[Tensor, Reading]:
        """Return the next stream `[B, T, D]` and the bank's reading; `keep` is as of `driven_oscillators`."""
        mixed, reading = self.bank(self.bank_norm(stream), keep)
        return self._finish(stream, mixed), reading

    def advance(self, stream: Tensor, state: Tensor) -> tuple[Tensor, Reading, Tensor]:
        """Likewise for one position `[B, 1, D]` and the bank's state."""
        mixed, reading, state = self.bank.advance(self.bank_norm(stream), state)
        return self._finish(stream, mixed), reading, state

    def _finish(self, stream: Tensor, mixed: Tensor) -> Tensor:
        # Where a bypass is missing, autocast would leave the whole stream in bfloat16.
        stream = stream + mixed if self.bypass else mixed.float()
        out: Tensor = stream + self.ffn(self.ffn_norm(stream))
        return out


class KuramotoSSM(LanguageModel[list[Tensor]]):
    """Layers of driven oscillators; with `path: order-params` nothing else lets a token in."""

    def __init__(self, config: ModelConfig, vocab_size: int) -> None:
        super().__init__(config, vocab_size)
        bypass_first = config.path == "residual"
        self.blocks = nn.ModuleList(
            KssmBlock(config, index > 0 or bypass_first) for index in range(config.layers)
        )

    def _typed_blocks(self) -> list[KssmBlock]:
        return [cast(KssmBlock, block) for block in self.blocks]

    @property
    def noise_generator(self) -> torch.Generator | None:
        """The generator of the phase noise, on the model's device; the loop seeds, saves and restores it."""
        return self._typed_blocks()[0].bank.noise_generator

    @noise_generator.setter
    def noise_generator(self, generator: torch.Generator | None) -> None:
        for block in self._typed_blocks():
            block.bank.noise_generator = generator

    def features(self, tokens: Tensor) -> Features:
        """See `LanguageModel.features`."""
        ids, begins = parted(tokens)
        stream, readings, keep = self.embedding(ids), [], kept(begins)
        for block in self.blocks:
            stream, reading = block(stream, keep)
            readings.append(reading)
        return self._gather(stream, readings)

    def init_state(self, batch: int) -> list[Tensor]:
        """Return oscillators at rest, one `[2, B, N]` a layer."""
        device = self.embedding.weight.device
        return [block.bank.dynamics.rest(batch, device) for block in self._typed_blocks()]

    def advance(self, token: Tensor, state: list[Tensor]) -> tuple[Features, list[Tensor]]:
        """See `LanguageModel.advance`."""
        stream, readings, states = self.embedding(token).unsqueeze(1), [], []
        for block, old in zip(self._typed_blocks(), state, strict=True):
            stream, reading, new = block.advance(stream, old)
            readings.append(reading)
            states.append(new)
        return self._gather(stream, readings), states

    def _gather(self, stream: Tensor, readings: list[Reading]) -> Features:
        us = [reading.u for reading in readings if reading.u is not None]
        return Features(
            hidden=self.norm(stream),
            R=stack_layers([reading.R for reading in readings]),
            coherence=stack_layers([reading.coherence for reading in readings]),
            u=stack_layers(us) if us else None,
            penalty=torch.stack([reading.penalty for reading in readings]).mean(),
        )
