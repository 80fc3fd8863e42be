"""The Triton passes under Triton's interpreter: values and gradients are those of the torch form in float64.

`make kernels` runs them in an environment of their own. The interpreter runs one program after another, so it
says nothing of races, registers or speed.
"""

import os
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.trainer.models.native.true_forms import GRADIENTS, VALUES, applied, demand, drive, errors
from trainer.models.gated import gated_states
from trainer.models.kuramoto.order import order_parameters
from trainer.models.kuramoto.oscillators import driven_oscillators
from trainer.models.native.agreement import largest_error

HERE = bool(os.environ.get("TRITON_INTERPRET"))
if HERE:
    from trainer.models.native.gpu import launches

pytestmark = pytest.mark.skipif(not HERE, reason="Triton kernels: `make kernels` tests them")

SHAPES = [(1, 5, 2), (63, 33, 2), (64, 64, 1), (512, 7, 1)]


@pytest.mark.parametrize(("tokens", "units", "batch"), SHAPES)
def test_driven_states_and_their_gradients(tokens: int, units: int, batch: int) -> None:
    inputs = drive(tokens, units, batch)
    demand(errors(applied(launches.TritonDrivenOscillators), driven_oscillators, *inputs))


@pytest.mark.parametrize(("tokens", "units", "batch"), SHAPES)
def test_gated_states_and_their_gradients(tokens: int, units: int, batch: int) -> None:
    gate, value, _, _ = drive(tokens, units, batch)
    demand(errors(applied(launches.TritonGatedStates), gated_states, gate, value))


@pytest.mark.parametrize(
    ("tokens", "group", "groups", "harmonics"),
    [(1, 2, 5, 1), (63, 2, 33, 1), (64, 4, 16, 2), (512, 2, 3, 1), (9, 5, 70, 3)],
)
def test_order_parameters_and_their_gradients(tokens: int, group: int, groups: int, harmonics: int) -> None:
    draw = torch.Generator().manual_seed(2)
    states = 1.4 * torch.rand(2, 1, tokens, group * groups, generator=draw) - 0.7
    coupling = 3.0 * torch.rand(1, tokens, generator=draw) - 1.0

    def triton(z: Tensor, K: Tensor | None = None) -> Any:
        return applied(launches.TritonOrderParameters)(z.view(2, 1, tokens, group, groups), K, harmonics)

    def true(z: Tensor, K: Tensor | None = None) -> Any:
        found = order_parameters(z, K, group, harmonics)
        return found.features, found.R, found.coherence

    for inputs in ((states, coupling), (states,)):
        demand(errors(lambda *one: triton(*one)[0], lambda *one: true(*one)[0], *inputs))
    for one, right in zip(
        triton(states, coupling)[1:], true(states.double(), coupling.double())[1:], strict=True
    ):
        assert (one - right).abs().max() < VALUES


def test_rows_that_lie_elsewhere_are_the_same() -> None:
    gate, phase, omega, start = drive(6, 10)
    form = applied(launches.TritonDrivenOscillators)
    dense = form(gate.contiguous(), phase.contiguous(), omega, start)
    assert torch.equal(form(gate, phase, omega, start), dense)
    turned = gate.transpose(1, 2).contiguous().transpose(1, 2)
    assert torch.equal(form(turned, phase, omega, start), dense)


def test_a_chunk_that_does_not_hear_of_the_others_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = drive(70, 5, 1)

    class Silent:
        def __getitem__(self, grid: object) -> Callable[..., None]:
            def cleared(*given: Any) -> None:
                given[4].zero_()
                given[5].zero_()

            return cleared

    monkeypatch.setattr("trainer.models.native.gpu.scan_passes.chunk_ends", Silent())
    assert errors(applied(launches.TritonDrivenOscillators), driven_oscillators, *inputs)[0] > 100 * VALUES


def test_the_trial_on_a_device_passes_here() -> None:
    assert largest_error(torch.device("cpu"), launches.FORMS) < GRADIENTS
