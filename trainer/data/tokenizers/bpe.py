"""Byte-level byte-pair encoding: any bytes in, the same bytes out."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

import msgspec

from trainer.data.tokenizers.tokenizer import BYTES, as_bytes

# Pieces that no merge crosses: a word with the blank before it, up to three digits, signs, blanks. General
# punctuation (U+2000..U+207F, the curly quotes and dashes of books) counts as signs, every other byte above
# 127 as a letter. The bounds keep the quadratic merge loop short on text without blanks.
PIECES = re.compile(
    rb" ?(?:[A-Za-z]|(?!\xe2[\x80\x81][\x80-\xbf])[\x80-\xff]){1,48}+"
    rb"| ?[0-9]{1,3}+"
    rb"| ?(?:\xe2[\x80\x81][\x80-\xbf]|[^\sA-Za-z0-9\x80-\xff]){1,16}+"
    rb"|\s{1,48}+(?!\S)|\s"
)
REMEMBERED_PIECES = 1 << 18


class BpeFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file form: merges in the order in which they were learnt; merge i makes token 256 + i."""

    name: str
    merges: list[tuple[int, int]]


class BpeTokenizer:
    """Encodes with learnt merges; pieces seen before come from a memory."""

    name = "bpe"

    def __init__(self, merges: Sequence[tuple[int, int]]) -> None:
        """Make it from merges.

        Raises:
            ValueError: if a merge joins tokens that do not exist yet.
        """
        self.merges = [(int(left), int(right)) for left, right in merges]
        self._bytes = [bytes([value]) for value in range(BYTES)]
        for left, right in self.merges:
            if not 0 <= min(left, right) <= max(left, right) < len(self._bytes):
                raise ValueError(f"merge ({left}, {right}) joins tokens that do not exist yet")
            self._bytes.append(self._bytes[left] + self._bytes[right])
        self._made_by = {pair: BYTES + rank for rank, pair in enumerate(self.merges)}
        self._pieces: dict[bytes, tuple[int, ...]] = {}

    @property
    def vocab_size(self) -> int:
        """256 and one more for every merge."""
        return len(self._bytes)

    def encode(self, text: str | bytes) -> list[int]:
        """See `Tokenizer`."""
        ids: list[int] = []
        known = self._pieces
        for match in PIECES.findall(as_bytes(text)):
            piece: bytes = match
            ids += known.get(piece) or self._learn_piece(piece)
        return ids

    def decode(self, ids: Sequence[int]) -> bytes:
        """See `Tokenizer`."""
        return b"".join(self._ids_to_bytes(ids))

    def to_json(self) -> bytes:
        """See `Tokenizer`."""
        return msgspec.json.encode(BpeFile(self.name, self.merges))

    @classmethod
    def from_json(cls, raw: bytes) -> "BpeTokenizer":
        """Read what `to_json` wrote.

        Raises:
            msgspec.MsgspecError, ValueError: if it is something else.
        """
        return cls(msgspec.json.decode(raw, type=BpeFile).merges)

    def _ids_to_bytes(self, ids: Sequence[int]) -> Iterator[bytes]:
        for token in ids:
            if not 0 <= token < len(self._bytes):
                raise ValueError(f"token {token} is not in the vocabulary of {len(self._bytes)}")
            yield self._bytes[token]

    def _learn_piece(self, piece: bytes) -> tuple[int, ...]:
        """Apply the earliest-learnt merge present until none is."""
        ids = list(piece)
        never = len(self._bytes)
        while len(ids) > 1:
            made = [self._made_by.get(pair, never) for pair in pairwise(ids)]
            best = min(made)
            if best == never:
                break
            ids = merge(ids, self.merges[best - BYTES], best)
        if len(self._pieces) >= REMEMBERED_PIECES:
            self._pieces.clear()
        result = tuple(ids)
        self._pieces[piece] = result
        return result


def merge(ids: list[int], pair: tuple[int, int], made: int) -> list[int]:
    """`ids` with every occurrence of `pair`, left to right, replaced by `made`."""
    left, right = pair
    out: list[int] = []
    at, last = 0, len(ids) - 1
    while at <= last:
        if at < last and ids[at] == left and ids[at + 1] == right:
            out.append(made)
            at += 2
        else:
            out.append(ids[at])
            at += 1
    return out
