"""kssm-v1 as published: a bigram model whose only path to the output is order parameters."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu

from trainer.config.model import ModelConfig
from trainer.models.cross_entropy import capped, weighted_cross_entropy
from trainer.models.outputs import Features
from trainer.models.published.phases import intervened, kuramoto_step, magnitude, mean_harmonics
from trainer.models.published.positionwise import PositionWise, evenly_spaced

COUPLING = 2.0
COUPLING_STD = 0.1


class PublishedV1(PositionWise):
    """Characters in, one Kuramoto step with K = 2, harmonics of the mean field out.

    No residual, no norm, no position: R is a function of the present character alone. `pairwise` is the
    published 64 x 64 parameter that nothing reads; it counts among the 48,833.
    """

    def __init__(self, config: ModelConfig, vocab_size: int) -> None:
        super().__init__(config, vocab_size)
        self.norm = nn.Identity()  # type: ignore[assignment]
        self.intervene: Callable[[Tensor], Tensor] | None = None
        units = config.oscillators
        self.drive = nn.Linear(config.dim, units)
        self.omega = evenly_spaced(units)
        self.pairwise = nn.Parameter(torch.randn(units, units) * COUPLING_STD)
        self.rise = nn.Linear(3 * config.harmonics, config.dim)
        self.inner = nn.Linear(config.dim, config.dim)
        self.to_vocabulary = nn.Linear(config.dim, vocab_size)

    def positions(self, tokens: Tensor, start: int) -> Features:
        """See `PositionWise.positions`."""
        del start
        return self._read(kuramoto_step(intervened(self._phases(tokens), self.intervene), COUPLING))

    def forced(self, tokens: Tensor, strength: float) -> Tensor:
        """Return logits `[B, T, V]` with the phases drawn by `strength` in [0, 1] to their mean phase.

        The published `forced_R`: the R that comes of it is not `strength`.
        """
        theta = self._phases(tokens)
        mean = torch.atan2(theta.sin().mean(-1, keepdim=True), theta.cos().mean(-1, keepdim=True))
        pulled = strength * mean + (1 - strength) * theta
        return self.head(self._read(kuramoto_step(pulled, COUPLING)).hidden)

    def _phases(self, tokens: Tensor) -> Tensor:
        phases: Tensor = self.omega + self.drive(self.embedding(tokens))
        return phases

    def _read(self, theta: Tensor) -> Features:
        planes = mean_harmonics(theta, self.config.harmonics)
        sizes = magnitude(planes)
        # Interleaved as published: cos, sin, magnitude of each harmonic in turn.
        features = torch.stack((planes[0], planes[1], sizes), dim=-1).flatten(-2)
        hidden = gelu(self.inner(gelu(self.rise(features))))
        R = sizes[..., :1].detach()
        return Features(hidden, R, R, None, hidden.new_zeros(()))

    def head(self, hidden: Tensor) -> Tensor:
        """Return logits; this model's head is not tied to its embedding."""
        logits: Tensor = capped(self.to_vocabulary(hidden), self.config.soft_cap)
        return logits

    def cross_entropy(self, seen: Features, targets: Tensor, scored: Tensor | None = None) -> Tensor:
        """See `LanguageModel.cross_entropy`."""
        logits, weighs = self.head(seen.hidden).float(), None if scored is None else scored.flatten()
        return weighted_cross_entropy(logits.flatten(0, 1), targets.flatten(), weighs)
