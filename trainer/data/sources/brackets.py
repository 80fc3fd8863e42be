"""`brackets`: nested brackets of four kinds; every closing one must fit the opening one that it closes.

Where both are possible, opening and closing are equally likely; the kind that opens is drawn from four. The
depth stays between 0 and `brackets_depth`: at 0 the next opens, at the limit it closes.
"""

import math
import random

from trainer.config.data import DataConfig
from trainer.data.sources.source import Document

OPENERS, CLOSERS = "([{<", ")]}>"
DOCUMENT_BYTES = 4096
_CLOSES = dict(zip(CLOSERS.encode(), OPENERS.encode(), strict=True))


def document(rng: random.Random, config: DataConfig) -> Document:
    """One document, and the exact conditional entropy of its bytes, summed, in nats."""
    stack: list[int] = []
    text: list[str] = []
    nats = 0.0
    for _ in range(DOCUMENT_BYTES):
        free = 0 < len(stack) < config.brackets_depth
        opens = rng.random() < 0.5 if free else not stack
        nats += math.log(2) + 0.5 * math.log(4) if free else 0.0 if stack else math.log(4)
        if opens:
            stack.append(rng.randrange(4))
            text.append(OPENERS[stack[-1]])
        else:
            text.append(CLOSERS[stack.pop()])
    return Document("".join(text), nats)


def score(text: bytes, _: DataConfig) -> tuple[list[int], list[int]]:
    """Return the offset of every closing bracket, and how far back the one lies that it closes."""
    stack: list[int] = []
    positions: list[int] = []
    distances: list[int] = []
    for at, byte in enumerate(text):
        if byte not in _CLOSES:
            stack.append(at)
        elif stack:
            positions.append(at)
            distances.append(at - stack.pop())
    return positions, distances
