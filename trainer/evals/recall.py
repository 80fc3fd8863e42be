"""How far back a model recalls: probes of the source `recall`, each with one question at an exact distance.

A probe stores `bindings` keys, last the one that will be asked for; then `distance` bytes go by in which the
others are stored and recalled, and it is asked for. With one binding a spare key fills the gap.
"""

import random
import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from trainer.data.sources.recall import ITEM_BYTES, VALUES
from trainer.models import LanguageModel

BINDINGS = (1, 4, 16)
DISTANCES = (2, 4, 8, 16, 32, 64, 128, 192)
PROBES = 200
CHANCE = 1 / len(VALUES)
BATCH = 50
Z95 = 1.959964


@dataclass(frozen=True, slots=True)
class Recalled:
    """Share of `n` probes whose likeliest next byte was the right digit, with Wilson's 95 % interval."""

    bindings: int
    distance: int
    accuracy: float
    low: float
    high: float
    n: int


def recall_curve(
    model: LanguageModel[Any],
    *,
    bindings: Sequence[int] = BINDINGS,
    distances: Sequence[int] = DISTANCES,
    probes: int = PROBES,
    pairs: int = 26,
    seed: int = 0,
) -> list[Recalled]:
    """Return the accuracy for every number of bindings and every distance; chance is `CHANCE`.

    Args:
        model: of bytes; it is asked in eval mode and left as it was.
        distances: even, in bytes.
        probes: how many questions a point.
        pairs: keys that the text of training had; fewer bindings than that are probed.
    """
    device = model.embedding.weight.device
    was_training = model.training
    model.eval()
    try:
        return [
            _score(model, device, held, distance, probes, pairs, seed)
            for held in bindings
            if held + (held == 1) <= pairs
            for distance in distances
        ]
    finally:
        model.train(was_training)


def _score(
    model: LanguageModel[Any],
    device: torch.device,
    bindings: int,
    distance: int,
    probes: int,
    pairs: int,
    seed: int,
) -> Recalled:
    rng = random.Random(f"recall probe {seed} {bindings} {distance}")
    right = 0
    for ids, answers in _batches(rng, bindings, distance, probes, pairs):
        with torch.no_grad():
            logits = model.head(model.features(torch.from_numpy(ids).to(device)).hidden[:, -1])
        right += int((logits.argmax(-1).cpu().numpy() == answers).sum())
    low, high = wilson(right, probes)
    return Recalled(bindings, distance, right / probes, low, high, probes)


def _batches(
    rng: random.Random, bindings: int, distance: int, probes: int, pairs: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    for begin in range(0, probes, BATCH):
        texts = [probe(rng, bindings, distance, pairs) for _ in range(min(BATCH, probes - begin))]
        ids = np.array([list(text) for text, _ in texts], np.int64)
        yield ids, np.array([answer for _, answer in texts], np.int64)


def probe(rng: random.Random, bindings: int, distance: int, pairs: int = 26) -> tuple[bytes, int]:
    """Return a text that ends with a question, and the byte that answers it.

    Raises:
        ValueError: the distance is odd or below 2, or there are too few keys.
    """
    if distance < ITEM_BYTES or distance % ITEM_BYTES:
        raise ValueError(f"distance {distance} is not a positive multiple of {ITEM_BYTES} bytes")
    keys = rng.sample(range(pairs), max(bindings, 2))
    asked, others = keys[0], keys[1:]
    values = {key: rng.randrange(len(VALUES)) for key in keys}
    items = [_store(key, values[key]) for key in [*(others if bindings > 1 else ()), asked]]
    known = set(others if bindings > 1 else ())
    for _ in range(distance // ITEM_BYTES - 1):
        key = rng.choice(others)
        if key not in known or rng.random() < 0.5:
            values[key] = rng.randrange(len(VALUES))
            known.add(key)
            items.append(_store(key, values[key]))
        else:
            items.append(_recall(key, values[key]))
    question = string.ascii_lowercase[asked]
    return ("".join(items) + question).encode(), ord(VALUES[values[asked]])


def wilson(right: int, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    share, spread = right / n, Z95 * Z95 / n
    middle = (share + spread / 2) / (1 + spread)
    half = Z95 * (share * (1 - share) / n + spread / (4 * n)) ** 0.5 / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


def _store(key: int, value: int) -> str:
    return string.ascii_uppercase[key] + VALUES[value]


def _recall(key: int, value: int) -> str:
    return string.ascii_lowercase[key] + VALUES[value]
