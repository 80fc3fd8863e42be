"""Changes of u inside the banks."""

from typing import Any

import numpy as np
import pytest
import torch

from trainer.device.device import open_device
from trainer.evals.interventions.document_scores import Windows, quiet, under
from trainer.evals.sections import Section
from trainer.evals.u_changes import UChange, UChanges
from trainer.models import LanguageModel, create

VOCAB = 32
SMALL = {"dim": 32, "layers": 2, "oscillators": 32, "group": 4}


def made(preset: str, **more: object) -> LanguageModel[Any]:
    torch.manual_seed(1)
    model = create(preset, VOCAB, **{**SMALL, **more}).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2.0)  # sharp, so that what is changed is felt
    return model


def text() -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).integers(VOCAB, size=(2, 40)))


def under_change(model: LanguageModel[Any], index: int) -> Any:
    with torch.no_grad(), UChanges(model, 0).changes()[index]():
        return model(text())


def test_without_coupling_a_model_answers_as_one_that_never_had_it() -> None:
    model, bare = made("kssm-v3-tiny"), made("kssm-v3-tiny", coupled=False)
    bare.load_state_dict(model.state_dict(), strict=False)
    with torch.no_grad():
        expected, own = bare(text()).logits, model(text()).logits
    assert torch.allclose(under_change(model, 4).logits, expected, atol=1e-4)
    assert not torch.allclose(own, expected, atol=1e-2)


@pytest.mark.parametrize("preset", ["kssm-v3-tiny", "kssm-v3-original", "bolted-tiny"])
def test_u_is_what_the_change_says_and_its_own_again_afterwards(preset: str) -> None:
    model = made(preset, **({"group": 32} if "original" in preset else {}))
    quiet(model, 0)
    own = model(text()).u
    assert torch.allclose(under_change(model, 1).u, torch.tensor(0.1), atol=1e-4)
    assert torch.allclose(under_change(model, 2).u, torch.tensor(10.0), atol=1e-4)
    assert torch.allclose(under_change(model, 3).u, torch.tensor(1.0), atol=1e-4)
    quiet(model, 0)
    assert torch.equal(model(text()).u, own)


def test_shuffling_keeps_the_values_of_the_first_layer() -> None:
    model = made("kssm-v3-tiny")
    own, shuffled = model(text()).u[..., 0], under_change(model, 0).u[..., 0]
    assert torch.equal(own.flatten().sort().values, shuffled.flatten().sort().values)
    assert not torch.equal(own, shuffled)


def deltas(model: LanguageModel[Any]) -> tuple[UChange, ...]:
    generator = np.random.default_rng(0)
    group = [Section(generator.integers(VOCAB, size=66)) for _ in range(20)]
    changes = UChanges(model, 0)
    base, done = under(model, Windows.of(group, 64, open_device("cpu", 1)), changes.changes())
    return changes.found(base, done)


def test_where_R_is_bolted_on_u_does_nothing_and_a_gpt_has_none() -> None:
    assert all(change.delta_ce.within(1e-3) for change in deltas(made("bolted-tiny")))
    assert not all(change.delta_ce.within(1e-3) for change in deltas(made("kssm-v3-tiny")))
    assert deltas(made("gpt-tiny")) == ()
