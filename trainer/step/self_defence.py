"""How a run defends itself: what is trouble, and what changes after a step back.

Functions of what steps came to, without a clock, a device or a draw: a run that was resumed decides as one
that was not. The values of single steps come late, once a row; the decision is the same whenever they come.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

from trainer.config.schema import GuardConfig
from trainer.step.early_rate import BLOCK, EarlySteps, is_early, risen, stuck

FEWEST = 16
"""Values that a window must have before it judges the next one."""
TO_SIGMA = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""
LEAST_RISE = 0.5
"""Nats, and share of the median: a loss that rose by less is no spike, however quiet it was."""
LEAST_NORM_RISE = math.log(30.0)
LEAST_DIVERGENCE = 0.5
"""Nats that the median of the loss must have risen."""
LEAST_SHIFT = 0.3
"""Nats that a few losses in a row must be above those before them."""
FEW, RECENT, LOOKED_EVERY = 8, 16, 4
QUIET_SIGMAS = 4.0
"""Above this the last losses are within a spike, though none may be one: such a checkpoint is no good."""
EARLY_SIGMAS = 2.0
"""Of the first losses, which a rate that is too high throws far apart."""
NOTCHES = 12
"""A lowered rate comes back in notches of a twelfth of `guard.calm` steps."""
PLATEAU_FACTOR = 0.5
LONGER, MUCH_LONGER = 2, 4
"""Times that it stays lowered for longer where its return brought trouble, and where it did so again."""
FOR_GOOD = 1 << 53
RUN_UP = 4
"""Steps before the trouble from which on the rate is lowered: those before them were good as they were."""
Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a run cannot go on as it is.

    Attributes:
        reason: a sentence.
        step: the step at which it was found.
        first: the first step to blame (counted from 1); 0: every one since the checkpoint.
        restarts: no batch is to blame and no checkpoint good: the rate is too high since the beginning.
    """

    reason: str
    step: int
    first: int
    restarts: bool = False


