"""The closed form of R, against AdamW itself, the published equations and the published logs."""

import math

import numpy as np
import pytest
import torch

from trainer.evals.probes.decay import decayed_scales, expected_R
from trainer.models import create
from trainer.models.published import PublishedV3
from trainer.reproduce.published_claims import OSCILLATORS, PUBLISHED_RUNS
from trainer.step.lr_schedule import Schedule


def test_the_share_left_is_what_AdamW_leaves_of_a_parameter_without_gradient() -> None:
    schedule = Schedule(0.05, 0.0, 4, 20)
    parameter = torch.nn.Parameter(torch.full((3,), 2.0, dtype=torch.float64))
    optimizer = torch.optim.AdamW([parameter], lr=1.0, weight_decay=0.3)
    left = []
    for step in range(20):
        optimizer.param_groups[0]["lr"] = schedule.rate(step)
        parameter.grad = torch.zeros_like(parameter)
        optimizer.step()
        left.append(float(parameter[0].detach()) / 2)
    assert decayed_scales(range(1, 21), schedule.rate, 0.3) == pytest.approx(left, rel=1e-12)
    assert decayed_scales([0], schedule.rate, 0.3) == [1.0]


def test_R_is_that_of_the_published_bank_at_this_width_and_of_no_other() -> None:
    torch.manual_seed(0)
    model = create("kssm-v3-original", 31, dim=16, layers=1, oscillators=96, group=96, harmonics=2).eval()
    assert isinstance(model, PublishedV3)
    (bank,) = model.banks()
    tokens = torch.randint(31, (8, 64))
    for scale in (0.95, 0.85, 0.7):
        with torch.no_grad():
            bank.omega.copy_(scale * torch.linspace(-math.pi, math.pi, 96))
            bank.noise.fill_(0.2 * scale)
            out = model(tokens)
        u = out.u.flatten().double().numpy()
        observed = float(out.R.mean())
        assert expected_R(scale, u, 96) == pytest.approx(observed, rel=0.02)
        assert expected_R(scale - 0.05, u, 96) != pytest.approx(observed, rel=0.05)
        assert expected_R(scale, np.full(1, 10.0), 96) != pytest.approx(observed, rel=0.05)


@pytest.mark.parametrize("run", PUBLISHED_RUNS, ids=lambda run: run.name)
def test_the_published_R_is_within_five_percent_of_decay_and_far_from_that_of_no_decay(run) -> None:  # type: ignore[no-untyped-def]
    observed = [R for _, R in run.observed]
    assert run.predicted() == pytest.approx(observed, rel=0.05)
    floor = expected_R(1.0, np.array([run.u]), OSCILLATORS)
    assert all(floor < 0.2 * R for R in observed)
