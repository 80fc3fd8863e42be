"""Statement 2: with the first bank's order parameters held constant, every text looks alike.

This shows wiring, not Kuramoto: any recurrence with a read-out in its place would pass likewise.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from trainer.evals.bootstrap import Interval, ratio_of_sums
from trainer.evals.interventions.banks import banks_of, constant_order, mean_order
from trainer.evals.interventions.document_scores import Change, DocumentScores, Windows, score
from trainer.models import LanguageModel

TEXTS = 8
"""Texts whose logits must be bit-equal."""


@dataclass(frozen=True, slots=True)
class Wiring:
    """What the order parameters let through.

    Attributes:
        sealed: all texts got bit-equal logits with the first bank's order parameters at their mean; None
            where the model has no oscillators.
        blind_ce: nats a token then. unigram: the floor that one distribution for all positions can reach.
        per_layer: CE with the order parameters of one bank alone at their mean, less the model's own.
    """

    sealed: bool | None
    blind_ce: float | None = None
    unigram: float | None = None
    per_layer: tuple[Interval, ...] = ()

    @property
    def words(self) -> str:
        """The finding, for people."""
        if self.sealed is None:
            return "no oscillators, so no order parameters between text and output"
        if not self.sealed:
            return "open: the text also passes the first bank without its order parameters"
        return (
            "sealed: nothing of a text passes the first bank but order parameters "
            f"(held at their mean: CE {self.blind_ce:.3f}, unigram {self.unigram:.3f}); wiring, not Kuramoto"
        )


class Blinding:
    """The changes that hold one bank's order parameters at their mean over a few texts, a layer each."""

    def __init__(self, model: LanguageModel[Any], windows: Windows) -> None:
        self._model, self._windows = model, windows
        with torch.no_grad():
            self._means = mean_order(model, windows.inputs[:TEXTS]) if banks_of(model) else []

    def changes(self) -> list[Change]:
        """One a layer."""
        return [partial(self._blind, layer) for layer in range(len(self._means))]

    def wiring(self, base: DocumentScores, blinded: Sequence[DocumentScores], unigram: float) -> Wiring:
        """Make of the scores of the untouched model and of each change what was found."""
        if not self._means:
            return Wiring(None)
        layers = tuple(ratio_of_sums(one.nats - base.nats, base.tokens) for one in blinded)
        blind_ce = float(blinded[0].nats.sum() / base.tokens.sum())
        return Wiring(self._sealed(), blind_ce, unigram, layers)

    def _sealed(self) -> bool:
        """Each text alone, so that all are worked by the same kernels in the same shape."""
        rows = range(min(TEXTS, len(self._windows.inputs)))
        with self._blind(0):
            first, *others = (score(self._model, self._windows, slice(row, row + 1)).logits for row in rows)
        return all(torch.equal(first, other) for other in others)

    def _blind(self, layer: int) -> AbstractContextManager[None]:
        return constant_order(self._model, layer, self._means[layer])
