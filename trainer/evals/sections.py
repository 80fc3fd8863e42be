"""Held-out text as documents: what a bootstrap over texts draws from."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.data import Corpus

FEW = 40
"""Below so many blocks, sections of `SECTION` bytes count as documents instead."""
SECTION = 4096
NEWLINE = 10


@dataclass(frozen=True, slots=True)
class Section:
    """Tokens of one document, int64 [n], n >= 2."""

    tokens: NDArray[np.int64]


def sections(corpus: Corpus, limit: int = 0, longest: int = 0) -> list[Section]:
    """Return the validation documents of a corpus, at most `limit` of them (0: all), each cut to its first
    `longest` tokens (0: whole).

    Blocks count as documents; where there are fewer than 40, they are cut at blank lines into sections of
    about 4 KB, or at that length where a text has no blank line.
    """
    starts = [int(at) for at in corpus.val_starts]
    spans = list(zip(starts, [*starts[1:], len(corpus.val)], strict=True))
    if len(spans) < FEW:
        length = max(2, round(SECTION / corpus.bytes_per_token))
        spans = [cut for begin, end in spans for cut in _cut(corpus, begin, end, length)]
    found = [
        Section(np.asarray(corpus.val[begin : min(end, begin + longest) if longest else end], np.int64))
        for begin, end in spans
        if end - begin >= 2
    ]
    return found[:limit] if limit else found


def _cut(corpus: Corpus, begin: int, end: int, length: int) -> list[tuple[int, int]]:
    """Spans of about `length` tokens, cut behind a blank line where one is near."""
    cuts = [begin]
    while end - cuts[-1] > 1.5 * length:
        at = cuts[-1] + length
        cuts.append(_blank_line(corpus, at, min(end, at + length // 2)) or at)
    return list(zip(cuts, [*cuts[1:], end], strict=True))


def _blank_line(corpus: Corpus, begin: int, end: int) -> int | None:
    """The first position in [begin, end) after a blank line."""
    text = b""
    for at in range(begin, end):
        text = (text + corpus.tokenizer.decode([int(corpus.val[at])]))[-4:]
        if text.endswith(b"\n\n"):
            return at + 1
    return None


def padded(group: Sequence[Section], context: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return windows `[n, context + 1]` of all documents and the index of the document of each, `[n]`.

    A tail shorter than a window is dropped unless it is all that the document has; then it is repeated from
    its start so that every document counts.
    """
    rows, owners = [], []
    for index, section in enumerate(group):
        tokens = section.tokens
        count = (len(tokens) - 1) // context
        if count == 0:
            rows.append(np.resize(tokens, context + 1))
            owners.append(index)
        for window in range(count):
            rows.append(tokens[window * context : (window + 1) * context + 1])
            owners.append(index)
    return np.stack(rows), np.asarray(owners, np.int64)
