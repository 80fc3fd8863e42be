"""`flip-flop`: one bit is written, ignored over and read again, over all times (after Liu et al. 2023).

A document is a row of two-byte items: `w1` writes 1, `i0` is to be ignored, `r1` reads what was written last.
The a-th item after a write writes again with probability 1 / (a + 1), and for certain at `flipflop_gap`
items: so reads spread about evenly over the logarithm of their distance. Other items read with probability
0.3.
"""

import math
import random

from trainer.config.data import DataConfig
from trainer.data.sources.source import Document

BITS = "01"
DOCUMENT_ITEMS = 2048
READ = 0.3


def document(rng: random.Random, config: DataConfig) -> Document:
    """One document, and the exact conditional entropy of its items, summed, in nats."""
    text: list[str] = []
    held, age, nats = "0", config.flipflop_gap, 0.0
    read_nats = _entropy(READ) + (1 - READ) * math.log(2)
    for _ in range(DOCUMENT_ITEMS):
        write = 1.0 if age >= config.flipflop_gap else 1 / (age + 1)
        nats += _entropy(write) + write * math.log(2) + (1 - write) * read_nats
        if rng.random() < write:
            held, age = rng.choice(BITS), 0
            text.append("w" + held)
        elif rng.random() < READ:
            text.append("r" + held)
        else:
            text.append("i" + rng.choice(BITS))
        age += 1
    return Document("".join(text), nats)


def score(text: bytes, _: DataConfig) -> tuple[list[int], list[int]]:
    """Return the offset of every bit that is read, and how far back it was written."""
    positions: list[int] = []
    distances: list[int] = []
    written = -1
    for at in range(1, len(text), 2):
        if text[at - 1] == ord("w"):
            written = at
        elif text[at - 1] == ord("r") and written >= 0:
            positions.append(at)
            distances.append(at - written)
    return positions, distances


def _entropy(p: float) -> float:
    return -sum(q * math.log(q) for q in (p, 1 - p) if q > 0)
