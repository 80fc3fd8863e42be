"""What the tests of causality say of models that are known to be so."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from trainer.device.device import open_device
from trainer.evals.causality.intervention import Intervention, Sweep
from trainer.evals.causality.memory import memory
from trainer.evals.causality.order_dependence import Blinding, Wiring
from trainer.evals.causality.reach import reach
from trainer.evals.interventions.banks import group_of
from trainer.evals.interventions.document_scores import Windows, under
from trainer.evals.sections import Section
from trainer.models import LanguageModel, create

VOCAB = 32
SMALL = {"dim": 32, "layers": 2, "oscillators": 32, "group": 4}


def made(preset: str, **more: object) -> LanguageModel[Any]:
    torch.manual_seed(1)
    return create(preset, VOCAB, **{**SMALL, **more}).eval()


@pytest.fixture(scope="module")
def windows() -> Windows:
    generator = np.random.default_rng(0)
    group = [Section(generator.integers(VOCAB, size=66)) for _ in range(20)]
    return Windows.of(group, 64, open_device("cpu", 1))


def text() -> Tensor:
    return torch.from_numpy(np.random.default_rng(7).integers(VOCAB, size=200))


@pytest.mark.parametrize(
    ("preset", "mixes", "grows"),
    [
        ("kssm-v3-tiny", True, False),
        ("gpt-tiny", True, True),
        ("gated-tiny", True, False),
        ("kssm-v3-original", False, False),
        ("kssm-v1-original", False, False),
    ],
)
def test_reach_and_memory_tell_the_kinds_apart(preset: str, mixes: bool, grows: bool) -> None:
    model = made(preset)
    found = reach(model, text(), VOCAB)
    assert found.is_causal
    assert found.reaches is mixes
    assert found.is_position_wise is not mixes
    assert ("position-wise" in found.words) is not mixes
    assert memory(model).grows is grows
    assert (memory(model).late > 0) is mixes
    if "original" in preset:
        assert found.felt_in_order == 0


def test_a_model_that_looks_ahead_is_told() -> None:
    model = made("gated-tiny")
    features = model.features
    model.features = lambda tokens: features(tokens.roll(-1, 1))  # type: ignore[method-assign]
    assert "NOT causal" in reach(model, text(), VOCAB).words


def look_at_wiring(model: LanguageModel[Any], windows: Windows) -> Wiring:
    blinding = Blinding(model, windows)
    return blinding.wiring(*under(model, windows, blinding.changes()), 3.0)


def test_wiring_tells_a_sealed_bank_from_a_bypass(windows: Windows) -> None:
    assert look_at_wiring(made("kssm-v3-tiny"), windows).sealed is True
    assert look_at_wiring(made("kssm-v1-original"), windows).sealed is True
    for preset, more in (
        ("kssm-v3-tiny", {"path": "residual"}),
        ("kssm-v2-original", {}),
        ("kssm-v3-original", {}),
        ("bolted-tiny", {}),
    ):
        assert look_at_wiring(made(preset, **more), windows).sealed is False
    assert look_at_wiring(made("gpt-tiny"), windows).sealed is None


def sweep(model: LanguageModel[Any], windows: Windows) -> Intervention:
    changes = Sweep(model, group_of(model), 0)
    return changes.intervention(*under(model, windows, changes.changes()))


def test_R_that_is_bolted_on_before_a_norm_is_shown_to_do_nothing(windows: Windows) -> None:
    found = sweep(made("bolted-tiny"), windows)
    assert found.has_none
    assert not found.is_specific
    sharp = made("kssm-v3-tiny")
    with torch.no_grad():
        for parameter in sharp.parameters():
            parameter.mul_(2.0)  # untrained and sharp: its phases move its answers
    moved = sweep(sharp, windows)
    assert not moved.has_none
    scales = [nudge.achieved for nudge in moved.nudges]
    assert scales[0] > moved.own > scales[3]
    assert sweep(made("gpt-tiny"), windows).nudges == ()
