"""u as a histogram: it adds up over micro-batches and processes, which medians do not.

Bins are even in asinh(u / SCALE): logarithmic for all but the smallest u, and fit for a u below zero, too.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

BINS = 2048
SCALE = 0.01
FURTHEST = math.asinh(1e4 / SCALE)
"""Of what lies beyond +-10,000 only the side is kept."""
WIDTH = 2 * FURTHEST / BINS


def histogram_of(u: Tensor) -> Tensor:
    """Return the shares `[BINS]` of values in each bin. Waits for nothing."""
    at = (u.detach().float().flatten() / SCALE).asinh().nan_to_num()
    bins = ((at + FURTHEST) / WIDTH).long().clamp(0, BINS - 1)
    ones = torch.ones_like(at)
    return torch.zeros(BINS, device=u.device).scatter_add_(0, bins, ones) / at.numel()


def median_of(shares: Sequence[float]) -> float:
    """Return the median of a histogram, even within its bin; NaN of an empty one."""
    half, below = sum(shares) / 2, 0.0
    for index, share in enumerate(shares):
        if share > 0 and below + share >= half:
            return SCALE * math.sinh((index + (half - below) / share) * WIDTH - FURTHEST)
        below += share
    return math.nan
