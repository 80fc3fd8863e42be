"""Coherence beside what random phases would have."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from trainer.device.device import open_device
from trainer.evals.coherence import OrderListener, Oscillation, scattering
from trainer.evals.interventions.banks import intervening
from trainer.evals.interventions.document_scores import Windows, under
from trainer.evals.interventions.phase_changes import scattered
from trainer.evals.sections import Section
from trainer.models import LanguageModel, create

VOCAB = 32
SMALL = {"dim": 32, "layers": 2, "oscillators": 32, "group": 4}


def look(model: LanguageModel[Any]) -> Oscillation | None:
    generator = np.random.default_rng(0)
    group = [Section(generator.integers(VOCAB, size=66)) for _ in range(20)]
    windows = Windows.of(group, 64, open_device("cpu", 1))
    listener = OrderListener(model, windows)
    base, done = under(model, windows, scattering(model, 1), listener.hear, listening=listener.listening)
    return listener.oscillation(base, done)


def made(preset: str, **more: object) -> LanguageModel[Any]:
    torch.manual_seed(1)
    return create(preset, VOCAB, **{**SMALL, **more}).eval()


def held(make: Callable[[Tensor], Tensor]) -> LanguageModel[Any]:
    """A model of one layer that reads what `make` makes of its states."""
    model: Any = made("kssm-v3-tiny", layers=1)
    bank = model.blocks[0].bank
    evolve = bank.dynamics.evolve
    bank.dynamics = SimpleNamespace(evolve=lambda *words: make(evolve(*words)))
    return model  # type: ignore[no-any-return]


def test_random_phases_have_nothing_beyond_chance_and_equal_ones_all() -> None:
    generator = torch.Generator().manual_seed(3)
    by_chance = look(held(lambda states: scattered(states, generator)))
    assert by_chance is not None
    assert abs(by_chance.beyond.value) < 0.01
    assert by_chance.coherence.value > 0.4
    agreed = look(held(lambda z: torch.stack((z.square().sum(0).sqrt(), torch.zeros_like(z[0])))))
    assert agreed is not None
    assert agreed.beyond.value == pytest.approx(1.0, abs=1e-3)


def test_every_kind_with_oscillators_is_read_and_the_others_are_not() -> None:
    for preset, more in (
        ("kssm-v3-tiny", {}),
        ("bolted-tiny", {}),
        ("kssm-v1-original", {"group": 32}),
        ("kssm-v3-original", {"group": 32}),
    ):
        found = look(made(preset, **more))
        assert found is not None
        assert 0 < found.chance.value < 1
        assert found.coherence.n == 20
    assert look(made("gpt-tiny")) is None


def test_reading_leaves_the_answers_as_they_are() -> None:
    model = made("kssm-v3-tiny")
    text = torch.arange(20).unsqueeze(0)
    with torch.no_grad():
        before = model(text).logits
        with intervening(model, lambda _: lambda states: states):
            assert torch.equal(model(text).logits, before)
