"""R, coherence, amplitude and u over held-out text, and the coherence that random phases would have.

Chance is not 0: oscillators of the same amplitudes and the same K, with phases drawn at random, have a
coherence C0 after their coupling step. What is beyond it is (C - C0) / (1 - C0).
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trainer.evals.bootstrap import Interval, ratio_of_sums
from trainer.evals.interventions.banks import banks_of, intervening
from trainer.evals.interventions.document_scores import Change, DocumentScores, Windows
from trainer.evals.interventions.phase_changes import scattered
from trainer.models import U_HIGH, U_LOW, LanguageModel, Output


@dataclass(frozen=True, slots=True)
class Agreement:
    """Coherence beside chance, means over layers and tokens.

    Attributes:
        chance: C0. beyond: (C - C0) / (1 - C0).
        layers: `beyond`, layer by layer.
    """

    coherence: Interval
    chance: Interval
    beyond: Interval
    layers: tuple[Interval, ...]

    @property
    def beyond_words(self) -> str:
        """What is beyond chance, with its interval."""
        found = self.beyond
        return f"(C - C0)/(1 - C0) = {found.value:+.3f} [{found.low:+.3f}, {found.high:+.3f}]"

    @property
    def words(self) -> str:
        """The finding, for people."""
        by_layer = "  ".join(f"{layer.value:+.3f}" for layer in self.layers)
        chance = f"by chance C0 {self.chance.value:.3f}"
        return f"C {self.coherence.value:.3f}, {chance}: {self.beyond_words}; by layer {by_layer}"


@dataclass(frozen=True, slots=True)
class Oscillation(Agreement):
    """The same with R, and with the mean |z| that R mixes into it."""

    R: Interval
    amplitude: Interval


@dataclass(frozen=True, slots=True)
class URange:
    """u over positions and layers: mean of the documents' medians, and the shares at its two ends."""

    median: Interval
    low: Interval
    high: Interval


class OrderListener:
    """Collects R, amplitude and u from unchanged answers; see `scoring.under`."""

    def __init__(self, model: LanguageModel[Any], windows: Windows) -> None:
        self._model, self._windows = model, windows
        self._sizes: list[Tensor] = []
        self._amplitude: list[Tensor] = []
        self._R: list[Tensor] = []
        self._u: list[Tensor] = []

    def listening(self) -> AbstractContextManager[None]:
        """Read amplitudes as the banks do; change nothing."""
        return intervening(self._model, lambda _: self._read)

    def _read(self, states: Tensor) -> Tensor:
        self._sizes.append(states.square().sum(0).sqrt().mean(-1))
        return states

    def hear(self, out: Output, _log_p: Tensor) -> None:
        """Take the answers of some windows."""
        if self._sizes:
            self._amplitude.append(torch.stack(self._sizes, -1).mean(-1).cpu())
            self._sizes.clear()
            self._R.append(out.R.float().mean(-1).cpu())
        if out.u is not None:
            self._u.append(out.u.float().cpu())

    def u_range(self) -> URange | None:
        """None where there is no u."""
        if not self._u:
            return None
        u = torch.cat(self._u).numpy()
        counted = self._windows.counted.cpu().numpy()
        medians = np.array(
            [
                np.median(u[self._windows.owners == index][counted[self._windows.owners == index]])
                for index in range(self._windows.documents)
            ],
            np.float64,
        )
        tokens = self._windows.tokens_each()
        return URange(
            ratio_of_sums(medians, np.ones_like(medians)),
            ratio_of_sums(self._summed((u <= U_LOW).mean(-1)), tokens),
            ratio_of_sums(self._summed((u >= U_HIGH).mean(-1)), tokens),
        )

    def oscillation(self, base: DocumentScores, by_chance: list[DocumentScores]) -> Oscillation | None:
        """Make of the scores as they are, and with random phases in one layer each, what was found."""
        found = agreement(base, by_chance)
        if found is None:
            return None
        return Oscillation(
            coherence=found.coherence,
            chance=found.chance,
            beyond=found.beyond,
            layers=found.layers,
            R=ratio_of_sums(self._summed(torch.cat(self._R).numpy()), base.tokens),
            amplitude=ratio_of_sums(self._summed(torch.cat(self._amplitude).numpy()), base.tokens),
        )

    def _summed(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Sum `[n, T]` over the scored tokens of each document."""
        counted = self._windows.counted.cpu().numpy()
        return self._windows.sum_by_document((values.astype(np.float64) * counted).sum(1))


def agreement(base: DocumentScores, by_chance: Sequence[DocumentScores]) -> Agreement | None:
    """Make of the scores as they are, and under each change of `scattering`, what was found.

    Returns:
        None for a model without oscillators.
    """
    if not by_chance:
        return None
    tokens, layers = base.tokens, base.coherence.shape[1]
    chance = np.stack([one.coherence[:, layer] for layer, one in enumerate(by_chance)], 1)
    beyond, room = base.coherence - chance, tokens[:, None] - chance
    return Agreement(
        coherence=ratio_of_sums(base.coherence.mean(1), tokens),
        chance=ratio_of_sums(chance.mean(1), tokens),
        beyond=ratio_of_sums(beyond.sum(1), room.sum(1)),
        layers=tuple(ratio_of_sums(beyond[:, layer], room[:, layer]) for layer in range(layers)),
    )


def scattering(model: LanguageModel[Any], seed: int) -> list[Change]:
    """Return the changes that give one layer's oscillators random phases, a layer each."""
    generator = torch.Generator(model.embedding.weight.device).manual_seed(seed)

    def scatter(layer: int) -> AbstractContextManager[None]:
        def only(index: int, states: Tensor) -> Tensor:
            return scattered(states, generator) if index == layer else states

        return intervening(model, lambda index: partial(only, index))

    return [partial(scatter, layer) for layer in range(len(banks_of(model)))]
