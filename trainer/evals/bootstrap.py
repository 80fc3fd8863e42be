"""Intervals by drawing documents anew: the samples are texts, never logits or tokens."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DRAWS = 2000


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its percentile interval over `n` documents."""

    value: float
    low: float
    high: float
    n: int

    def excludes(self, value: float) -> bool:
        """Whether `value` lies outside."""
        return not self.low <= value <= self.high

    def within(self, margin: float) -> bool:
        """Whether all of it lies inside (-margin, margin): an equivalence, which a large p never is."""
        return -margin < self.low and self.high < margin

    def __str__(self) -> str:
        return f"{self.value:+.4f} [{self.low:+.4f}, {self.high:+.4f}]"


def ratio_of_sums(
    numerator: NDArray[np.float64],
    denominator: NDArray[np.float64],
    *,
    level: float = 0.95,
    seed: int = 0,
    draws: int = DRAWS,
) -> Interval:
    """Return sum(numerator) / sum(denominator) over documents, paired: both are drawn together.

    Args:
        numerator: one number a document, `[n]`; with denominators of tokens the ratio is a mean per token.
        denominator: likewise.
    """
    count = len(numerator)
    generator = np.random.default_rng(seed)
    picks = generator.integers(count, size=(draws, count))
    with np.errstate(divide="ignore", invalid="ignore"):
        drawn = numerator[picks].sum(1) / denominator[picks].sum(1)
        value = float(numerator.sum() / denominator.sum())
    tail = (1 - level) / 2
    drawn = drawn[np.isfinite(drawn)]
    if not len(drawn):
        return Interval(value, float("-inf"), float("inf"), count)
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return Interval(value, float(low), float(high), count)
