"""One layer's oscillators: driven by the stream, coupled in groups, read through order parameters alone."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor, nn

from trainer.config.model import ModelConfig
from trainer.models.base import initialise_linear
from trainer.models.kuramoto.coupling import Coupling, coupling_strength
from trainer.models.kuramoto.dynamics import dynamics_of
from trainer.models.kuramoto.order import OrderParameters, order_parameters
from trainer.models.native.rows import halves

Intervention: TypeAlias = Callable[[Tensor], Tensor]
"""From oscillator states `[2, B, T, N]` to those that are read instead; the recurrence is not touched."""

SLOWEST = 64.0
"""Memory, in tokens, of the slowest group at the start; the fastest forgets after about one token."""


@dataclass(frozen=True)
class Reading:
    """What one bank tells beside its output: `R`, `coherence`, `u` each `[B, T]`, and its penalty."""

    R: Tensor
    coherence: Tensor
    u: Tensor | None
    penalty: Tensor


@dataclass(frozen=True)
class Pull:
    """How strongly a position couples: u and K `[B, T]`, None where there is none, and the penalty on u."""

    u: Tensor | None
    strength: Tensor | None
    penalty: Tensor


class ReadOut(nn.Module):
    """Flattens order parameters into features: cos, sin and magnitude of each harmonic of each group.

    Args:
        by_R: multiply those of a group by its R, so that a group without synchrony says nothing.
    """

    def __init__(self, by_R: bool = False) -> None:
        super().__init__()
        self.by_R = by_R

    def forward(self, order: OrderParameters) -> Tensor:
        """Return `[B, T, 3 H G]`."""
        features = order.features
        return (features * features[:, :, 2:, :1] if self.by_R else features).flatten(2)


class Bank(nn.Module):
    """One layer's oscillators: driven by the stream, coupled in groups, read through order parameters."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        units, groups = config.oscillators, config.oscillators // config.group
        self.drive = nn.Linear(config.dim, 2 * units)
        self.dynamics = dynamics_of(config)
        self.omega: Tensor
        if config.dynamics == "ema":
            self.register_buffer("omega", torch.zeros(units), persistent=False)
        else:
            self.omega = nn.Parameter(torch.empty(units))
        has_u = config.coupled and config.u != "off"
        self.coupling = Coupling(config.dim, clamped=config.u == "clamp") if has_u else None
        self.read_out = ReadOut(by_R=config.written == "R")
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
            if isinstance(self.omega, nn.Parameter):
                self.omega.uniform_(-math.pi, math.pi).div_(memory)
        initialise_linear(self.out, (3 * self.config.harmonics * groups) ** -0.5)

    def forward(self, stream: Tensor, keep: Tensor | None = None) -> tuple[Tensor, Reading]:
        """Return the bank's output `[B, T, D]` for a normalised stream `[B, T, D]`, and its reading.

        `keep` is as of `driven_oscillators`.
        """
        gate, phase = self._drive(stream)
        pull = self._pull(stream)
        states = self.dynamics.evolve(gate, phase, self.omega, pull.strength, keep)
        return self._read(states, pull)

    @torch.no_grad()
    def advance(self, stream: Tensor, state: Tensor) -> tuple[Tensor, Reading, Tensor]:
        """Take one position `[B, 1, D]` into the state `[2, B, N]`."""
        gate, phase = self._drive(stream)
        pull = self._pull(stream)
        strength = None if pull.strength is None else pull.strength[:, 0]
        state = self.dynamics.advance(state, gate[:, 0], phase[:, 0], self.omega, strength)
        return *self._read(state.unsqueeze(2).to(gate.dtype), pull), state

    def _drive(self, stream: Tensor) -> tuple[Tensor, Tensor]:
        """Return gate logits and drive phases, float32 whatever the autocast: they are times and angles."""
        with torch.autocast(stream.device.type, enabled=False):
            gate, phase = halves(self.drive(stream.float()))
        if self.training and self.config.noise:
            if self.noise_generator is None:
                raise ValueError("model.noise needs a generator: set model.noise_generator before training")
            draw = torch.randn(phase.shape, generator=self.noise_generator, device=phase.device)
            phase = phase + self.config.noise * draw
        return gate, phase

    def _pull(self, stream: Tensor) -> Pull:
        if not self.config.coupled:
            return Pull(None, None, torch.zeros((), device=stream.device))
        if self.coupling is not None:
            u, penalty = self.coupling(stream)
        else:
            u, penalty = stream.new_ones(stream.shape[:2], dtype=torch.float32), stream.new_zeros(())
        strength = coupling_strength(u, self.config.k_max, self.config.k_sign == "signed")
        return Pull(u if self.coupling is not None else None, strength, penalty)

    def _read(self, states: Tensor, pull: Pull) -> tuple[Tensor, Reading]:
        if self.intervene is not None:
            states = self.intervene(states)
        # What is fed back has coupled the state already.
        strength = None if self.config.feedback else pull.strength
        order = order_parameters(states, strength, self.config.group, self.config.harmonics)
        R, coherence = order.R.clamp(max=1.0), order.coherence.clamp(max=1.0)
        return self.out(self.read_out(order)), Reading(R, coherence, pull.u, pull.penalty)
