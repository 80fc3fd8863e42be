"""A model over held-out documents, window by window: nats of each document, and what else is asked for."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import kl_div

from trainer.device.device import Device
from trainer.evals.sections import Section, cut
from trainer.models import LanguageModel, Output
from trainer.models.published import PublishedV3

BATCH_TOKENS = 2048
"""Tokens scored at once, or one window where that is longer."""
NOISE_SEED = 1234


@dataclass(frozen=True)
class Windows:
    """Documents, window by window.

    Attributes:
        inputs, targets: `[n, T]` each.
        counted: `[n, T]`, whether a target is scored; false behind the end of a document.
        owners: `[n]`, the document of each window.
    """

    inputs: Tensor
    targets: Tensor
    counted: Tensor
    owners: NDArray[np.int64]
    documents: int

    @classmethod
    def of(cls, group: Sequence[Section], context: int, device: Device) -> "Windows":
        """Cut documents into windows of `context` tokens."""
        pieces = cut(group, context)
        tokens = torch.from_numpy(pieces.rows).to(device.place)
        counted = np.arange(tokens.shape[1] - 1) < pieces.lengths[:, None]
        return cls(
            tokens[:, :-1],
            tokens[:, 1:],
            torch.from_numpy(counted).to(device.place),
            pieces.owners,
            len(group),
        )

    def batches(self) -> Iterator[slice]:
        """Slices of windows that are scored at once."""
        size = max(1, BATCH_TOKENS // self.inputs.shape[1])
        for start in range(0, len(self.inputs), size):
            yield slice(start, start + size)

    def tokens_each(self) -> NDArray[np.float64]:
        """Scored tokens of each document, `[documents]`."""
        return self.sum_by_document(_sum(self.counted.float()).numpy())

    def sum_by_document(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum a number a window into one a document."""
        sums: NDArray[np.float64] = np.bincount(self.owners, weights=values, minlength=self.documents).astype(
            np.float64
        )
        return sums


def quiet(model: LanguageModel[Any], seed: int) -> None:
    """Have a model whose noise is never off (the original v3) draw the same noise for the same seed."""
    if isinstance(model, PublishedV3):
        place = model.embedding.weight.device
        model.noise_generator = torch.Generator(place).manual_seed(seed)


@torch.no_grad()
def score(model: LanguageModel[Any], windows: Windows, part: slice) -> Output:
    """Score some windows; noise, where it is never off, is the same for them at every pass."""
    quiet(model, NOISE_SEED + part.start)
    out: Output = model(windows.inputs[part])
    return out


Change = Callable[[], AbstractContextManager[None]]
"""Makes a context in which the model is changed."""


@dataclass(frozen=True)
class DocumentScores:
    """How a model did, as it is or under a change.

    Attributes:
        nats: summed cross-entropy of each document, `[documents]`.
        divergence: summed KL from the unchanged answers, likewise; zeros where nothing was changed.
        coherence: as the model reads it, summed over tokens, `[documents, layers]`; controls have no layers.
        tokens: scored tokens of each document, `[documents]`.
    """

    nats: NDArray[np.float64]
    divergence: NDArray[np.float64]
    coherence: NDArray[np.float64]
    tokens: NDArray[np.float64]

    @property
    def mean_coherence(self) -> float:
        """Over layers and tokens; NaN without oscillators."""
        count = self.tokens.sum() * self.coherence.shape[1]
        return float(self.coherence.sum() / count) if count else math.nan


class _Tally:
    """Collects nats, divergence and coherence, summed over each window."""

    def __init__(self, windows: Windows) -> None:
        self._windows = windows
        self._nats: list[Tensor] = []
        self._divergence: list[Tensor] = []
        self._coherence: list[Tensor] = []

    def add(self, part: slice, out: Output, log_p: Tensor, unchanged: Tensor) -> None:
        counted = self._windows.counted[part]
        nats = -log_p.gather(-1, self._windows.targets[part].unsqueeze(-1)).squeeze(-1)
        self._nats.append(_sum(nats * counted))
        apart = torch.zeros_like(self._nats[-1])
        if log_p is not unchanged:
            each = kl_div(log_p, unchanged, reduction="none", log_target=True).sum(2)
            apart = _sum(each * counted)
        self._divergence.append(apart)
        self._coherence.append(_sum(out.coherence * counted.unsqueeze(-1)))

    def scored(self) -> DocumentScores:
        total = self._windows.sum_by_document
        nats, divergence, coherence = (
            torch.cat(part).numpy() for part in (self._nats, self._divergence, self._coherence)
        )
        layers = [total(layer) for layer in coherence.T]
        stacked = np.stack(layers, 1) if layers else np.zeros((self._windows.documents, 0))
        return DocumentScores(total(nats), total(divergence), stacked, self._windows.tokens_each())


def _sum(values: Tensor) -> Tensor:
    """Sum `[n, T, ...]` over tokens in float64, on the host: MPS has no such numbers."""
    return values.cpu().double().sum(1)


def under(
    model: LanguageModel[Any],
    windows: Windows,
    changes: Sequence[Change],
    watch: Callable[[Output, Tensor], None] = lambda _out, _log_p: None,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
    listening: Change = nullcontext,
) -> tuple[DocumentScores, list[DocumentScores]]:
    """Return how the model did as it is, and under each change; windows are scored once unchanged.

    Args:
        watch: told every unchanged answer and its log-probabilities, in the order of the windows.
        progress: told how many windows of how many are done.
        listening: makes a context around the unchanged model; it must change nothing.
    """
    base, tallies = _Tally(windows), [_Tally(windows) for _ in changes]
    for part in windows.batches():
        progress(part.start, len(windows.inputs))
        with listening():
            out = score(model, windows, part)
        p = out.logits.float().log_softmax(-1)
        watch(out, p)
        base.add(part, out, p, p)
        for tally, change in zip(tallies, changes, strict=True):
            with change():
                out = score(model, windows, part)
            tally.add(part, out, out.logits.float().log_softmax(-1), p)
    return base.scored(), [tally.scored() for tally in tallies]
