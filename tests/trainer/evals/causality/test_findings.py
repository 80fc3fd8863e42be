"""What the tests of causality say of models that are known to be so."""

import numpy as np
import pytest
import torch
from torch import Tensor

from trainer.device import open_device
from trainer.evals.causality.correlation import correlate
from trainer.evals.causality.intervention import intervene
from trainer.evals.causality.reach import reach
from trainer.evals.causality.scoring import Windows
from trainer.evals.causality.wiring import wiring
from trainer.evals.sections import Section
from trainer.models import create

VOCAB, GROUP = 32, 4
SMALL = {"dim": 32, "layers": 2, "oscillators": 32, "group": GROUP}


def made(preset: str, **more: object) -> torch.nn.Module:
    torch.manual_seed(1)
    group = {"group": 32} if "original" in preset else {}
    return create(preset, VOCAB, **{**SMALL, **group, **more}).eval()


@pytest.fixture
def windows() -> Windows:
    generator = np.random.default_rng(0)
    group = [Section(generator.integers(VOCAB, size=130)) for _ in range(20)]
    return Windows.of(group, 64, open_device("cpu", 1))


def text() -> Tensor:
    return torch.from_numpy(np.random.default_rng(7).integers(VOCAB, size=200))


@pytest.mark.parametrize(
    ("preset", "mixes"),
    [("kssm-v3-tiny", True), ("gpt-tiny", True), ("gated-tiny", True), ("kssm-v3-original", False)],
)
def test_reach_tells_what_mixes_from_what_does_not(preset: str, mixes: bool) -> None:
    found = reach(made(preset), text(), VOCAB)  # type: ignore[arg-type]
    assert found.is_causal
    assert found.reaches is mixes
    assert ("position-wise" in found.words) is not mixes


def test_wiring_tells_a_sealed_bank_from_a_bypass(windows: Windows) -> None:
    assert wiring(made("kssm-v3-tiny"), windows, 3.0).sealed is True  # type: ignore[arg-type]
    assert wiring(made("kssm-v3-tiny", path="residual"), windows, 3.0).sealed is False  # type: ignore[arg-type]
    assert wiring(made("gpt-tiny"), windows, 3.0).sealed is None  # type: ignore[arg-type]


def test_R_that_is_bolted_on_before_a_norm_is_shown_to_do_nothing(windows: Windows) -> None:
    found = intervene(made("gpt-tiny", kind="bolted"), windows, GROUP)  # type: ignore[arg-type]
    assert found.has_none
    assert not found.is_specific
    sharp = made("kssm-v3-tiny")
    with torch.no_grad():
        for parameter in sharp.parameters():
            parameter.mul_(2.0)  # untrained and sharp: its phases move its answers
    assert not intervene(sharp, windows, GROUP).has_none  # type: ignore[arg-type]


def test_of_the_shuffled_nulls_few_pass(windows: Windows) -> None:
    found = correlate(made("kssm-v3-tiny"), windows)  # type: ignore[arg-type]
    assert found.documents == 20
    assert found.nulls_passed <= 8
    assert correlate(made("gpt-tiny"), windows).words == "no R to correlate"  # type: ignore[arg-type]
