"""What an oscillator does with a token: `model.dynamics`, of a whole text and of one token."""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from trainer.config.model import ModelConfig
from trainer.models.kuramoto import mobius, oscillators
from trainer.models.kuramoto.settling import EPS, settle
from trainer.models.kuramoto.settling_circle import settling_phasors
from trainer.models.kuramoto.settling_disk import settling_oscillators


class Dynamics(Protocol):
    """A recurrence over states `[2, B, N]`: real and imaginary part of N oscillators."""

    def rest(self, batch: int, device: torch.device) -> Tensor:
        """Return the state before the first token, `[2, B, N]`."""

    def evolve(
        self,
        gate: Tensor,
        phase: Tensor,
        omega: Tensor,
        strength: Tensor | None,
        keep: Tensor | None = None,
    ) -> Tensor:
        """Return the states after every token, `[2, B, T, N]`.

        Args:
            gate, phase: gate logits and drive phases, `[B, T, N]`.
            omega: natural frequencies, `[N]`; zero for `ema`.
            strength: coupling K, `[B, T]`, which only what settles looks at; None: not coupled.
            keep: as of `driven_oscillators`; of driven oscillators that do not settle alone.
        """

    def advance(
        self, state: Tensor, gate: Tensor, phase: Tensor, omega: Tensor, strength: Tensor | None
    ) -> Tensor:
        """Return the state one token later; `gate`, `phase` are `[B, N]`, `strength` is `[B]`."""


@dataclass(frozen=True)
class _Unsettled:
    """What no coupling changes: `evolve` and `advance` without a strength.

    Attributes:
        units: N.
    """

    units: int

    def evolve(
        self,
        gate: Tensor,
        phase: Tensor,
        omega: Tensor,
        strength: Tensor | None,
        keep: Tensor | None = None,
    ) -> Tensor:
        """See `Dynamics`."""
        del strength
        return self._evolve(gate, phase, omega, keep)

    def advance(
        self, state: Tensor, gate: Tensor, phase: Tensor, omega: Tensor, strength: Tensor | None
    ) -> Tensor:
        """See `Dynamics`."""
        del strength
        return self._advance(state, gate, phase, omega)

    def _evolve(self, gate: Tensor, phase: Tensor, omega: Tensor, keep: Tensor | None) -> Tensor:
        raise NotImplementedError

    def _advance(self, state: Tensor, gate: Tensor, phase: Tensor, omega: Tensor) -> Tensor:
        raise NotImplementedError


@dataclass(frozen=True)
class Driven(_Unsettled):
    """`z_t = (1 - g_t) e^{i omega} z_{t-1} + g_t e^{i phi_t}`; without omega it is `ema`."""

    def rest(self, batch: int, device: torch.device) -> Tensor:
        """See `Dynamics`: nothing moves."""
        return torch.zeros(2, batch, self.units, device=device)

    def _evolve(self, gate: Tensor, phase: Tensor, omega: Tensor, keep: Tensor | None) -> Tensor:
        return oscillators.driven_oscillators(gate, phase, omega, None, keep)

    def _advance(self, state: Tensor, gate: Tensor, phase: Tensor, omega: Tensor) -> Tensor:
        return oscillators.advance(state, gate, phase, omega)


@dataclass(frozen=True)
class Mobius(_Unsettled):
    """See `mobius.py`."""

    def rest(self, batch: int, device: torch.device) -> Tensor:
        """See `Dynamics`: every phasor is 1."""
        state = torch.zeros(2, batch, self.units, device=device, dtype=mobius.working_dtype(device))
        state[0] = 1.0
        return state

    def _evolve(self, gate: Tensor, phase: Tensor, omega: Tensor, keep: Tensor | None) -> Tensor:
        _refuse(keep)
        return mobius.mobius_phasors(gate, phase, omega)

    def _advance(self, state: Tensor, gate: Tensor, phase: Tensor, omega: Tensor) -> Tensor:
        return mobius.advance(state, gate, phase, omega)


@dataclass(frozen=True)
class SettlingCircle(Mobius):
    """Phasors that settle after every token; see `settling.py`."""

    group: int
    latch: float
    fed_back: bool

    def evolve(
        self,
        gate: Tensor,
        phase: Tensor,
        omega: Tensor,
        strength: Tensor | None,
        keep: Tensor | None = None,
    ) -> Tensor:
        """See `Dynamics`."""
        _refuse(keep)
        strength = strength if self.fed_back else None
        return settling_phasors(gate, phase, omega, strength, self.latch, self.group)

    def advance(
        self, state: Tensor, gate: Tensor, phase: Tensor, omega: Tensor, strength: Tensor | None
    ) -> Tensor:
        """See `Dynamics`."""
        moved = mobius.advance(state, gate, phase, omega)
        return settle(moved, moved, strength if self.fed_back else None, self.latch, self.group)


@dataclass(frozen=True)
class SettlingDisk(Driven):
    """Driven oscillators with the mean field fed back; see `settling.py`."""

    group: int

    def evolve(
        self,
        gate: Tensor,
        phase: Tensor,
        omega: Tensor,
        strength: Tensor | None,
        keep: Tensor | None = None,
    ) -> Tensor:
        """See `Dynamics`."""
        _refuse(keep)
        return settling_oscillators(gate, phase, omega, _needed(strength), self.group)

    def advance(
        self, state: Tensor, gate: Tensor, phase: Tensor, omega: Tensor, strength: Tensor | None
    ) -> Tensor:
        """See `Dynamics`."""
        moved = oscillators.advance(state, gate, phase, omega)
        phasor = moved * (moved.square().sum(0) + EPS).rsqrt()
        return settle(moved, phasor, _needed(strength), 0.0, self.group)


def dynamics_of(config: ModelConfig) -> Dynamics:
    """Return the recurrence that a configuration asks for."""
    units = config.oscillators
    if config.dynamics == "mobius":
        if config.settles:
            return SettlingCircle(units, config.group, config.latch, config.feedback)
        return Mobius(units)
    return SettlingDisk(units, config.group) if config.feedback else Driven(units)


def _needed(strength: Tensor | None) -> Tensor:
    if strength is None:
        raise ValueError("what is fed back needs a coupling")
    return strength


def _refuse(keep: Tensor | None) -> None:
    if keep is not None:
        raise ValueError("these oscillators cannot begin anew inside a text: leave data.reset at never")
