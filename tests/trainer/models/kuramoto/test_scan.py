"""Statement 4: the scan, the step form and a float64 loop agree to 1e-5, with |omega| up to pi."""

import math

import pytest
import torch
from torch import Tensor

from tests.trainer.models.texts import KINDS, small, text
from trainer.models.gated import gated_states
from trainer.models.kuramoto import scan
from trainer.models.kuramoto.oscillators import advance, driven_oscillators

TOLERANCE = 1e-5
SLOW_GATE = -6.0


def drive(tokens: int, units: int, batch: int = 2) -> tuple[Tensor, Tensor, Tensor]:
    """Return gate logits (memories from one to 400 tokens), phases, and omega from -pi to pi inclusive."""
    draw = torch.Generator().manual_seed(tokens)
    gate = torch.randn(batch, tokens, units, generator=draw) + torch.linspace(SLOW_GATE, 2.0, units)
    phase = math.pi * (2 * torch.rand(batch, tokens, units, generator=draw) - 1)
    return gate, phase, torch.linspace(-math.pi, math.pi, units)


def reference(gate: Tensor, phase: Tensor, omega: Tensor) -> Tensor:
    """Return `[2, B, T, N]` by the plain loop in complex128."""
    g = torch.sigmoid(gate.double())
    turn = torch.exp(1j * omega.double())
    drives = g * torch.exp(1j * phase.double())
    z, states = torch.zeros_like(drives[:, 0]), []
    for decay, push in zip((1 - g).unbind(1), drives.unbind(1), strict=True):
        z = decay * turn * z + push
        states.append(z)
    return torch.view_as_real(torch.stack(states, dim=1)).movedim(-1, 0)


def stepped(gate: Tensor, phase: Tensor, omega: Tensor) -> Tensor:
    state, states = torch.zeros(2, gate.shape[0], gate.shape[2]), []
    for one_gate, one_phase in zip(gate.unbind(1), phase.unbind(1), strict=True):
        state = advance(state, one_gate, one_phase, omega)
        states.append(state)
    return torch.stack(states, dim=2)


@pytest.mark.parametrize(("tokens", "units"), [(256, 33), (4096, 5)])
def test_scan_and_step_form_agree_with_a_float64_loop(tokens: int, units: int) -> None:
    gate, phase, omega = drive(tokens, units)
    truth = reference(gate, phase, omega)
    assert (driven_oscillators(gate, phase, omega) - truth).abs().max() < TOLERANCE
    assert (stepped(gate, phase, omega) - truth).abs().max() < TOLERANCE


def test_a_frame_that_is_never_anchored_is_off() -> None:
    gate, phase, omega = drive(4096, 5)
    gate = gate + 6.0  # short memories, or the unanchored decay would underflow before its angles are seen
    angle = omega * torch.arange(1, 4097).unsqueeze(1)
    g, a = torch.sigmoid(gate), torch.sigmoid(-gate)
    w = torch.zeros(2, 2, 5)
    states = []
    for t in range(4096):
        push = torch.stack(((phase[:, t] - angle[t]).cos(), (phase[:, t] - angle[t]).sin()))
        w = a[:, t] * w + g[:, t] * push
        states.append(
            torch.stack(
                (w[0] * angle[t].cos() - w[1] * angle[t].sin(), w[0] * angle[t].sin() + w[1] * angle[t].cos())
            )
        )
    error = (torch.stack(states, dim=2) - reference(gate, phase, omega)).abs().max()
    assert error > 10 * TOLERANCE


@pytest.mark.parametrize("tokens", [1, 2, 31, 32, 33, 77])
@pytest.mark.parametrize("chunk", [1, 8, 32, 64])
def test_every_length_and_chunk_gives_the_same_states(
    tokens: int, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan, "CHUNK", chunk)
    gate, phase, omega = drive(tokens, 6)
    assert (driven_oscillators(gate, phase, omega) - reference(gate, phase, omega)).abs().max() < TOLERANCE


@pytest.mark.parametrize("cached", [1, 2**30])
def test_gradients_of_the_oscillators_are_those_of_finite_differences(
    cached: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan, "CHUNK", 4)
    monkeypatch.setattr("trainer.models.planes.CACHED_ELEMENTS", cached)
    draw = torch.Generator().manual_seed(0)

    def leaf(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=draw, dtype=torch.float64).requires_grad_()

    assert torch.autograd.gradcheck(
        driven_oscillators, (leaf(2, 10, 4), leaf(2, 10, 4), leaf(4), leaf(2, 2, 4))
    )
    assert torch.autograd.gradcheck(gated_states, (leaf(2, 10, 4), leaf(2, 10, 4)))


@pytest.mark.parametrize(
    ("kind", "tokens", "units"),
    [(kind, 256, 32) for kind in KINDS] + [("kssm-v3", 4096, 8), ("gated", 4096, 8)],
)
def test_logits_of_step_form_and_parallel_form_agree(kind: str, tokens: int, units: int) -> None:
    model, texts = small(kind, oscillators=units, layers=2 if tokens == 256 else 1), text(1, tokens)
    if kind == "kssm-v3":
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if name.endswith(".omega"):
                    parameter.copy_(torch.linspace(-math.pi, math.pi, units))
    with torch.no_grad():
        whole = model(texts)
    state, logits, orders = model.init_state(1), [], []
    for token in texts.unbind(1):
        answer, state = model.step(token, state)
        logits.append(answer.logits)
        orders.append(answer.R)
    assert (torch.stack(logits, dim=1) - whole.logits).abs().max() < TOLERANCE
    assert torch.stack(orders, dim=1).shape == whole.R.shape
    if kind == "kssm-v3":
        assert (torch.stack(orders, dim=1) - whole.R).abs().max() < TOLERANCE


def test_the_state_of_a_step_does_not_grow() -> None:
    model = small()
    state = model.init_state(3)
    sizes = [part.numel() for part in state]
    for token in text(3, 9).unbind(1):
        _, state = model.step(token, state)
    assert [part.numel() for part in state] == sizes
