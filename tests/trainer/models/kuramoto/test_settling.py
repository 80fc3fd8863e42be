"""States that settle after every token: loops with a gradient of their own, against the plain formulas."""

import math

import pytest
import torch
from torch import Tensor

from trainer.models.kuramoto.dynamics import Dynamics, SettlingCircle, SettlingDisk
from trainer.models.kuramoto.mobius import field_strength
from trainer.models.kuramoto.settling_circle import settling_phasors
from trainer.models.kuramoto.settling_disk import settling_oscillators

GROUP, UNITS = 4, 8


def leaves(
    tokens: int, batch: int = 2, dtype: torch.dtype = torch.float64
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return gate, phase, omega and K."""
    draw = torch.Generator().manual_seed(0)

    def leaf(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=draw, dtype=dtype).requires_grad_()

    return leaf(batch, tokens, UNITS), leaf(batch, tokens, UNITS), leaf(UNITS), leaf(batch, tokens)


def plain(gate: Tensor, phase: Tensor, omega: Tensor, K: Tensor, latch: float, circle: bool) -> Tensor:
    """Return `[2, B, T, N]` by the formulas, in complex128."""
    gate, phase, turn = gate.double(), phase.double(), torch.exp(1j * omega.double())
    z = torch.full(gate[:, 0].shape, 1.0 if circle else 0.0, dtype=torch.complex128)
    states = []
    for t in range(gate.shape[1]):
        drive = torch.exp(1j * phase[:, t])
        if circle:
            w = field_strength(gate[:, t]) * drive
            z = turn * (z + w) / (1 + w.conj() * z)
        else:
            g = torch.sigmoid(gate[:, t])
            z = (1 - g) * turn * z + g * drive
        mean = z.view(2, GROUP, -1).mean(1).repeat(1, GROUP)
        theta = z.angle()
        pull = K[:, t, None].double() * mean.abs() * torch.sin(mean.angle() - theta)
        z = z.abs() * torch.exp(1j * (theta + pull - latch * torch.sin(2 * theta)))
        states.append(z)
    return torch.view_as_real(torch.stack(states, dim=1)).movedim(-1, 0)


def whole(circle: bool, gate: Tensor, phase: Tensor, omega: Tensor, K: Tensor) -> Tensor:
    if circle:
        return settling_phasors(gate, phase, omega, K, 0.2, GROUP)
    return settling_oscillators(gate, phase, omega, K, GROUP)


@pytest.mark.parametrize("circle", [True, False])
def test_whole_and_step_form_follow_the_formulas(circle: bool) -> None:
    gate, phase, omega, K = (one.detach() for one in leaves(64, dtype=torch.float32))
    K = K.abs().clamp(max=1.0)
    truth = plain(gate, phase, omega, K, 0.2 if circle else 0.0, circle)
    rule: Dynamics = SettlingCircle(UNITS, GROUP, 0.2, True) if circle else SettlingDisk(UNITS, GROUP)
    state, states = rule.rest(2, gate.device), []
    for t in range(64):
        state = rule.advance(state, gate[:, t], phase[:, t], omega, K[:, t])
        states.append(state)
    assert (rule.evolve(gate, phase, omega, K) - truth).abs().max() < 1e-4
    assert (torch.stack(states, dim=2) - truth).abs().max() < 1e-4
    unlike = plain(gate, phase, omega, 0.9 * K, 0.2 if circle else 0.0, circle)
    assert (truth - unlike).abs().max() > 1e-3


@pytest.mark.parametrize("circle", [True, False])
def test_gradients_are_those_of_finite_differences(circle: bool) -> None:
    assert torch.autograd.gradcheck(lambda *given: whole(circle, *given), leaves(3, batch=1))


def test_without_a_mean_field_groups_do_not_meet() -> None:
    gate, phase, omega, K = (one.detach() for one in leaves(20))
    alone = SettlingCircle(UNITS, GROUP, 0.2, False)
    assert torch.equal(alone.evolve(gate, phase, omega, K), alone.evolve(gate, phase, omega, None))
    met = SettlingCircle(UNITS, GROUP, 0.2, True).evolve(gate, phase, omega, K)
    assert (met - alone.evolve(gate, phase, omega, K)).abs().max() > 0.01


def held(latch: float) -> float:
    """Return how far apart phasors end that began on either side of the barrier, in one weak field."""
    gate, phase = torch.full((2, 300, UNITS), -4.0), torch.full((2, 300, UNITS), 0.7)
    gate[:, 0] = 20.0
    phase[1, 0] = math.pi - 0.7
    z = settling_phasors(gate, phase, torch.zeros(UNITS), None, latch, GROUP)
    return float((z[:, 0, -1] - z[:, 1, -1]).norm(dim=0).mean())


def test_a_latch_has_two_attractors_where_a_plain_phasor_has_one() -> None:
    assert held(0.2) > 1.5
    assert held(0.0) < 0.2
