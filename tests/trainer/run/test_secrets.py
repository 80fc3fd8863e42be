"""Wherever it stands in a text, what has the form of a secret is masked; a neighbour that has not is kept."""

import pytest

from trainer.run.secrets import MASK, masked_text

CANARY = "canary7f3a91"


@pytest.mark.parametrize(
    "text",
    [
        f"failed: curl --api-key={CANARY} https://example.org",
        f"failed: curl --api-key {CANARY} https://example.org",
        f'["curl", "--token={CANARY}"]',
        f"(--password={CANARY})",
        f"TOKEN={CANARY} python train.py",
        f"https://ada:{CANARY}@example.org/x",
    ],
)
def test_a_secret_is_masked_wherever_it_stands(text: str) -> None:
    assert CANARY not in masked_text(text)
    assert MASK in masked_text(text)


@pytest.mark.parametrize("text", ["--steps=500 --lr 2e-3", "a-token-ring-of 7", "--keys=three", "x--token"])
def test_what_is_no_secret_is_left_as_it_is(text: str) -> None:
    assert masked_text(text) == text
