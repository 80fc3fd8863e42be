"""Intervals by drawing documents anew: the samples are texts, never logits or tokens."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DRAWS = 2000
AT_ONCE = 1_000_000
"""Documents drawn at once, so that many of them do not need much memory."""


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

    def negated(self) -> "Interval":
        """Return the interval of the same estimate with the other sign."""
        return Interval(-self.value, -self.high, -self.low, self.n)

    def __str__(self) -> str:
        value, low, high = (round(one, 4) + 0.0 for one in (self.value, self.low, self.high))
        return f"{value:+.4f} [{low:+.4f}, {high:+.4f}]"


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
    size = max(1, AT_ONCE // max(1, count))
    parts = list[NDArray[np.float64]]()
    with np.errstate(divide="ignore", invalid="ignore"):
        for begin in range(0, draws, size):
            picks = generator.integers(count, size=(min(size, draws - begin), count))
            parts.append(numerator[picks].sum(1) / denominator[picks].sum(1))
        drawn = np.concatenate(parts)
        value = float(numerator.sum() / denominator.sum())
    tail = (1 - level) / 2
    drawn = drawn[np.isfinite(drawn)]
    if not len(drawn):
        return Interval(value, float("-inf"), float("inf"), count)
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return Interval(value, float(low), float(high), count)
