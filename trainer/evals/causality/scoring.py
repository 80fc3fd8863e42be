"""A model over held-out documents, window by window: nats of each document, and what else is asked for."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy, kl_div

from trainer.device import Device
from trainer.evals.sections import Section, padded
from trainer.models import LanguageModel, Output
from trainer.models.published import PublishedV3

BATCH = 8
NOISE_SEED = 1234


@dataclass(frozen=True)
class Windows:
    """Tokens `[n, T]`, targets `[n, T]` and the document of each window `[n]`."""

    inputs: Tensor
    targets: Tensor
    owners: NDArray[np.int64]
    documents: int

    @classmethod
    def of(cls, group: Sequence[Section], context: int, device: Device) -> "Windows":
        """Cut documents into windows of `context` tokens."""
        rows, owners = padded(group, context)
        tokens = torch.from_numpy(rows).to(device.place)
        return cls(tokens[:, :-1], tokens[:, 1:], owners, len(group))

    def batches(self) -> Iterator[slice]:
        """Slices of `BATCH` windows."""
        for start in range(0, len(self.inputs), BATCH):
            yield slice(start, start + BATCH)

    def tokens_each(self) -> NDArray[np.float64]:
        """Scored tokens of each document, `[documents]`."""
        return self.sum_by_document(np.full(len(self.inputs), float(self.inputs.shape[1])))

    def sum_by_document(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum a number a window into one a document."""
        sums: NDArray[np.float64] = np.bincount(self.owners, weights=values, minlength=self.documents).astype(
            np.float64
        )
        return sums


@torch.no_grad()
def score(model: LanguageModel[Any], windows: Windows, part: slice) -> Output:
    """Score some windows; a model whose noise is never off draws the same for them at every pass."""
    if isinstance(model, PublishedV3):
        place = windows.inputs.device
        model.noise_generator = torch.Generator(place).manual_seed(NOISE_SEED + part.start)
    out: Output = model(windows.inputs[part])
    return out


def nats(model: LanguageModel[Any], windows: Windows) -> NDArray[np.float64]:
    """Return the summed cross-entropy of each document, `[documents]`."""
    return windows.sum_by_document(
        np.concatenate(
            [_nats(score(model, windows, part), windows.targets[part]) for part in windows.batches()]
        )
    )


Change = Callable[[], AbstractContextManager[None]]
"""Makes a context in which the model is changed."""


@dataclass(frozen=True)
class Changed:
    """Summed nats under a change, and the summed KL from the unchanged answer, `[documents]` each."""

    nats: NDArray[np.float64]
    divergence: NDArray[np.float64]


def under(
    model: LanguageModel[Any], windows: Windows, changes: Sequence[Change]
) -> tuple[NDArray[np.float64], list[Changed]]:
    """Return the nats of the model as it is, and what each change did; windows are scored once unchanged."""
    base: list[NDArray[np.float64]] = []
    ce: list[list[NDArray[np.float64]]] = [[] for _ in changes]
    kl: list[list[NDArray[np.float64]]] = [[] for _ in changes]
    for part in windows.batches():
        targets = windows.targets[part]
        before = score(model, windows, part)
        base.append(_nats(before, targets))
        p = before.logits.float().log_softmax(-1)
        for index, change in enumerate(changes):
            with change():
                after = score(model, windows, part)
            ce[index].append(_nats(after, targets))
            q = after.logits.float().log_softmax(-1)
            apart = kl_div(q, p, reduction="none", log_target=True).sum((1, 2))
            kl[index].append(apart.double().cpu().numpy())
    total = windows.sum_by_document
    pairs = zip(ce, kl, strict=True)
    done = [Changed(total(np.concatenate(a)), total(np.concatenate(b))) for a, b in pairs]
    return total(np.concatenate(base)), done


def _nats(out: Output, targets: Tensor) -> NDArray[np.float64]:
    each = cross_entropy(out.logits.float().flatten(0, 1), targets.flatten(), reduction="none")
    summed: NDArray[np.float64] = each.view(targets.shape).double().sum(1).cpu().numpy()
    return summed
