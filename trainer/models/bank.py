"""One layer's oscillators: driven by the stream, coupled in groups, read through order parameters alone."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor, nn

from trainer.config.model import ModelConfig
from trainer.models.base import initialise_linear
from trainer.models.coupling import Coupling, coupling_strength
from trainer.models.order import Order, order_parameters
from trainer.models.oscillators import advance, driven_oscillators

Intervention: TypeAlias = Callable[[Tensor], Tensor]
"""From oscillator states `[2, B, T, N]` to those that are read instead; the recurrence is not touched."""

SLOWEST = 128.0
"""Memory, in tokens, of the slowest group at the start; the fastest forgets after about one token."""


@dataclass(frozen=True)
class Reading:
    """What one bank tells beside its output: `R`, `coherence`, `u` each `[B, T]`, and its penalty."""

    R: Tensor
    coherence: Tensor
    u: Tensor | None
    penalty: Tensor


class ReadOut(nn.Module):
    """Flattens order parameters into features: cos, sin and magnitude of each harmonic of each group."""

    def forward(self, order: Order) -> Tensor:
        """Return `[B, T, 3 H G]`."""
        cos, sin = order.planes.unbind(0)
        return torch.stack((cos, sin, order.magnitude()), dim=2).flatten(2)


class Bank(nn.Module):
    """One layer's oscillators: driven by the stream, coupled in groups, read through order parameters."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        units, groups = config.oscillators, config.oscillators // config.group
        self.drive = nn.Linear(config.dim, 2 * units)
        self.omega = nn.Parameter(torch.empty(units))
        has_u = config.coupled and config.u != "off"
        self.coupling = Coupling(config.dim, clamped=config.u == "clamp") if has_u else None
        self.read_out = ReadOut()
        self.out = nn.Linear(3 * config.harmonics * groups, config.dim)
        self.noise_generator: torch.Generator | None = None
        self.intervene: Intervention | None = None
        self._initialise(groups)

    def _initialise(self, groups: int) -> None:
        """Spread the groups over memories of 1..`SLOWEST` tokens; each shares its memory, not its phase."""
        group, units = self.config.group, self.config.oscillators
        initialise_linear(self.drive, self.config.dim**-0.5)
        memory = torch.logspace(0.0, math.log10(SLOWEST), groups).repeat(group)
        with torch.no_grad():
            self.drive.bias[:units] = -torch.log(memory)
            self.drive.bias[units:].uniform_(-math.pi, math.pi)
            self.drive.weight[units:].mul_(math.pi / 2)
            self.omega.uniform_(-math.pi, math.pi).div_(memory)
        initialise_linear(self.out, (3 * self.config.harmonics * groups) ** -0.5)

    def forward(self, stream: Tensor) -> tuple[Tensor, Reading]:
        """Return the bank's output `[B, T, D]` for a normalised stream `[B, T, D]`, and its reading."""
        gate, phase = self._drive(stream)
        return self._read(driven_oscillators(gate, phase, self.omega), stream)

    def advance(self, stream: Tensor, state: Tensor) -> tuple[Tensor, Reading, Tensor]:
        """Take one position `[B, 1, D]` into the state `[2, B, N]`."""
        gate, phase = self._drive(stream)
        state = advance(state, gate[:, 0], phase[:, 0], self.omega)
        return *self._read(state.unsqueeze(2), stream), state

    def _drive(self, stream: Tensor) -> tuple[Tensor, Tensor]:
        """Return gate logits and drive phases, float32 whatever the autocast: they are times and angles."""
        with torch.autocast(stream.device.type, enabled=False):
            gate, phase = self.drive(stream.float()).chunk(2, dim=-1)
        if self.training and self.config.noise:
            if self.noise_generator is None:
                raise ValueError("model.noise needs a generator: set model.noise_generator before training")
            draw = torch.randn(phase.shape, generator=self.noise_generator, device=phase.device)
            phase = phase + self.config.noise * draw
        return gate, phase

    def _read(self, states: Tensor, stream: Tensor) -> tuple[Tensor, Reading]:
        batch, tokens = stream.shape[:2]
        if self.intervene is not None:
            states = self.intervene(states)
        u, penalty, strength = None, torch.zeros((), device=stream.device), None
        if self.config.coupled:
            u = torch.ones(batch, tokens, device=stream.device)
            if self.coupling is not None:
                u, penalty = self.coupling(stream)
            strength = coupling_strength(u)
        order = order_parameters(states, strength, self.config.group, self.config.harmonics)
        with torch.no_grad():
            length = order.planes[:, :, :, 0].square().sum(0).sqrt()
            R = length.mean(-1).clamp(max=1.0)
            coherence = (length / order.amplitude).mean(-1).clamp(max=1.0)
        reported = u if self.coupling is not None else None
        return self.out(self.read_out(order)), Reading(R, coherence, reported, penalty)