@dataclass(slots=True)
class SelfDefence:
    """What a run remembers of its steps, for its own defence; a checkpoint holds all of it.

    Attributes:
        losses, norms: total loss, and natural logarithm of the gradient norm, of the last usable steps.
        streak: steps in a row, up to the last one, whose loss or gradient was not finite.
        lowest: the lowest median of half a window of losses so far; None before the first.
        rollbacks: steps back so far.
        level, since, until: how far the rate is lowered between these steps; then by one less every notch.
        at: the step of the last trouble.
        returns: how often in a row it was the return of the rate that brought trouble.
        plateau: what the rate is multiplied by to the end, for every plateau of the validation loss.
        skipped: ranges of batches that are left out, each from its first up to, not including, its last.
        anchor: the newest good checkpoint.
        val_lowest: the lowest validation CE that this judges by, and `val_median` of the losses then.
        begun: total loss of the very first step; None of a run that was not watched from there.
        blocks: medians of the loss over the first blocks of steps after the warm-up.
        worse: evaluations in a row that diverge; `stale`: without a new lowest; `flat`: likewise, since the
            last plateau.
    """

    losses: list[float] = field(default_factory=list)
    norms: list[float] = field(default_factory=list)
    streak: int = 0
    lowest: float | None = None
    rollbacks: int = 0
    level: int = 0
    since: int = 0
    until: int = 0
    at: int = 0
    returns: int = 0
    plateau: float = 1.0
    skipped: list[Range] = field(default_factory=list)
    anchor: str = ""
    val_lowest: float | None = None
    val_median: float | None = None
    begun: float | None = None
    blocks: list[float] = field(default_factory=list)
    worse: int = 0
    stale: int = 0
    flat: int = 0

    def observe(
        self,
        step: int,
        loss: float,
        norm: float,
        config: GuardConfig,
        allowed: int,
        early: EarlySteps | None = None,
    ) -> Trouble | None:
        """Take what step number `step` came to; return what is wrong, if anything is.

        A single spike is outlived where the run may not step back any more.

        Args:
            loss, norm: total loss and gradient norm before clipping, finite or not.
            allowed: steps in a row that may be skipped.
            early: what the first steps are judged by; None: they are not.
        """
        if not (math.isfinite(loss) and math.isfinite(norm)):
            self.streak += 1
            if self.streak < allowed:
                return None
            what = f"loss or gradient was not finite in {self.streak} steps in a row, up to step {step}"
            return Trouble(what, step, step - self.streak + 1)
        self.streak = 0
        if config.rollbacks == 0:
            return None
        log_norm = math.log(max(norm, 1e-30))
        may = self.rollbacks < config.rollbacks and config.spike
        if may and (found := self._spike(step, loss, log_norm, config.spike)):
            return found
        for values, value in ((self.losses, loss), (self.norms, log_norm)):
            values.append(value)
            del values[: -config.window]
        if early is not None and (found := self._too_high(step, loss, config, early)):
            return found
        return self._divergence(step, config) if step % LOOKED_EVERY == 0 else None

    def _too_high(self, step: int, loss: float, config: GuardConfig, early: EarlySteps) -> Trouble | None:
        if step == 1:
            self.begun = loss
        if self.begun is None or not config.restart or not is_early(step, early):
            return None
        now, what = None, ""
        if len(self.losses) >= FEWEST and step % LOOKED_EVERY == 0:
            last = self.losses[-FEWEST:]
            now = risen(self.begun, last, EARLY_SIGMAS * deviation(last, median(last)))
            what = f"it began at {self.begun:.4g}"
        if now is None and step > early.warmup and (step - early.warmup) % BLOCK == 0:
            self.blocks.append(median(self.losses[-BLOCK:]))
            now = stuck(self.begun, self.blocks, early)
            what = f"which is above counting single tokens ({early.unigram:.4g}), and no longer falls"
        if now is None:
            return None
        told = f"the rate is too high since the first step: at step {step} the loss is {now:.4g}, {what}"
        return Trouble(told, step, 0, restarts=True)

    def _spike(self, step: int, loss: float, log_norm: float, limit: float) -> Trouble | None:
        if found := excess(self.losses, loss, limit, LEAST_RISE, LEAST_RISE):
            what = f"a spike of the loss at step {step}: {loss:.4g}, where {found.median:.4g} is usual"
        elif found := excess(self.norms, log_norm, limit, LEAST_NORM_RISE, 0.0):
            usual = math.exp(found.median)
            size = math.exp(log_norm)
            what = f"a spike of the gradient at step {step}: {size:.4g}, where {usual:.4g} is usual"
        else:
            return None
        return Trouble(f"{what} ({found.sigmas:.0f} robust standard deviations)", step, step)

    def _divergence(self, step: int, config: GuardConfig) -> Trouble | None:
        if not config.rise or len(self.losses) < FEWEST + FEW:
            return None
        before = self.losses[:-FEW]
        usual, now = median(before), median(self.losses[-FEW:])
        noise = QUIET_SIGMAS * deviation(before, usual)
        if now > usual + max(config.rise * abs(usual), LEAST_SHIFT, noise):
            what = f"the loss has jumped: {now:.4g} at step {step}, {usual:.4g} before"
            return Trouble(what, step, step - FEW + 1)
        if len(self.losses) < config.window:
            return None
        usual, now = median(self.losses[: config.window // 2]), median(self.losses[-RECENT:])
        if self.lowest is None or usual < self.lowest:
            self.lowest = usual
        if now <= self.lowest + max(config.rise * abs(self.lowest), LEAST_DIVERGENCE, noise):
            return None
        return Trouble(
            f"the loss diverges: its median is {now:.4g} at step {step} and was {self.lowest:.4g}", step, 0
        )

    def judge(self, step: int, val_ce: float, config: GuardConfig) -> Trouble | None:
        """Take a validation CE; return what is wrong, if anything is.

        It diverges where it is `config.val_rise` above its lowest in two evaluations in a row and the
        training loss has risen, too: a model that only learns its text by heart is no trouble of this kind.
        """
        half = self.losses[-(config.window // 2) :]
        now = median(half) if half else None
        if not math.isfinite(val_ce) and config.rollbacks:
            return Trouble(f"the validation loss is not finite at step {step}", step, 0)
        if self.val_lowest is None or val_ce < self.val_lowest:
            self.val_lowest, self.val_median = val_ce, now
            self.worse = self.stale = self.flat = 0
            return None
        self.stale, self.flat = self.stale + 1, self.flat + 1
        limit = self.val_lowest + max(config.val_rise * self.val_lowest, LEAST_DIVERGENCE)
        falls = now is None or self.val_median is None or now <= self.val_median
        self.worse = self.worse + 1 if config.val_rise and val_ce > limit and not falls else 0
        if self.worse < 2 or config.rollbacks == 0:
            return None
        return Trouble(
            f"validation diverges: {val_ce:.4g} at step {step}, {self.val_lowest:.4g} at its lowest, "
            "and the training loss rises with it", step, 0
        )  # fmt: skip

    def on_plateau(self, config: GuardConfig) -> bool:
        """Whether the validation loss stands still; the rate is lowered to the end where it does."""
        if not config.plateau or self.flat < config.plateau:
            return False
        self.flat, self.plateau = 0, self.plateau * PLATEAU_FACTOR
        return True

    def is_stale(self, config: GuardConfig) -> bool:
        """Whether the run is to end early: as many evaluations without a new lowest as it is to wait."""
        return bool(config.patience) and self.stale >= config.patience

    @property
    def is_calm(self) -> bool:
        """Whether nothing is suspicious: a checkpoint of now is a good one."""
        if self.streak or self.worse:
            return False
        if len(self.losses) < FEWEST:
            return True
        middle, now = median(self.losses), median(self.losses[-5:])
        return now <= middle + max(QUIET_SIGMAS * deviation(self.losses, middle), 0.1 * abs(middle))

    def step_back(self, before: "SelfDefence", trouble: Trouble, target: int, config: GuardConfig) -> None:
        """Become what goes on from step `target`: this is what was known there.

        Args:
            before: what was known when the trouble was found.
        """
        if trouble.restarts:
            self.rollbacks, self.skipped = before.rollbacks + 1, list(before.skipped)
            self.plateau = before.plateau * config.restart
            return
        level = before.level_at(trouble.step, config.calm)
        self.returns = before.returns
        if level == 0 and trouble.step > before.until + LONGER * MUCH_LONGER * config.calm:
            self.returns = 0
        elif before.level > 0 and trouble.step >= before.until:
            self.returns += 1
        in_place = level >= 2 and abs(trouble.step - before.at) <= RECENT
        self.level, self.at = level + (2 if in_place else 1), trouble.step
        length = max(config.calm // self.level, 1)  # a rate that is hardly one is soon tried higher
        if self.returns:
            length = config.calm * LONGER * MUCH_LONGER ** (self.returns - 1)
        self.rollbacks = before.rollbacks + 1
        is_last = self.returns > 0 and self.rollbacks == config.rollbacks
        self.until = FOR_GOOD if is_last else trouble.step + length
        onset = (trouble.first or trouble.step - RECENT) - RUN_UP
        self.since = min(onset, before.since) if level else onset
        first = max(trouble.first - 1, target)  # those before the checkpoint are learnt already
        blamed = (batch_of(first, before.skipped), batch_of(trouble.step - 1, before.skipped) + 1)
        self.skipped = merged([*before.skipped, blamed])
        self.plateau = min(self.plateau, before.plateau)

    def level_at(self, step: int, calm: int) -> int:
        """Return how far the rate is lowered after `step` finished steps; 0: not at all."""
        if step < self.since:
            return 0
        risen = 0 if step < self.until else 1 + (step - self.until) // max(calm // NOTCHES, 1)
        return max(self.level - risen, 0)

    def easing(self, step: int, config: GuardConfig) -> float:
        """Return what the rate of the step that follows `step` finished ones is multiplied by.

        With f = `guard.lower` that is f, f^3, f^6, f^10 ...: one bad batch costs little speed, and a rate
        that is a thousand times too high is found in five steps back.
        """
        level = self.level_at(step, config.calm)
        return float(config.lower ** (level * (level + 1) // 2)) * self.plateau

    def to_json(self) -> dict[str, Any]:
        """Return plain values, exact to the last bit."""
        return asdict(self)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> "SelfDefence":
        """Read what `to_json` returned; what an older checkpoint does not tell is as at the beginning."""
        known = {name: raw[name] for name in cls.__dataclass_fields__ if name in raw}
        known["skipped"] = [(int(first), int(end)) for first, end in raw.get("skipped", ())]
        return cls(**known)


@dataclass(frozen=True, slots=True)
class Excess:
    """A value above all of its window: the median there, and by how many robust deviations it is above."""

    median: float
    sigmas: float


def excess(history: Sequence[float], value: float, limit: float, least: float, share: float) -> Excess | None:
    """Return by how much a value stands out upwards, or None where it does not.

    Args:
        history: the values before it; fewer than `FEWEST` judge nothing.
        limit: robust standard deviations that it must be above the median.
        least, share: it must be that much above it in any case, and that share of its size.
    """
    if len(history) < FEWEST or value <= max(history):
        return None
    middle = median(history)
    above = value - middle
    if above <= max(least, share * abs(middle)):
        return None
    sigma = deviation(history, middle)
    return Excess(middle, above / max(sigma, 1e-9)) if above > limit * sigma else None


def deviation(values: Sequence[float], middle: float) -> float:
    """Return the robust standard deviation of values around their median."""
    return TO_SIGMA * median(abs(one - middle) for one in values)


def batch_of(step: int, skipped: Sequence[Range]) -> int:
    """Return the index of the batch that the step after `step` finished ones takes, without those left out.

    Args:
        skipped: disjoint ranges in order.
    """
    index = step
    for first, end in skipped:
        if first > index:
            break
        index += end - first
    return index


def merged(ranges: Sequence[Range]) -> list[Range]:
    """Return ranges in order, those that touch as one."""
    out: list[Range] = []
    for first, end in sorted(ranges):
        if out and first <= out[-1][1]:
            out[-1] = (out[-1][0], max(end, out[-1][1]))
        else:
            out.append((first, end))
    return out
