"""kssm-v3 as published: ten scalars a position, of which one sets the coupling of 192 shared oscillators."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu

from trainer.config.model import ModelConfig
from trainer.models.base import stack_layers
from trainer.models.outputs import Features
from trainer.models.published.phases import (
    intervened,
    kuramoto_step,
    magnitude,
    mean_harmonics,
    plain_mean_harmonics,
)
from trainer.models.published.positionwise import Positions, PositionWise, evenly_spaced

U_FLOOR, U_CEILING = 0.1, 10.0
DENOMINATOR_EPS = 1e-6
NOISE_FLOOR = 1e-5
FIRST_NOISE = 0.2
DET_WEIGHT, BARRIER_WEIGHT, PENALTY_EPS = 0.1, 0.5, 1e-5


@dataclass(frozen=True)
class ReadingV3:
    """What one bank tells: `R` and `u` `[B, T]`, the layer's penalty and mean |Delta| (scalars)."""

    R: Tensor
    u: Tensor
    penalty: Tensor
    det: Tensor


class BankV3(nn.Module):
    """The oscillators. Without the clamp (`bounded=False`) it is the "monostable" form of the ablation."""

    def __init__(self, config: ModelConfig, bounded: bool) -> None:
        super().__init__()
        self.bounded, self.harmonics = bounded, config.harmonics
        self.means = mean_harmonics
        self.ten = nn.Linear(config.dim, 10)
        self.omega = evenly_spaced(config.oscillators)
        self.noise = nn.Parameter(torch.tensor(FIRST_NOISE))
        self.out = nn.Linear(3 * config.harmonics, config.dim)
        self.noise_generator: torch.Generator | None = None
        self.intervene: Callable[[Tensor], Tensor] | None = None
        nn.init.orthogonal_(self.ten.weight)
        nn.init.constant_(self.ten.bias, 0.5)

    def forward(self, seen: Tensor) -> tuple[Tensor, ReadingV3]:
        """Return the bank's output `[B, T, D]` for a normalised stream `[B, T, D]`, and its reading."""
        a, b, c, d, e, f, g, h, _, _ = self.ten(seen).float().unbind(-1)
        det = (b * g - c * f).abs().mean()
        u = (d * g - c * h) / (a * g - c * e + DENOMINATOR_EPS)
        if self.bounded:
            u = u.clamp(U_FLOOR, U_CEILING)
        barrier = -u.mean().clamp(min=PENALTY_EPS).log()
        penalty = DET_WEIGHT / (det + PENALTY_EPS) + BARRIER_WEIGHT * barrier
        theta = self.omega + seen.float().mean(-1, keepdim=True)
        theta = intervened(theta, self.intervene)
        theta = kuramoto_step(theta, 2 * u.sigmoid().unsqueeze(-1))
        # Gaussian, though called Lorentzian; and never switched off, as published.
        draw = torch.randn(theta.shape, generator=self.noise_generator, device=theta.device)
        planes = self.means(theta - (self.noise.abs() + NOISE_FLOOR) * draw, self.harmonics)
        sizes = magnitude(planes)
        out: Tensor = self.out(torch.cat((planes[0], planes[1], sizes), dim=-1))
        return out, ReadingV3(sizes[..., 0].detach(), u, penalty, det.detach())


class BlockV3(nn.Module):
    """A bank and a feed-forward part, each with a residual around it: the stream bypasses the oscillators."""

    def __init__(self, config: ModelConfig, bounded: bool) -> None:
        super().__init__()
        self.bank_norm = nn.LayerNorm(config.dim)
        self.bank = BankV3(config, bounded)
        self.ffn_norm = nn.LayerNorm(config.dim)
        self.rise = nn.Linear(config.dim, round(config.ffn * config.dim))
        self.fall = nn.Linear(round(config.ffn * config.dim), config.dim)

    def forward(self, stream: Tensor) -> tuple[Tensor, ReadingV3]:
        """Return the next stream `[B, T, D]` and the bank's reading."""
        mixed, reading = self.bank(self.bank_norm(stream))
        stream = stream + mixed
        return stream + self.fall(gelu(self.rise(self.ffn_norm(stream)))), reading


class PublishedV3(PositionWise):
    """The penalty is the mean over layers of `0.1 / (mean |Delta| + 1e-5) - 0.5 log mean u`."""

    def __init__(self, config: ModelConfig, vocab_size: int) -> None:
        super().__init__(config, vocab_size)
        bounded = config.kind != "kssm-v3-monostable"
        self.places = Positions(config)
        self.blocks = nn.ModuleList(BlockV3(config, bounded) for _ in range(config.layers))

    def banks(self) -> list[BankV3]:
        """The bank of each layer."""
        return [cast(BlockV3, block).bank for block in self.blocks]

    @property
    def noise_generator(self) -> torch.Generator | None:
        """The generator of the phase noise, on the model's device; None: torch's global one."""
        return self.banks()[0].noise_generator

    @noise_generator.setter
    def noise_generator(self, generator: torch.Generator | None) -> None:
        for bank in self.banks():
            bank.noise_generator = generator

    def use_plain_harmonics(self) -> None:
        """Compute harmonics by the published way, through `[B, T, N, H]`: for comparisons only."""
        for bank in self.banks():
            bank.means = plain_mean_harmonics

    def positions(self, tokens: Tensor, start: int) -> Features:
        """See `PositionWise.positions`."""
        stream = self.embedding(tokens) + self.places(tokens, start)
        readings: list[ReadingV3] = []
        for block in self.blocks:
            stream, reading = cast(BlockV3, block)(stream)
            readings.append(reading)
        R = stack_layers([reading.R for reading in readings])
        return Features(
            hidden=self.norm(stream),
            R=R,
            coherence=R,
            u=stack_layers([reading.u for reading in readings]),
            penalty=torch.stack([reading.penalty for reading in readings]).mean(),
        )
