"""Statement 3: make every group more or less coherent, and see whether that matters more than any nudge."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from trainer.evals.bootstrap import Interval, ratio_of_sums
from trainer.evals.interventions.banks import banks_of, intervening
from trainer.evals.interventions.document_scores import Change, DocumentScores
from trainer.evals.interventions.phase_changes import SCALES, jostled, scaled
from trainer.models import LanguageModel

EQUIVALENT = 1e-3
"""A change of CE, nats a token, that counts as none."""
LEVEL = 1 - 0.05 / len(SCALES)
"""Of each interval, so that all of them hold together at 95 %."""
NEAREST = (max(scale for scale in SCALES if scale < 1), min(scale for scale in SCALES if scale > 1))
"""On either side of no change at all."""


@dataclass(frozen=True, slots=True)
class Nudge:
    """Deviations from the mean phase times `scale`, beside random nudges of equal norm.

    Attributes:
        achieved: mean coherence under it, as the model reads it. random: under the random nudge.
        delta_ce: change of CE, nats a token. kl: divergence of the answers, nats a token.
        random_ce, random_kl: of the random nudge.
        ratio: delta_ce over random_ce, paired by document.
    """

    scale: float
    achieved: float
    random: float
    delta_ce: Interval
    kl: Interval
    random_ce: Interval
    random_kl: Interval
    ratio: Interval

    @property
    def has_effect(self) -> bool:
        """Whether CE certainly moved by more than what counts as nothing."""
        return self.harms or self.delta_ce.high < -EQUIVALENT

    @property
    def harms(self) -> bool:
        """Whether CE certainly rose by more than what counts as nothing."""
        return self.delta_ce.low > EQUIVALENT

    @property
    def has_none(self) -> bool:
        """Whether CE certainly moved by less than that: an equivalence test."""
        return self.delta_ce.within(EQUIVALENT)

    @property
    def is_about_nothing(self) -> bool:
        """Whether neither did anything, so that their ratio says nothing either."""
        return self.has_none and self.random_ce.within(EQUIVALENT)

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
        """Whether coherence matters otherwise than chance at some scale; the intervals allow for all six."""
        return any(nudge.is_specific for nudge in self.nudges)

    @property
    def is_at_its_best(self) -> bool:
        """Whether a little more coherence and a little less both cost CE, as where learning has settled.

        In an untrained model some change of coherence moves CE too, up on one side and down on the other.
        """
        return all(any(nudge.scale == scale and nudge.harms for nudge in self.nudges) for scale in NEAREST)

    @property
    def has_effect(self) -> bool:
        """Whether some scale certainly moved CE."""
        return any(nudge.has_effect for nudge in self.nudges)

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
            return f"no effect: at every scale CE changes by less than {EQUIVALENT:g} nats (equivalence test)"
        if self.is_specific:
            best = "a little more coherence and a little less both cost CE"
            if not self.is_at_its_best:
                best = "a little more coherence, or a little less, does not certainly cost CE"
            return (
                "R-specific: scaling moves CE otherwise than random nudges of equal size: "
                f"{self._compared()}; {best}"
            )
        if self.has_effect:
            return "the phases matter; making groups coherent is not told from random nudges of equal size"
        return "undecided: neither an effect on CE nor its absence is shown; use more documents"

    def _compared(self) -> str:
        """How much more, and how much less, scaling moved CE than random nudges did, and where."""
        parts = []
        for name, side in (
            ("more", [nudge for nudge in self.nudges if nudge.is_specific and nudge.ratio.low > 1]),
            (
                "less, or the other way,",
                [nudge for nudge in self.nudges if nudge.is_specific and nudge.ratio.high < 1],
            ),
        ):
            if side:
                ratios = sorted(nudge.ratio.value for nudge in side)
                scales = ", ".join(f"{nudge.scale:g}" for nudge in side)
                spread = f"{ratios[0]:.2f}" if len(side) == 1 else f"{ratios[0]:.2f} to {ratios[-1]:.2f}"
                parts.append(f"{name} at {scales} ({spread} times)")
        return ", ".join(parts)


class Sweep:
    """Every scale and a random nudge of equal norm beside each, as changes of a model."""

    def __init__(self, model: LanguageModel[Any], group: int, seed: int) -> None:
        self._model, self._group, self._seed = model, group, seed

    def changes(self) -> list[Change]:
        """First the scales, then the random nudges; none for a model without oscillators."""
        if not banks_of(self._model):
            return []
        generator = torch.Generator(self._model.embedding.weight.device).manual_seed(self._seed)

        def change(scale: float, by_chance: bool) -> AbstractContextManager[None]:
            def moved(states: Tensor) -> Tensor:
                if by_chance:
                    return jostled(states, self._group, scale, generator)
                return scaled(states, self._group, scale)

            return intervening(self._model, lambda _: moved)

        return [partial(change, scale, by_chance) for by_chance in (False, True) for scale in SCALES]

    def intervention(self, base: DocumentScores, done: Sequence[DocumentScores]) -> Intervention:
        """Make of the scores of the untouched model and of each change what was found."""
        if not done:
            return Intervention(float("nan"), ())
        mean = partial(ratio_of_sums, denominator=base.tokens, level=LEVEL)
        pairs = zip(SCALES, done[: len(SCALES)], done[len(SCALES) :], strict=True)
        return Intervention(
            base.mean_coherence,
            tuple(
                Nudge(
                    scale=scale,
                    achieved=ours.mean_coherence,
                    random=chance.mean_coherence,
                    delta_ce=mean(ours.nats - base.nats),
                    kl=mean(ours.divergence),
                    random_ce=mean(chance.nats - base.nats),
                    random_kl=mean(chance.divergence),
                    ratio=ratio_of_sums(ours.nats - base.nats, chance.nats - base.nats, level=LEVEL),
                )
                for scale, ours, chance in pairs
            ),
        )
