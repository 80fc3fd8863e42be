"""Statement 3: make every group more or less coherent, and see whether that matters more than any nudge."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from trainer.evals.bootstrap import Interval, ratio_of_sums
from trainer.evals.causality.banks import banks_of, intervening
from trainer.evals.causality.phases import SCALES, coherence, jostled, scaled
from trainer.evals.causality.scoring import Windows, under
from trainer.models import LanguageModel

EQUIVALENT = 1e-3
"""A change of CE, nats a token, that counts as none."""
LEVEL = 1 - 0.05 / len(SCALES)
"""Of each interval, so that all of them hold together at 95 %."""


@dataclass(frozen=True, slots=True)
class Nudge:
    """Deviations from the mean phase times `scale`, beside random nudges of equal norm.

    Attributes:
        achieved: mean coherence under it, all layers.
        delta_ce: change of CE, nats a token. kl: divergence of the answers, nats a token.
        random_ce, random_kl: of the random nudge.
        ratio: delta_ce over random_ce, paired by document.
    """

    scale: float
    achieved: float
    delta_ce: Interval
    kl: Interval
    random_ce: Interval
    random_kl: Interval
    ratio: Interval

    @property
    def has_effect(self) -> bool:
        """Whether CE certainly moved by more than what counts as nothing."""
        return self.delta_ce.low > EQUIVALENT or self.delta_ce.high < -EQUIVALENT

    @property
    def has_none(self) -> bool:
        """Whether CE certainly moved by less than that: an equivalence test."""
        return self.delta_ce.within(EQUIVALENT)

    @property
    def is_specific(self) -> bool:
        """Whether coherence mattered otherwise than a random nudge of the same size."""
        return self.has_effect and self.ratio.excludes(1.0)


@dataclass(frozen=True, slots=True)
class Intervention:
    """Every scale, or none where the model has no oscillators. `own` is its coherence untouched."""

    own: float
    nudges: tuple[Nudge, ...]

    @property
    def is_specific(self) -> bool:
        """Whether R matters in itself, at some scale; the intervals allow for looking at all of them."""
        return any(nudge.is_specific for nudge in self.nudges)

    @property
    def has_none(self) -> bool:
        """Whether no scale did anything, each shown to be equivalent to nothing."""
        return bool(self.nudges) and all(nudge.has_none for nudge in self.nudges)

    @property
    def words(self) -> str:
        """The finding, for people."""
        if not self.nudges:
            return "no oscillators to intervene on"
        if self.has_none:
            return f"R does nothing: every change of CE is below {EQUIVALENT:g} nats, shown by equivalence"
        if self.is_specific:
            worst = max(self.nudges, key=lambda nudge: abs(nudge.ratio.value - 1) * nudge.is_specific)
            return (
                f"R-specific: at scale {worst.scale:g} coherence matters {worst.ratio.value:.2f}x "
                f"[{worst.ratio.low:.2f}, {worst.ratio.high:.2f}] as much as random nudges of equal size"
            )
        if any(nudge.has_effect for nudge in self.nudges):
            return "the phases matter, coherence no more than any nudge of equal size"
        return "undecided: neither an effect nor its absence is shown; use more documents"


def intervene(model: LanguageModel[Any], windows: Windows, group: int, seed: int = 0) -> Intervention:
    """Score held-out text under every scale and under random nudges of equal norm."""
    if not banks_of(model):
        return Intervention(float("nan"), ())
    generator = torch.Generator(windows.inputs.device).manual_seed(seed)

    def nudging(scale: float) -> AbstractContextManager[None]:
        return intervening(model, lambda _: lambda states: jostled(states, group, scale, generator))

    own, meters = _Meter(group), [_Meter(group) for _ in SCALES]
    changes = [partial(own.scaling, model, 1.0)]
    changes += [partial(meter.scaling, model, scale) for meter, scale in zip(meters, SCALES, strict=True)]
    changes += [partial(nudging, scale) for scale in SCALES]
    base, (_, *done) = under(model, windows, changes)
    tokens = windows.tokens_each()
    mean = partial(ratio_of_sums, denominator=tokens, level=LEVEL)
    nudges = tuple(
        Nudge(
            scale=scale,
            achieved=meter.mean,
            delta_ce=mean(ours.nats - base),
            kl=mean(ours.divergence),
            random_ce=mean(chance.nats - base),
            random_kl=mean(chance.divergence),
            ratio=ratio_of_sums(ours.nats - base, chance.nats - base, level=LEVEL),
        )
        for scale, meter, ours, chance in zip(
            SCALES, meters, done[: len(SCALES)], done[len(SCALES) :], strict=True
        )
    )
    return Intervention(own.mean, nudges)


class _Meter:
    """Scales deviations and notes the coherence that came of it."""

    def __init__(self, group: int) -> None:
        self._group = group
        self._sum, self._count = 0.0, 0

    @property
    def mean(self) -> float:
        return self._sum / max(1, self._count)

    def scaling(self, model: LanguageModel[Any], scale: float) -> AbstractContextManager[None]:
        def change(states: Tensor) -> Tensor:
            moved = states if scale == 1.0 else scaled(states, self._group, scale)
            self._sum += float(coherence(moved, self._group).mean())
            self._count += 1
            return moved

        return intervening(model, lambda _: change)
