"""A rate that is too high from the first step on: nothing was learnt yet that could be lost.

Measured on small models of three kinds (`python -m benchmarks.early_rate`): either the loss leaves its first
value upwards, or it stays above what counting single tokens achieves and no longer falls.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

BLOCK = 32
"""Steps whose median stands for them."""
JUDGED, WATCHED = 7, 16
"""Blocks after the warm-up from which on, and up to which, a loss that stands still is looked at."""
RECENT = 4
"""Blocks in which it must have fallen."""
LEAST_FALL = 0.02
LEAST_RISE, RISE = 0.3, 0.2
"""Nats, and share of the first loss, that the last losses are above it."""
ABOVE_FLOOR = 0.15
LEAST_MOVE = 0.3
"""Nats that the loss has come away from its first value: a rate that is too low has hardly moved it."""


@dataclass(frozen=True, slots=True)
class EarlySteps:
    """What the first steps of a run are judged by.

    Attributes:
        warmup: steps until the rate is what was asked for.
        unigram: nats a token that counting single tokens achieves.
    """

    warmup: int
    unigram: float


def is_early(step: int, early: EarlySteps) -> bool:
    """Whether a step is one of those that are looked at."""
    return step <= early.warmup + WATCHED * BLOCK


def risen(first: float, losses: Sequence[float], noise: float) -> float | None:
    """Return the median of the last losses where it has left the first one upwards, else None.

    Args:
        first: the loss of the very first step. losses: the last ones. noise: what they may differ by.
    """
    now = median(losses)
    return now if now > first + max(RISE * abs(first), LEAST_RISE, noise) else None


def stuck(first: float, blocks: Sequence[float], early: EarlySteps) -> float | None:
    """Return the loss that a run is stuck at above the unigram floor, or None where it is not.

    Args:
        blocks: the medians of the blocks since the warm-up.
    """
    if len(blocks) < JUDGED:
        return None
    before, recent = min(blocks[:-RECENT]), min(blocks[-RECENT:])
    falls = recent < before - LEAST_FALL
    moved = abs(first - recent) > LEAST_MOVE
    return recent if moved and not falls and recent > early.unigram + ABOVE_FLOOR else None
