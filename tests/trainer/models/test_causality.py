"""Statement 1: perturbing token t changes no earlier logit, and changes some logit 64 tokens later."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from tests.trainer.models.texts import KINDS, VOCAB, small, text

PERTURBED, TOKENS, REACH = 40, 128, 64
Logits = Callable[[Tensor], Tensor]


def changes(logits: Logits) -> Tensor:
    """Return the largest change of any logit at each position when token `PERTURBED` changes."""
    tokens = text(2, TOKENS)
    other = tokens.clone()
    other[:, PERTURBED] = (other[:, PERTURBED] + 7) % VOCAB
    with torch.no_grad():
        return (logits(tokens) - logits(other)).abs().amax(dim=(0, 2))


def assert_causal(logits: Logits) -> None:
    assert changes(logits)[:PERTURBED].max() == 0.0


def assert_reaches(logits: Logits) -> None:
    assert changes(logits)[PERTURBED + REACH :].max() > 1e-6


@pytest.mark.parametrize("kind", KINDS)
def test_no_logit_before_the_perturbed_token_changes(kind: str) -> None:
    model = small(kind)
    assert_causal(lambda tokens: model(tokens).logits)


@pytest.mark.parametrize("kind", KINDS)
def test_logits_64_tokens_later_change(kind: str) -> None:
    model = small(kind)
    assert_reaches(lambda tokens: model(tokens).logits)


def test_a_position_wise_bigram_fails_the_reach() -> None:
    table = torch.randn(VOCAB, VOCAB, generator=torch.Generator().manual_seed(0))

    def bigram(tokens: Tensor) -> Tensor:
        return table[tokens]

    assert_causal(bigram)
    with pytest.raises(AssertionError):
        assert_reaches(bigram)


def test_a_model_that_sees_the_mean_of_the_text_fails_causality() -> None:
    model = small()

    def leaky(tokens: Tensor) -> Tensor:
        logits: Tensor = model(tokens).logits
        return logits + 1e-4 * logits.mean(dim=1, keepdim=True)

    assert_reaches(leaky)
    with pytest.raises(AssertionError):
        assert_causal(leaky)


def test_texts_of_a_batch_do_not_see_each_other() -> None:
    model, tokens = small(), text(2, 96)
    other = tokens.clone()
    other[1] = text(1, 96, seed=5)[0]
    with torch.no_grad():
        assert torch.equal(model(tokens).logits[0], model(other).logits[0])
