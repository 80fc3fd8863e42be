"""`recall`: generated text whose entropy rate is known and whose recalls lie 2..400 bytes back.

A document is a row of two-byte items. `K7` stores the value 7 under the key k; `k7` recalls it: the value
after a small letter is the one last seen with that letter, so it costs a reader with memory nothing and one
without it ln 10. Which key comes next is drawn by recency: the key seen r-th last has a probability that
falls as r**-0.75, which spreads the distances about evenly over their logarithm; a key not seen for
`recall_distance` bytes comes next for certain. Every document opens by storing all keys in order, so the past
that matters lies inside the document.
"""

import hashlib
import math
import random
import string
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from trainer.config.data import DataConfig
from trainer.data.progress import Pulse
from trainer.data.sources.source import Document
from trainer.data.stamps import Stamp

VALUES = string.digits
DOCUMENT_ITEMS = 2048
ITEM_BYTES = 2
RECENCY = 0.75
FORMAT = "recall 1"


@dataclass(frozen=True, slots=True)
class Recalls:
    """Where a text asks for memory.

    Attributes:
        positions: int64 [N], offset of every recalled value.
        distances: int64 [N], how many bytes before it the same value was last seen with the same key.
    """

    positions: np.ndarray
    distances: np.ndarray


class RecallText:
    """Generated documents of a known information content."""

    name = "recall"
    whole = True

    def __init__(self, config: DataConfig) -> None:
        self._config = config
        self.notes: list[str] = []

    def stamp(self) -> Stamp:
        """See `Source`: the settings are everything."""
        config = self._config
        parts = (config.recall_bytes, config.recall_pairs, config.recall_distance, config.recall_store)
        digest = hashlib.sha256(f"{FORMAT} {parts} {config.recall_seed}".encode()).hexdigest()
        return Stamp(digest, settled=True)

    def content_hash(self, pulse: Pulse) -> str:
        """See `Source`."""
        pulse.beat("hash", 1, 1)
        return self.stamp().digest

    def documents(self, pulse: Pulse) -> Iterator[Document]:
        """See `Source`: documents of 4 KiB until `recall_bytes` are reached."""
        config = self._config
        rng = random.Random(f"{FORMAT} {config.recall_seed}")
        size = DOCUMENT_ITEMS * ITEM_BYTES
        for done in range(0, config.recall_bytes, size):
            pulse.beat("read", done, config.recall_bytes)
            yield document(rng, config)


def document(rng: random.Random, config: DataConfig) -> Document:
    """One document of 2,048 items and the exact conditional entropy of its items, summed, in nats."""
    pairs, store = config.recall_pairs, config.recall_store
    weights = [rank**-RECENCY for rank in range(1, pairs + 1)]
    bounds = [weight / sum(weights) for weight in weights]
    key_nats = -sum(p * math.log(p) for p in bounds)
    rest_nats = -store * math.log(store) - (1 - store) * math.log(1 - store) + store * math.log(len(VALUES))
    cumulative = list(accumulate(bounds))
    farthest = config.recall_distance // ITEM_BYTES
    # recency order, the last seen first; the opening stores 0..pairs-1
    order = list(range(pairs - 1, -1, -1))
    values = [rng.randrange(len(VALUES)) for _ in range(pairs)]
    seen = list(range(pairs))
    items = [string.ascii_uppercase[key] + VALUES[values[key]] for key in range(pairs)]
    nats = pairs * math.log(len(VALUES))
    for now in range(pairs, DOCUMENT_ITEMS):
        if now - seen[order[-1]] >= farthest:
            key = order.pop()
        else:
            draw = rng.random() * cumulative[-1]  # below the last bound, so the rank exists
            key = order.pop(bisect_left(cumulative, draw))
            nats += key_nats
        order.insert(0, key)
        seen[key] = now
        if rng.random() < store:
            values[key] = rng.randrange(len(VALUES))
            items.append(string.ascii_uppercase[key] + VALUES[values[key]])
        else:
            items.append(string.ascii_lowercase[key] + VALUES[values[key]])
        nats += rest_nats
    return Document("".join(items), nats)


def find_recalls(text: bytes) -> Recalls:
    """Every recalled value of a text of this source and how far back it was last seen.

    Blank lines end a document, and with it what its keys held.
    """
    last: dict[str, int] = {}
    positions: list[int] = []
    distances: list[int] = []
    for at, (key, value) in enumerate(
        zip(text.decode("ascii"), text[1:].decode("ascii"), strict=False), start=1
    ):
        if key == "\n":
            last.clear()
        if value not in VALUES or not key.isalpha():
            continue
        if key.islower() and key in last:
            positions.append(at)
            distances.append(at - last[key])
        last[key.lower()] = at
    return Recalls(np.array(positions, np.int64), np.array(distances, np.int64))
