"""The gate of an auxiliary loss: the one owner of its weight lambda, a state machine without clock or draw.

The rules are those of the published scheduler (EMMA's NCEScheduler), which is asked once at the start of each
epoch. Two faults are not repeated: no schedule beside the gate can give a weight while it is closed, and
the averages that it reads are corrected for their beginning (`CorrectedAverage`), so that a threshold is no
timer.
"""

import itertools
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

GateStatus = Literal["closed", "open", "frozen", "ramping", "paused"]
EXACT = 1e-12
"""A change of accuracy of exactly `plateau_eps` is a plateau, however it is rounded."""


@dataclass(frozen=True, slots=True)
class GateRules:
    """The parameters of the published scheduler, with its defaults. Zero may be set everywhere.

    Attributes:
        start: the first epoch, counted from 1, at which the gate may open.
        warmup: the last epoch whose weight is 0 whether it is open or not.
        plateau, plateau_eps: accuracies that must lie together, each within eps of the one before.
        threshold: the read average from which on reads are good enough.
        patience: epochs in a row that they must be, the present one included; 0 asks for no streak.
        allow_plateau: a plateau alone may open it; `require_read`: reads must be good;
        require_plateau: with that, a plateau must be there, too.
        target, hysteresis: above their sum the weight rises, below their difference it falls.
        floor, increment, limit, end, backoff: of the weight; its most is the lesser of `limit` and `end`.
        pause_below_read: the weight is `floor` while the read average is below `threshold`.
        freeze: epochs after the opening in which the weight stands still.
    """

    start: int = 3
    warmup: int = 3
    plateau: int = 2
    plateau_eps: float = 0.002
    threshold: float = 0.5
    patience: int = 0
    allow_plateau: bool = True
    require_read: bool = False
    require_plateau: bool = False
    target: float = 0.5
    hysteresis: float = 0.02
    floor: float = 0.0
    increment: float = 0.01
    limit: float = 0.02
    end: float = 0.02
    backoff: float = 0.8
    pause_below_read: bool = False
    freeze: int = 0

    @property
    def most(self) -> float:
        """The largest weight there may be."""
        return min(self.limit, self.end)

    @property
    def is_enabled(self) -> bool:
        """Whether these rules can ever give a weight."""
        return self.most > 0 and (self.increment > 0 or self.floor > 0)


@dataclass(frozen=True, slots=True)
class GateTransition:
    """A change of the gate's status.

    Attributes:
        epoch: counted from 1.
        reason: a sentence without a stop.
    """

    epoch: int
    before: GateStatus
    after: GateStatus
    reason: str


@dataclass(slots=True)
class LambdaGate:
    """The gate between two epochs; `to_json` tells all of it.

    Attributes:
        weight: lambda of the present epoch. Only `advance` changes it.
        epoch: the present one, counted from 1; 0 before the first.
        opened_at, engaged_at: epochs at which it opened, and at which lambda first was above 0; 0: not yet.
        opened_by: `read` or `plateau`; empty while closed.
        open_steps: epochs since it opened, that one included.
        freeze_left: epochs for which the weight still stands still.
        streak: epochs in a row with good reads, up to the present one.
        accuracies: the last validations, at most as many as a plateau asks for.
    """

    status: GateStatus = "closed"
    weight: float = 0.0
    epoch: int = 0
    opened_at: int = 0
    opened_by: str = ""
    engaged_at: int = 0
    open_steps: int = 0
    freeze_left: int = 0
    streak: int = 0
    accuracies: list[float] = field(default_factory=list)

    def take(self, accuracy: float, rules: GateRules) -> None:
        """Take the validation accuracy of the epoch that just ended."""
        self.accuracies.append(accuracy)
        del self.accuracies[: -max(rules.plateau, 2)]

    def advance(self, read_average: float | None, rules: GateRules) -> GateTransition | None:
        """Begin the next epoch: decide its weight; return the change of status, where there is one.

        Args:
            read_average: what is known of reads at the start of the epoch; None or no number: nothing yet.
        """
        self.epoch += 1
        before = self.status
        read = read_average if read_average is not None and math.isfinite(read_average) else None
        good = read is not None and read >= rules.threshold
        self.streak = self.streak + 1 if good else 0
        if self.status == "closed":
            self.opened_by = self._key(good, rules) if rules.is_enabled else ""
            if not self.opened_by:
                self.weight = 0.0
                return None
            self.opened_at, self.freeze_left = self.epoch, rules.freeze
        self.open_steps += 1
        self.status, reason = self._move(read, good, rules)
        if self.weight > 0 and not self.engaged_at:
            self.engaged_at = self.epoch
        return GateTransition(self.epoch, before, self.status, reason) if self.status != before else None

    def _key(self, good: bool, rules: GateRules) -> str:
        if self.epoch < rules.start:
            return ""
        reads = good and self.streak >= rules.patience
        stands = self.is_on_plateau(rules)
        if rules.require_read:
            return "read" if reads and (stands or not rules.require_plateau) else ""
        return "read" if reads else "plateau" if rules.allow_plateau and stands else ""

    def is_on_plateau(self, rules: GateRules) -> bool:
        """Whether the last accuracies lie together."""
        wanted = max(rules.plateau, 2)
        last = self.accuracies[-wanted:]
        pairs = itertools.pairwise(last)
        return len(last) == wanted and all(abs(b - a) <= rules.plateau_eps + EXACT for a, b in pairs)

    def _move(self, read: float | None, good: bool, rules: GateRules) -> tuple[GateStatus, str]:
        opens = self.open_steps == 1
        told = "the read average is good" if self.opened_by == "read" else "validation stands still"
        if self.epoch <= rules.warmup:
            self.weight = 0.0  # the freeze is not used up meanwhile
            return "open", told
        candidate = max(self.weight, rules.floor)
        status: GateStatus = "open" if opens else "ramping"
        reason = told if opens else "the weight follows the read average"
        if self.freeze_left > 0 and not opens:
            self.freeze_left -= 1
            status, reason = "frozen", f"the weight stands still for {self.freeze_left + 1} epochs"
        else:
            if read is not None and read > rules.target + rules.hysteresis:
                candidate = min(candidate + rules.increment, rules.most)
            elif read is not None and read < rules.target - rules.hysteresis:
                candidate = max(rules.floor, candidate * rules.backoff)
            if rules.pause_below_read and not good:
                candidate = rules.floor
                if not opens:
                    status, reason = "paused", f"the read average is below {rules.threshold:g}"
        self.weight = min(max(candidate, 0.0), rules.most)
        return status, reason

    def used(self, scheduled: float = math.inf) -> float:
        """Return what the loss weighs; a schedule can only lower what the gate allows, never add to it."""
        return min(self.weight, max(scheduled, 0.0))

    def to_json(self) -> dict[str, Any]:
        """Return plain values, exact to the last bit."""
        return asdict(self)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> "LambdaGate":
        """Read what `to_json` returned."""
        return cls(**{name: raw[name] for name in cls.__dataclass_fields__ if name in raw})


@dataclass(slots=True)
class CorrectedAverage:
    """An exponential average that is right from its first value on: m / (1 - beta^k), as Adam has it.

    Attributes:
        share: beta^k after k values.
    """

    beta: float = 0.8
    moment: float = 0.0
    share: float = 1.0

    def take(self, value: float) -> None:
        """Take one more value; one that is no number is left out."""
        if math.isfinite(value):
            self.moment = self.beta * self.moment + (1 - self.beta) * value
            self.share *= self.beta

    @property
    def value(self) -> float | None:
        """The average; None before the first value."""
        return self.moment / (1 - self.share) if self.share < 1 else None
