"""The compiled kernels against the torch forms in float64: values, gradients, and what must not happen."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from tests.trainer.models.texts import small, text
from trainer.models import native
from trainer.models.gated import gated_states
from trainer.models.kuramoto.coupling import log_u_of
from trainer.models.kuramoto.order import order_parameters
from trainer.models.kuramoto.oscillators import advance, driven_oscillators
from trainer.models.native.rows import _whole as whole_of
from trainer.models.native.rows import halves, paired_rows

pytestmark = pytest.mark.usefixtures("kernels")
TOLERANCE = 1e-5


def drive(batch: int, tokens: int, units: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return gate, phase, omega up to pi and a start; the first two are halves of one, as in a bank."""
    draw = torch.Generator().manual_seed(0)
    both = torch.randn(batch, tokens, 2 * units, generator=draw)
    gate, phase = both.chunk(2, dim=-1)
    start = 0.5 * torch.rand(2, batch, units, generator=draw)
    return gate.sub_(4.0), phase.mul_(3.0), torch.linspace(-math.pi, math.pi, units), start


def off_by(function: Callable[..., Tensor], *inputs: Tensor) -> list[float]:
    """Return the greatest errors of values and gradients in float32, beside float64, relative above 1."""
    told: list[list[Tensor]] = []
    for kind in (torch.float32, torch.float64):
        leaves = [one.detach().to(kind).requires_grad_() for one in inputs]
        out = function(*leaves)
        weight = torch.randn(out.shape, generator=torch.Generator().manual_seed(1)).to(kind)
        told.append([out.detach(), *torch.autograd.grad((out * weight).sum(), leaves)])
    return [
        float((one.double() - true).abs().max() / true.abs().max().clamp(min=1.0))
        for one, true in zip(*told, strict=True)
    ]


def features(group: int, harmonics: int) -> Callable[..., Tensor]:
    def of(states: Tensor, coupling: Tensor | None = None) -> Tensor:
        return order_parameters(states, coupling, group, harmonics).features

    return of


@pytest.mark.parametrize(("batch", "tokens", "units"), [(3, 1, 5), (2, 77, 70), (1, 4096, 33)])
def test_scans_and_their_gradients_are_those_of_torch_in_float64(batch: int, tokens: int, units: int) -> None:
    gate, phase, omega, start = drive(batch, tokens, units)
    assert max(off_by(driven_oscillators, gate, phase, omega, start)) < TOLERANCE
    assert max(off_by(gated_states, gate, phase)) < TOLERANCE


def test_states_stay_true_over_long_memories() -> None:
    gate, phase, omega, start = drive(1, 4096, 64)
    gate, phase = gate - 4.0, 0.0 * phase  # some 3,000 tokens
    assert off_by(driven_oscillators, gate, phase, omega, start)[0] < TOLERANCE
    state = start
    for t in range(4096):
        state = advance(state, gate[:, t], phase[:, t], omega)
    assert (state - driven_oscillators(gate, phase, omega, start)[:, :, -1]).abs().max() < 10 * TOLERANCE


@pytest.mark.parametrize(("group", "harmonics"), [(2, 1), (4, 2), (5, 3)])
def test_order_parameters_and_their_gradients_are_those_of_torch_in_float64(
    group: int, harmonics: int
) -> None:
    draw = torch.Generator().manual_seed(2)
    states = 1.4 * torch.rand(2, 2, 50, group * 20, generator=draw) - 0.7
    coupling = 3.0 * torch.rand(2, 50, generator=draw) - 1.0  # within 1 and beyond, either way
    assert max(off_by(features(group, harmonics), states, coupling)) < 2 * TOLERANCE
    assert max(off_by(features(group, harmonics), states)) < 2 * TOLERANCE
    told, true = (
        order_parameters(z, z.new_tensor(1.5).expand(2, 50), group, harmonics)
        for z in (states, states.double())
    )
    assert (told.R - true.R).abs().max() < TOLERANCE
    assert (told.coherence - true.coherence).abs().max() < TOLERANCE
    away = order_parameters(states, 0.9 * coupling, group, harmonics).features
    assert (
        away - order_parameters(states, coupling, group, harmonics).features
    ).abs().max() > 100 * TOLERANCE


