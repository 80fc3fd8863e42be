"""The form of devices and compilers against that of CPUs in float64: values, gradients, few operations."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from benchmarks.operations import MOST_OPERATIONS, count_model, count_oscillators, form
from tests.trainer.models.texts import small, text
from trainer.models.gated import gated_states
from trainer.models.kuramoto.coupling import log_u_of
from trainer.models.kuramoto.order import order_parameters
from trainer.models.kuramoto.oscillators import driven_oscillators
from trainer.models.planes import turned
from trainer.models.whole import driven_states as driven_module
from trainer.models.whole.turning import turning

TOLERANCE = 1e-5


def drive(batch: int, tokens: int, units: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return gate logits of memories up to 400 tokens, phases, omega up to pi, and a start."""
    draw = torch.Generator().manual_seed(tokens)
    gate = torch.randn(batch, tokens, units, generator=draw) + torch.linspace(-6.0, 2.0, units)
    phase = 3.0 * torch.randn(batch, tokens, units, generator=draw)
    start = 0.5 * torch.rand(2, batch, units, generator=draw)
    return gate, phase, torch.linspace(-math.pi, math.pi, units), start


def off_by(function: Callable[..., Tensor], *inputs: Tensor) -> list[float]:
    """Return the greatest errors of values and gradients beside the other form in float64."""
    told: list[list[Tensor]] = []
    for of_devices, kind in ((True, torch.float32), (False, torch.float64)):
        leaves = [one.detach().to(kind).requires_grad_() for one in inputs]
        with form(of_devices):
            out = function(*leaves)
        weight = torch.randn(out.shape, generator=torch.Generator().manual_seed(1)).to(kind)
        told.append([out.detach(), *torch.autograd.grad((out * weight).sum(), leaves)])
    return [
        float((one.double() - true).abs().max() / true.abs().max().clamp(min=1.0))
        for one, true in zip(*told, strict=True)
    ]


@pytest.mark.parametrize(("tokens", "units"), [(1, 5), (63, 33), (64, 8), (513, 7), (1300, 3)])
def test_scans_of_every_length_are_those_of_the_other_form(tokens: int, units: int) -> None:
    gate, phase, omega, start = drive(2, tokens, units)
    assert max(off_by(driven_oscillators, gate, phase, omega, start)) < TOLERANCE
    assert max(off_by(driven_oscillators, gate, phase, omega)) < TOLERANCE
    assert max(off_by(gated_states, gate, phase)) < TOLERANCE


@pytest.mark.parametrize(("group", "harmonics"), [(2, 1), (4, 2), (5, 3)])
def test_order_parameters_are_those_of_the_other_form(group: int, harmonics: int) -> None:
    draw = torch.Generator().manual_seed(2)
    states = 1.4 * torch.rand(2, 2, 30, group * 7, generator=draw) - 0.7
    coupling = 3.0 * torch.rand(2, 30, generator=draw) - 1.0

    def features(states: Tensor, coupling: Tensor | None = None) -> Tensor:
        return order_parameters(states, coupling, group, harmonics).features

    assert max(off_by(features, states, coupling)) < TOLERANCE
    assert max(off_by(features, states)) < TOLERANCE
    told = []
    for of_devices in (True, False):
        with form(of_devices):
            told.append(order_parameters(states, coupling, group, harmonics))
    assert (told[0].R - told[1].R).abs().max() < TOLERANCE
    assert (told[0].coherence - told[1].coherence).abs().max() < TOLERANCE


def test_u_is_that_of_the_other_form() -> None:
    live = 3.0 * torch.randn(3, 50, 6, generator=torch.Generator().manual_seed(4))
    live[0, 0], live[0, 1, :4] = 0.0, 1e4
    assert max(off_by(log_u_of, live)) < TOLERANCE


def test_oscillators_at_rest_have_a_finite_gradient() -> None:
    states, coupling = torch.zeros(2, 1, 3, 8, requires_grad=True), torch.ones(1, 3, requires_grad=True)
    with form(of_devices=True):
        total = order_parameters(states, coupling, 4, 2).features.sum()
    assert all(bool(one.isfinite().all()) for one in torch.autograd.grad(total, (states, coupling)))


def test_a_frame_is_right_to_its_last_token_and_wrong_without_turns() -> None:
    omega = torch.linspace(-math.pi, math.pi, 101)
    exact = omega.double() * torch.arange(1, 513, dtype=torch.float64).unsqueeze(1)
    frame = turning(omega, 512)
    assert (frame.cos - exact.cos()).abs().max() < 1e-6
    assert (frame.sin - exact.sin()).abs().max() < 1e-6
    assert frame.angle.abs().max() < math.pi + 0.4
    plain = omega * torch.arange(1.0, 513.0).unsqueeze(1)
    assert (plain.cos() - exact.cos()).abs().max() > 2e-5


def test_a_carry_that_is_not_turned_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = drive(1, 600, 5)
    assert max(off_by(driven_oscillators, *inputs)) < TOLERANCE
    monkeypatch.setattr(driven_module, "FRAME", 8)
    assert max(off_by(driven_oscillators, *inputs)) < TOLERANCE
    monkeypatch.setattr(
        driven_module, "turned", lambda z, c, s, sign=1: turned(z, c, s, sign) if c.dim() > 1 else z
    )
    assert max(off_by(driven_oscillators, *inputs)) > 1e-2


def test_a_model_is_the_same_in_both_forms_and_causal() -> None:
    for kind in ("kssm-v3", "gated"):
        model, tokens = small(kind), text(2, 100)
        other = tokens.clone()
        other[:, 30] = (other[:, 30] + 1) % 64
        with torch.no_grad():
            plain = model(tokens).logits
            with form(of_devices=True):
                whole, changed = model(tokens).logits, model(other).logits
        assert (whole - plain).abs().max() < 1e-5
        assert torch.equal(changed[:, :30], whole[:, :30])
        assert not torch.equal(changed[:, 94:], whole[:, 94:])


def test_operations_are_at_most_half_of_what_they_were() -> None:
    with form(of_devices=False):
        before, model_before = count_oscillators("kssm-v3-tiny", 1), count_model("kssm-v3-tiny", 1)
    with form(of_devices=True):
        assert count_oscillators("kssm-v3-tiny", 1) <= min(MOST_OPERATIONS, before / 2)
        assert count_model("kssm-v3-tiny", 1) <= model_before / 2


def test_torch_compile_finds_one_graph_and_breaks_in_what_writes_elsewhere() -> None:
    from torch._dynamo import explain

    for kind in ("kssm-v3", "gated"):
        model, tokens = small(kind, group=2, harmonics=1), text(1, 16)
        found = explain(model.loss)(tokens, tokens)
        assert (found.graph_count, found.graph_break_count) == (1, 0), found.break_reasons

    def elsewhere(tokens: Tensor) -> Tensor:
        out = torch.empty(1, 4, 2)
        torch.sin(tokens[:, :4].float(), out=out[:, :, 0])
        return out + 1

    assert explain(elsewhere)(text(1, 16)).graph_break_count > 0
