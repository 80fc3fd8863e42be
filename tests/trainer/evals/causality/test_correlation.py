"""Does R go with certainty? Planted ties are found, and noise is not."""

import numpy as np
import pytest

from tests.trials import trials
from trainer.evals.causality.correlation import ALLOWED, Readings, correlate, two_sided_p

DOCUMENTS, LENGTH, TOKENS = 24, 100, 12


def readings(tie: float, seed: int = 0, by_token: bool = False) -> Readings:
    """R and entropy as slow noise in each document, tied by `tie`; or both by the token alone."""
    generator = np.random.default_rng(seed)
    token = generator.integers(TOKENS, size=DOCUMENTS * LENGTH)
    noise = generator.normal(size=(3, DOCUMENTS, LENGTH))
    for at in range(1, LENGTH):
        noise[:, :, at] += 0.8 * noise[:, :, at - 1]
    common, one, other = noise.reshape(3, -1)
    if by_token:
        kinds = generator.normal(size=TOKENS)[token]
        one, other, common = 1e-3 * one + kinds, 1e-3 * other + kinds, common
    return Readings(
        R=one + tie * common,
        entropy=other + tie * common,
        token=token,
        position=np.tile(np.arange(LENGTH), DOCUMENTS),
        document=np.repeat(np.arange(DOCUMENTS), LENGTH),
    )


def test_a_tie_is_found_and_the_nulls_do_not_pass() -> None:
    found = correlate(readings(tie=1.0))
    assert found.r > 0.3
    assert found.holds
    assert found.nulls_passed <= ALLOWED


def test_without_a_tie_nothing_is_found() -> None:
    held = [correlate(readings(tie=0.0, seed=seed)).p < 0.01 for seed in range(trials(2, 300))]
    assert sum(held) <= max(1, len(held) * 0.03)


def test_what_both_owe_to_the_token_does_not_count() -> None:
    found = correlate(readings(tie=0.0, by_token=True))
    assert not found.varies
    assert not found.holds


def test_a_model_without_R_has_none_to_correlate() -> None:
    assert correlate(None).words == "no R to correlate"
    assert not correlate(None).holds


@pytest.mark.parametrize(
    ("t", "freedom", "p"), [(2.228, 10, 0.05), (2.662, 59, 0.01), (3.2498, 9, 0.01), (1.95996, 10**6, 0.05)]
)
def test_p_is_that_of_student(t: float, freedom: int, p: float) -> None:
    assert two_sided_p(t, freedom) == pytest.approx(p, rel=2e-3)
    assert two_sided_p(-t, freedom) == two_sided_p(t, freedom)
    assert two_sided_p(0.0, freedom) == pytest.approx(1.0)
