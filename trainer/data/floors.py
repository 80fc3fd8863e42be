"""What counting alone achieves: unigram, bigram and trigram cross-entropy on validation, in nats a token.

Counts come from train only. Each order is interpolated with the one below by Witten and Bell's rule (1991,
method C): a context seen c times and followed by t distinct tokens gives the weight t / (c + t) to the lower
order; under the unigram lies the uniform distribution. Nothing is tuned, so validation is only scored.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.data.progress import Pulse

CHUNK = 1 << 18
ORDERS = 3

Tokens = NDArray[np.uint16]
Keys = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class CountedFloors:
    """Cross-entropies in nats a token; divide by the bytes a token for nats a byte.

    Attributes:
        unigram: Interpolated, counted on train, scored on validation. Likewise `bigram` and `trigram`.
        bigram_in_sample: Conditional bigram entropy of train under its own counts: no floor, an entropy.
        uniform: ln of the vocabulary.
    """

    unigram: float
    bigram: float
    trigram: float
    bigram_in_sample: float
    uniform: float


def count_floors(train: Tokens, validation: Tokens, vocab: int, pulse: Pulse) -> CountedFloors:
    """Count on `train` [N], score on `validation` [M] from its third token on: the same ones for each order.

    Validation of one or two tokens is scored as far as contexts exist.
    """
    total = ORDERS * (len(train) + len(validation))
    tables = [_Table.count(train, order, vocab, pulse, total) for order in range(1, ORDERS + 1)]
    sums = np.zeros(ORDERS)
    first = min(ORDERS - 1, max(0, len(validation) - 1))
    for begin in range(first, len(validation), CHUNK):
        pulse.beat("count", ORDERS * (len(train) + begin), total)
        end = min(begin + CHUNK, len(validation))
        sums += _score(tables, validation, begin, end, vocab)
    pulse.beat("count", total, total)
    unigram, bigram, trigram = (sums / max(1, len(validation) - first)).tolist()
    return CountedFloors(unigram, bigram, trigram, tables[1].conditional_entropy(), float(np.log(vocab)))


class NGrams:
    """The counts of a text, to score others by token by token."""

    def __init__(self, train: Tokens, vocab: int, pulse: Pulse) -> None:
        self._vocab = vocab
        total = ORDERS * len(train)
        self._tables = [_Table.count(train, order, vocab, pulse, total) for order in range(1, ORDERS + 1)]

    def losses(self, tokens: Tokens) -> NDArray[np.float64]:
        """Return -log p `[orders, M - 1]` of every token of `tokens [M]` but the first.

        The second one has no trigram: there the bigram stands.
        """
        p = np.full(len(tokens) - 1, 1.0 / self._vocab)
        found = []
        for index, table in enumerate(self._tables):
            begin = max(1, index)
            keys = _keys(tokens, begin - index, len(tokens) - index, index + 1, self._vocab)
            p = np.concatenate((p[: begin - 1], table.interpolate(keys, p[begin - 1 :])))
            found.append(-np.log(p))
        return np.stack(found)


def _score(tables: list["_Table"], tokens: Tokens, begin: int, end: int, vocab: int) -> NDArray[np.float64]:
    """Summed -log p [orders] of tokens begin..end-1 under each interpolated order."""
    p = np.full(end - begin, 1.0 / vocab)
    losses = np.zeros(len(tables))
    for index, table in enumerate(tables):
        if begin >= index:  # else there is no such context: the lower order stands
            p = table.interpolate(_keys(tokens, begin - index, end - index, index + 1, vocab), p)
        losses[index] = -np.log(p).sum()
    return losses


def _keys(tokens: Tokens, begin: int, end: int, order: int, vocab: int) -> Keys:
    """Numbers of the n-grams that start at begin..end-1: digits in base `vocab`, the last the lowest."""
    keys = tokens[begin:end].astype(np.int64)
    for shift in range(1, order):
        keys *= vocab
        keys += tokens[begin + shift : end + shift]
    return keys


@dataclass(frozen=True, slots=True)
class _Table:
    """Sorted n-grams with counts, and their sorted contexts with total and distinct followers."""

    vocab: int
    grams: Keys
    counts: Keys
    contexts: Keys
    context_counts: Keys
    followers: Keys

    @classmethod
    def count(cls, tokens: Tokens, order: int, vocab: int, pulse: Pulse, total: int) -> "_Table":
        parts: list[tuple[Keys, Keys]] = []
        stop = len(tokens) - order + 1
        for begin in range(0, stop, CHUNK):
            pulse.beat("count", (order - 1) * len(tokens) + begin, total)
            keys = _keys(tokens, begin, min(begin + CHUNK, stop), order, vocab)
            parts.append(_distinct(keys, None))
            while len(parts) > 1 and len(parts[-2][0]) <= 2 * len(parts[-1][0]):
                parts.append(_merge(parts.pop(), parts.pop()))
        grams, counts = np.zeros(0, np.int64), np.zeros(0, np.int64)
        for part in reversed(parts):
            pulse.beat("count", order * len(tokens), total)
            grams, counts = _merge((grams, counts), part)
        starts = _starts(grams // vocab)
        totals = np.add.reduceat(counts, starts) if len(starts) else counts
        followers = np.diff(np.append(starts, len(grams)))
        return cls(vocab, grams, counts, grams[starts] // vocab, totals, followers)

    def interpolate(self, keys: Keys, lower: NDArray[np.float64]) -> NDArray[np.float64]:
        """Witten-Bell probability of each n-gram's last token, given the lower order's."""
        if not len(self.grams):
            return lower
        (count,) = _look_up(self.grams, keys, self.counts)
        seen, kinds = _look_up(self.contexts, keys // self.vocab, self.context_counts, self.followers)
        weight = np.maximum(seen + kinds, 1)
        return np.asarray(np.where(seen > 0, (count + kinds * lower) / weight, lower))

    def conditional_entropy(self) -> float:
        """-sum p(v, w) ln p(w | v) of the counted text itself, nats a token."""
        if not len(self.counts):
            return 0.0
        contexts = np.repeat(self.context_counts, self.followers)
        return float(-(self.counts * np.log(self.counts / contexts)).sum() / self.counts.sum())


def _distinct(keys: Keys, counts: Keys | None) -> tuple[Keys, Keys]:
    if counts is None:
        keys = np.sort(keys)
        starts = _starts(keys)
        return keys[starts], np.diff(np.append(starts, len(keys)))
    order = np.argsort(keys, kind="stable")
    keys, counts = keys[order], counts[order]
    starts = _starts(keys)
    return keys[starts], np.add.reduceat(counts, starts) if len(starts) else counts


def _merge(one: tuple[Keys, Keys], other: tuple[Keys, Keys]) -> tuple[Keys, Keys]:
    return _distinct(np.concatenate((one[0], other[0])), np.concatenate((one[1], other[1])))


def _starts(keys: Keys) -> Keys:
    """Where each run of equal keys begins."""
    fresh = np.empty(len(keys), bool)
    fresh[:1] = True
    np.not_equal(keys[1:], keys[:-1], out=fresh[1:])
    return np.flatnonzero(fresh)


def _look_up(table: Keys, keys: Keys, *values: Keys) -> list[Keys]:
    """Each value of each key, 0 where `table` lacks it; equal keys once and in order, as caches like it."""
    distinct, inverse = np.unique(keys, return_inverse=True)
    at = np.minimum(np.searchsorted(table, distinct), len(table) - 1)
    known = table[at] == distinct
    return [np.where(known, value[at], 0)[inverse] for value in values]
