"""Statement 2: nothing passes the first bank but its order parameters.

This shows wiring, not Kuramoto: the gated control with its read-out cut would pass likewise.
"""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.trainer.models.texts import small, text
from trainer.models import LanguageModel


def logits_without_order(model: LanguageModel[Any], layer: int) -> tuple[Tensor, Tensor]:
    """Return the logits of two texts with the order parameters of one bank replaced by a constant."""

    def constant(module: nn.Module, inputs: object, features: Tensor) -> Tensor:
        return torch.full_like(features, 0.25)

    handle = model.blocks[layer].bank.read_out.register_forward_hook(constant)  # type: ignore[union-attr, index]
    with torch.no_grad():
        pair = model(text(1, 96, seed=1)).logits, model(text(1, 96, seed=2)).logits
    handle.remove()
    return pair


@pytest.mark.parametrize("coupled", [True, False])
def test_with_constant_order_parameters_in_the_first_bank_all_texts_are_one(coupled: bool) -> None:
    one, other = logits_without_order(small(coupled=coupled), 0)
    assert torch.equal(one, other)


def test_with_live_order_parameters_texts_differ() -> None:
    model = small()
    with torch.no_grad():
        assert not torch.equal(model(text(1, 96, seed=1)).logits, model(text(1, 96, seed=2)).logits)


def test_a_residual_around_the_first_bank_lets_the_text_past() -> None:
    one, other = logits_without_order(small(path="residual"), 0)
    assert not torch.equal(one, other)


def test_a_later_bank_has_a_bypass() -> None:
    one, other = logits_without_order(small(), 1)
    assert not torch.equal(one, other)
