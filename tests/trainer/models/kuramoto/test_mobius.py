"""Phasors moved by Moebius maps: scan, step form and a float64 loop agree, at any length."""

import math
from functools import cache

import pytest
import torch
from torch import Tensor

from trainer.models.kuramoto import mobius, scan
from trainer.models.kuramoto.mobius import STRONGEST, advance, field_strength, mobius_phasors

TOLERANCE = 1e-5


def field(tokens: int, units: int, batch: int = 2) -> tuple[Tensor, Tensor, Tensor]:
    """Return gate logits from all but none to the strongest, phases, and omega from -pi to pi inclusive."""
    draw = torch.Generator().manual_seed(tokens)
    gate = torch.randn(batch, tokens, units, generator=draw) + torch.linspace(-6.0, 2.0, units)
    phase = math.pi * (2 * torch.rand(batch, tokens, units, generator=draw) - 1)
    return gate, phase, torch.linspace(-math.pi, math.pi, units)


def reference(gate: Tensor, phase: Tensor, omega: Tensor) -> Tensor:
    """Return `[2, B, T, N]` by the formula, token by token, in complex128."""
    w = field_strength(gate.double()) * torch.exp(1j * phase.double())
    turn = torch.exp(1j * omega.double())
    z, states = torch.ones_like(w[:, 0]), []
    for one in w.unbind(1):
        z = turn * (z + one) / (1 + one.conj() * z)
        states.append(z)
    return torch.view_as_real(torch.stack(states, dim=1)).movedim(-1, 0)


@cache
def truth(tokens: int, units: int) -> Tensor:
    return reference(*field(tokens, units))


def stepped(gate: Tensor, phase: Tensor, omega: Tensor) -> Tensor:
    state = torch.zeros(2, gate.shape[0], gate.shape[2], dtype=torch.float64)
    state[0] = 1.0
    states = []
    for one_gate, one_phase in zip(gate.unbind(1), phase.unbind(1), strict=True):
        state = advance(state, one_gate, one_phase, omega)
        states.append(state)
    return torch.stack(states, dim=2)


@pytest.mark.parametrize(("tokens", "units"), [(256, 33), (4096, 5)])
def test_scan_and_step_form_agree_with_a_float64_loop(tokens: int, units: int) -> None:
    given = field(tokens, units)
    assert (mobius_phasors(*given) - truth(tokens, units)).abs().max() < TOLERANCE
    assert (stepped(*given) - truth(tokens, units)).abs().max() < TOLERANCE


def test_in_float32_they_would_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mobius, "working_dtype", lambda device: torch.float32)
    assert (mobius_phasors(*field(4096, 5)) - truth(4096, 5)).abs().max() > 10 * TOLERANCE


@pytest.mark.parametrize("tokens", [1, 31, 33, 77])
@pytest.mark.parametrize("chunk", [1, 8, 64])
def test_every_length_and_chunk_gives_the_same_phasors(
    tokens: int, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan, "CHUNK", chunk)
    gate, phase, omega = field(tokens, 6)
    assert (mobius_phasors(gate, phase, omega) - reference(gate, phase, omega)).abs().max() < TOLERANCE


def test_products_of_the_strongest_fields_neither_overflow_nor_leave_the_circle() -> None:
    gate, phase = torch.full((1, 1024, 2), 40.0), torch.zeros(1, 1024, 2)
    phase[:, 1::2] = 3.0
    z = mobius_phasors(gate, phase, torch.tensor([0.3, -2.0]))
    assert (z.square().sum(0) - 1).abs().max() < TOLERANCE


def test_a_field_pulls_as_fast_as_a_gate_forgets_and_without_one_a_phasor_stays() -> None:
    gate = torch.full((1, 1, 1), -3.0)
    g = torch.sigmoid(gate).item()
    near = torch.tensor([math.cos(1e-3), math.sin(1e-3)], dtype=torch.float64).view(2, 1, 1)
    moved = advance(near, gate[:, 0], torch.zeros(1, 1), torch.zeros(1))
    assert moved[1].item() / near[1].item() == pytest.approx(1 - STRONGEST * g, rel=0.01)
    still = mobius_phasors(torch.full((1, 500, 1), -40.0), torch.ones(1, 500, 1), torch.zeros(1))
    assert (still[0] - 1).abs().max() < TOLERANCE


@pytest.mark.parametrize("cached", [1, 2**30])
def test_gradients_are_those_of_finite_differences(cached: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "CHUNK", 4)
    monkeypatch.setattr("trainer.models.planes.CACHED_ELEMENTS", cached)
    draw = torch.Generator().manual_seed(0)

    def leaf(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=draw, dtype=torch.float64).requires_grad_()

    assert torch.autograd.gradcheck(mobius_phasors, (leaf(2, 6, 2), leaf(2, 6, 2), leaf(2)))
