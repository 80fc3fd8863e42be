"""Differences between models, paired by seed, with their intervals."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, stdev

T975 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)
"""Student's t at 0.975 for 1, 2, ... degrees of freedom."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Mean of paired differences; `half` is half of the 95 % t-interval, None with one pair."""

    value: float
    half: float | None
    n: int

    @property
    def settled(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.half is not None and abs(self.value) > self.half

    def __str__(self) -> str:
        if self.half is None:
            return f"{self.value:+.3f}"
        return f"{self.value:+.3f} ± {self.half:.3f}"


def paired(ours: Sequence[float], theirs: Sequence[float]) -> Difference:
    """`ours - theirs`, seed by seed.

    Raises:
        ValueError: no pair, more pairs than `T975` covers, or unequal numbers.
    """
    apart = [a - b for a, b in zip(ours, theirs, strict=True)]
    if not apart or len(apart) > len(T975) + 1:
        raise ValueError(f"{len(apart)} pairs; give 1 to {len(T975) + 1}")
    if len(apart) == 1:
        return Difference(apart[0], None, 1)
    half = T975[len(apart) - 2] * stdev(apart) / len(apart) ** 0.5
    return Difference(mean(apart), half, len(apart))
