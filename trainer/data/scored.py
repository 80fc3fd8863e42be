"""Scored positions: which targets of a batch count in its loss.

A batch is `(inputs, targets)`, where every position counts, or `(inputs, targets, weights)`. The loss is the
sum over the scored positions divided by their number, over all micro-batches and processes of one optimizer
step. Since each of those takes a mean over its own positions, the weights carry the number: their mean over
the whole batch is 1, so the mean of `weight * loss` is that very quotient, however the batch is split.
"""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from trainer.data.batches import Ids

Weights = NDArray[np.float32]
Mask = NDArray[np.bool_]
ScoredBatch = tuple[Ids, Ids, Weights]


class BatchSource(Protocol):
    """Batches as a function of their index."""

    def batch_at(self, index: int) -> tuple[Any, ...]:
        """Return inputs and targets int64 [B, T], and weights float32 [B, T] where not all are scored."""


def scored_weights(mask: Mask) -> Weights:
    """Return what each position of a whole batch weighs, float32 [B, T]: 0, or all positions over the scored.

    Args:
        mask: bool [B, T], true where the target counts. Where none does, every weight is 0.
    """
    count = int(np.count_nonzero(mask))
    return mask.astype(np.float32) * np.float32(mask.size / count if count else 0.0)