def test_u_and_its_gradient_are_those_of_torch_in_float64() -> None:
    live = 3.0 * torch.randn(3, 50, 6, generator=torch.Generator().manual_seed(4))
    live[0, 0], live[0, 1, :4] = 0.0, 1e4
    assert max(off_by(log_u_of, live)) < TOLERANCE
    assert (log_u_of(live) - log_u_of(live.roll(1, -1))).abs().max() > 0.1


def test_oscillators_at_rest_have_a_finite_gradient() -> None:
    states = torch.zeros(2, 1, 3, 8, requires_grad=True)
    coupling = torch.ones(1, 3, requires_grad=True)
    grads = torch.autograd.grad(features(4, 2)(states, coupling).sum(), (states, coupling))
    assert all(bool(grad.isfinite().all()) for grad in grads)


def test_what_is_not_a_number_is_seen_and_huge_phases_stay_on_the_circle() -> None:
    gate, phase, omega, start = drive(1, 4, 66)
    phase[0, 1, 0] = math.nan
    gate[0, 2, 65] = math.nan
    states = driven_oscillators(gate, phase, omega, start)
    assert not states[:, 0, 1, 0].isfinite().any()
    assert not states[:, 0, 2, 65].isfinite().any()
    assert states[:, 0, :, 1:65].isfinite().all()
    coupled = order_parameters(states[..., :64], torch.full((1, 4), math.nan), 4, 2).features
    assert not coupled.isfinite().any()
    wild = driven_oscillators(gate[:, :1] + 50, torch.full((1, 1, 66), 3e12), omega)
    assert wild.square().sum(0).sub(1).abs().max() < 1e-5


def test_neither_threads_nor_batch_change_a_bit() -> None:
    gate, phase, omega, start = drive(4, 40, 100)
    whole = driven_oscillators(gate, phase, omega, start)
    alone = driven_oscillators(gate[2:3], phase[2:3], omega, start[:, 2:3])
    assert torch.equal(whole[:, 2:3], alone)
    torch.set_num_threads(2)
    try:
        assert torch.equal(driven_oscillators(gate, phase, omega, start), whole)
    finally:
        torch.set_num_threads(1)


def test_rows_that_lie_elsewhere_are_made_dense() -> None:
    gate, phase, omega, _ = drive(2, 6, 10)
    expected = driven_oscillators(gate, phase, omega)
    assert paired_rows(gate, phase)[2] == 20
    turned = gate.transpose(1, 2).contiguous().transpose(1, 2)
    assert paired_rows(turned, phase)[2] == 10
    assert torch.equal(driven_oscillators(turned, phase, omega), expected)
    assert torch.equal(driven_oscillators(gate.contiguous(), phase, omega), expected)


def test_halves_are_put_together_without_a_copy_where_they_lie_side_by_side() -> None:
    whole = torch.randn(2, 3, 10)
    one, other = whole.chunk(2, dim=-1)
    joined = whole_of(one, other)
    assert torch.equal(joined, whole)
    assert joined.data_ptr() == whole.data_ptr()
    for pair in ((other, one), (one, other.clone()), (one, one), (whole[:, :1, :5], whole[:, :1, 5:])):
        assert torch.equal(whole_of(*pair), torch.cat(pair, dim=-1))


def test_the_gradient_of_halves_is_that_of_chunks() -> None:
    grads = []
    for split in (halves, lambda both: both.chunk(2, dim=-1)):
        both = torch.arange(24.0).view(2, 2, 6).requires_grad_()
        one, other = split(both)
        grads.append(torch.autograd.grad((one.square() * other).sum(), both)[0])
    assert torch.equal(*grads)


def test_a_model_is_the_same_with_and_without_them_and_causal() -> None:
    model, tokens = small(), text(2, 100)
    with torch.no_grad():
        fast = model(tokens)
        other = tokens.clone()
        other[:, 30] = (other[:, 30] + 1) % 64
        changed = model(other).logits
        native.disable()
        plain = model(tokens)
    assert (fast.logits - plain.logits).abs().max() < TOLERANCE
    assert (fast.R - plain.R).abs().max() < TOLERANCE
    assert torch.equal(changed[:, :30], fast.logits[:, :30])
    assert not torch.equal(changed[:, 94:], fast.logits[:, 94:])


def test_other_types_go_the_way_of_torch() -> None:
    gate, phase, omega, _ = drive(1, 5, 8)
    assert native.serves(gate)
    assert not native.serves(gate.double())
    assert driven_oscillators(gate.double(), phase.double(), omega.double()).dtype == torch.float64
