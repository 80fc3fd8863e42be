"""Whether validation has fallen since an auxiliary loss began to weigh: a bound, and two in a row.

The published alarm took the best validation before the gate for its reference, and a fixed drop of .01 with
64 sequences: both make it cry without a cause. Here the reference is the mean of the last three, and the drop
must be more than two standard errors of the difference, with p pooled.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

REFERENCES = 3
"""Validations before the gate whose mean is the reference."""
SIGMAS = 2.0


@dataclass(frozen=True, slots=True)
class AlarmRules:
    """When a drop is one.

    Attributes:
        threshold: the least drop of accuracy, however many sequences are scored.
        patience: validations in a row that must be so low.
    """

    threshold: float = 0.01
    patience: int = 2


@dataclass(frozen=True, slots=True)
class SustainedDrop:
    """A drop that lasted: where validation was, where it is, and what would have been allowed."""

    reference: float
    now: float
    bound: float

    @property
    def reason(self) -> str:
        """A sentence without a stop."""
        return (
            f"validation accuracy fell from {self.reference:.3f} to {self.now:.3f} since the auxiliary loss "
            f"weighs anything: more than {self.bound:.3f}"
        )


@dataclass(slots=True)
class DropAlarm:
    """What is remembered between validations; `to_json` tells all of it.

    Attributes:
        before: the last validations before lambda first was above 0.
        streak: validations in a row that were too low.
    """

    before: list[float] = field(default_factory=list)
    streak: int = 0

    def observe(self, accuracy: float, n: int, *, engaged: bool, rules: AlarmRules) -> SustainedDrop | None:
        """Take a validation; return the drop in which the last ones agree, if they do.

        Args:
            n: scored sequences.
            engaged: whether lambda was above 0 at this one or at an earlier one.
        """
        if not engaged:
            self.before.append(accuracy)
            del self.before[:-REFERENCES]
            return None
        if not self.before:
            return None
        reference = sum(self.before) / len(self.before)
        bound = drop_bound(reference, accuracy, n, len(self.before), rules.threshold)
        self.streak = self.streak + 1 if reference - accuracy > bound else 0
        return SustainedDrop(reference, accuracy, bound) if self.streak >= rules.patience else None

    def to_json(self) -> dict[str, Any]:
        """Return plain values, exact to the last bit."""
        return asdict(self)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> "DropAlarm":
        """Read what `to_json` returned."""
        return cls(list(raw.get("before", ())), int(raw.get("streak", 0)))


def drop_bound(reference: float, now: float, n: int, references: int, threshold: float) -> float:
    """Return max(threshold, 2 sqrt(p (1-p) (1/n + 1/(k n)))) with p the mean of reference and now.

    Args:
        n: sequences of one validation; `references` (k): validations that the reference is the mean of.
    """
    p = (reference + now) / 2
    return max(threshold, SIGMAS * math.sqrt(max(p * (1 - p), 0.0) * (1 / n + 1 / (references * n))))
