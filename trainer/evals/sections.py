"""Held-out text as documents: what a bootstrap over texts draws from."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.data import Corpus

FEW = 40
"""Below so many blocks, sections of `SECTION` bytes count as documents instead."""
SECTION = 4096
FEWEST = 20
"""Documents that an interval over documents needs."""
LONGEST = 513
"""Tokens read of each document, or a window if that is longer: many short ones tell more than few long ones,
at the same cost."""


@dataclass(frozen=True, slots=True)
class Section:
    """Tokens of one document, int64 [n], n >= 2."""

    tokens: NDArray[np.int64]


def held_out(corpus: Corpus, limit: int, context: int) -> list[Section]:
    """Return the documents that a model of this window is judged by, at most `limit` of them (0: all).

    Raises:
        ValueError: there are fewer than 20.
    """
    found = sections(corpus, limit, max(LONGEST, context + 1))
    if len(found) < FEWEST:
        raise ValueError(
            f"only {len(found)} documents are held out and {FEWEST} are needed; "
            "use more text, a larger data.val_fraction, or a larger --documents"
        )
    return found


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


@dataclass(frozen=True, slots=True)
class Cut:
    """Documents as windows of equal length.

    Attributes:
        rows: int64 [n, width + 1]; a row that is longer than its document is filled up with zeros.
        lengths: int64 [n], tokens of each row that are to be predicted; those behind are not scored.
        owners: int64 [n], the document of each row.
    """

    rows: NDArray[np.int64]
    lengths: NDArray[np.int64]
    owners: NDArray[np.int64]


def cut(group: Sequence[Section], context: int) -> Cut:
    """Cut documents into windows of `context` predicted tokens, fewer if no document is as long.

    The tail of a document that is shorter than a window is left out, unless it is all of the document.
    """
    width = min(context, max(len(section.tokens) for section in group) - 1)
    rows, lengths, owners = [], [], []
    for index, section in enumerate(group):
        tokens = section.tokens
        for begin in range(0, max(1, (len(tokens) - 1) // width) * width, width):
            piece = tokens[begin : begin + width + 1]
            rows.append(np.pad(piece, (0, width + 1 - len(piece))))
            lengths.append(len(piece) - 1)
            owners.append(index)
    return Cut(np.stack(rows), np.asarray(lengths, np.int64), np.asarray(owners, np.int64))
