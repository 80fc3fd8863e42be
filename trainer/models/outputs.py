"""What every model answers, whichever it is."""

import math
from dataclasses import dataclass

from torch import Tensor

U_LOW, U_HIGH = 0.11, 9.0
"""A position counts as "at the end" of u's range (0.1, 10) if u <= 0.11 or u >= 9."""


@dataclass(frozen=True)
class Features:
    """What the blocks made of a text, before the vocabulary.

    Attributes:
        hidden: `[B, T, D]`, after the final norm.
        R: mean over groups of |Z_1| after coupling, in [0, 1]; `[B, T, layers]` (no layers in the controls).
        coherence: mean over groups of `|sum z| / sum |z|`, in [0, 1]; `[B, T, layers]`.
        u: what sets the coupling, in (0.1, 10); `[B, T, layers]`, or None where no u exists.
        penalty: mean of `(log u)^2`, scalar, not yet weighted by lambda.
    """

    hidden: Tensor
    R: Tensor
    coherence: Tensor
    u: Tensor | None
    penalty: Tensor


@dataclass(frozen=True)
class Output:
    """Scores of the next token, `logits [B, T, V]`; the other fields are those of `Features`."""

    logits: Tensor
    R: Tensor
    coherence: Tensor
    u: Tensor | None
    penalty: Tensor


@dataclass(frozen=True)
class StepOutput:
    """One token's answer: `logits [B, V]`, and `R`, `coherence`, `u`, each `[B, layers]`."""

    logits: Tensor
    R: Tensor
    coherence: Tensor
    u: Tensor | None


@dataclass(frozen=True)
class LossOutput:
    """What a training step needs; every field but `u` is a scalar on the device, and only `total` is to be
    derived.

    Attributes:
        total: `ce + lambda * penalty`, to call `backward` on.
        ce: mean cross-entropy, nats a token (detached).
        penalty: mean of `(log u)^2` before lambda (detached).
        R_mean: mean R; NaN for a model without order parameters.
        coherence_mean: likewise.
        u: `[B, T, layers]` without derivatives, or None where no u exists.
        u_low_share: share of u at or below `U_LOW`; NaN without u.
        u_high_share: share of u at or above `U_HIGH`; NaN without u.
    """

    total: Tensor
    ce: Tensor
    penalty: Tensor
    R_mean: Tensor
    coherence_mean: Tensor
    u: Tensor | None
    u_low_share: Tensor
    u_high_share: Tensor

    @property
    def u_median(self) -> Tensor:
        """Lower median of u over positions and layers; NaN without u. It sorts: not for every step."""
        return self.ce.new_full((), math.nan) if self.u is None else self.u.median()
