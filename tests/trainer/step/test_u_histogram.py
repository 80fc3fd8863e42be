"""The histogram of u: its median does not depend on how a batch is cut, and is that of the values."""

import math

import pytest
import torch

from trainer.config.resolve import resolve
from trainer.device.device import Device
from trainer.loop.setup import build_state
from trainer.step.metrics import by_name
from trainer.step.optimizer_step import Batch, accumulate
from trainer.step.u_histogram import histogram_of, median_of


@pytest.mark.parametrize("spread", [0.01, 1.0, 2.3])
def test_the_median_is_that_of_the_values(spread: float) -> None:
    u = (torch.randn(3, 500, 2, generator=torch.Generator().manual_seed(1)) * spread).exp()
    assert median_of(histogram_of(u).tolist()) == pytest.approx(float(u.median()), rel=0.01)


@pytest.mark.parametrize("value", [-3.0, -0.2, 1e-3, 0.1, 1.0, 10.0, 500.0])
def test_a_u_of_any_size_and_sign_has_its_place(value: float) -> None:
    found = median_of(histogram_of(torch.full((4, 4, 1), value)).tolist())
    assert found == pytest.approx(value, rel=0.02, abs=2e-4)


def test_what_lies_outside_goes_to_the_end_and_nothing_has_no_median() -> None:
    assert median_of(histogram_of(torch.tensor([math.inf, 1e9, 1e9])).tolist()) > 9000
    assert math.isnan(median_of([0.0] * 8))
    assert math.isnan(median_of([]))


def u_of(micro_batch: int) -> float:
    config = resolve(
        None, overrides=["model.dim=16", "model.layers=2", "model.oscillators=8", "batch=6"]
    ).config
    device = Device(torch.device("cpu"), 1)
    state = build_state(config, device, 32, 0)
    state.micro_batch = micro_batch
    tokens = torch.randint(32, (6, 17), generator=torch.Generator().manual_seed(3))
    return by_name(accumulate(state, device, Batch(tokens[:, :-1], tokens[:, 1:])).tolist())["u_val"]


def test_the_median_of_parts_is_that_of_the_whole() -> None:
    assert [u_of(1), u_of(2), u_of(4)] == pytest.approx([u_of(6)] * 3, rel=1e-4)
