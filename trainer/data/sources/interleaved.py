"""`interleaved`: several streams, each repeating a word of its own, in an order that is drawn.

A document is a row of two-byte items, a letter that names the stream and a symbol. `A!` draws a new word of
`interleaved_period` digits for stream A, whose next items spell it; from then on they repeat it. So a reader
must keep each stream's word and its place in it apart from the others'.
"""

import math
import random
import string

from trainer.config.data import DataConfig
from trainer.data.sources.source import Document

SYMBOLS = string.digits
ANEW = "!"
DOCUMENT_ITEMS = 2048
RENEW = 0.02
"""Probability that an item draws a new word."""


def document(rng: random.Random, config: DataConfig) -> Document:
    """One document, and the exact conditional entropy of its items, summed, in nats."""
    streams, period = config.interleaved_streams, config.interleaved_period
    words: list[list[str]] = [[] for _ in range(streams)]
    places = [-1] * streams
    text: list[str] = []
    nats = 0.0
    renew_nats = -RENEW * math.log(RENEW) - (1 - RENEW) * math.log(1 - RENEW)
    for _ in range(DOCUMENT_ITEMS):
        who = rng.randrange(streams)
        nats += math.log(streams)
        if places[who] >= 0:
            nats += renew_nats
        if places[who] < 0 or rng.random() < RENEW:
            words[who], places[who] = [], 0
            text.append(string.ascii_uppercase[who] + ANEW)
            continue
        if places[who] < period:
            # A word that is being spelt; the draw to renew it comes first, so this is reached with 1 - RENEW.
            words[who].append(rng.choice(SYMBOLS))
        text.append(string.ascii_uppercase[who] + words[who][places[who] % period])
        nats += math.log(len(SYMBOLS)) if places[who] < period else 0.0
        places[who] += 1
    return Document("".join(text), nats)


def score(text: bytes, config: DataConfig) -> tuple[list[int], list[int]]:
    """Return the offset of every repeated symbol, and how far back its stream said it one period earlier."""
    period = config.interleaved_period
    seen: dict[int, list[int]] = {}
    positions: list[int] = []
    distances: list[int] = []
    for at in range(1, len(text), 2):
        who = text[at - 1]
        if text[at] == ord(ANEW):
            seen[who] = []
            continue
        before = seen.setdefault(who, [])
        if len(before) >= period:
            positions.append(at)
            distances.append(at - before[-period])
        before.append(at)
    return positions, distances
