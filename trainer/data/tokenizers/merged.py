"""Byte-pair encoding by a list of merges: two tokens become one where the list says so, earliest first."""

import base64
import re
from collections.abc import Iterator, Sequence

import msgspec

from trainer.data.tokenizers.ranked import REMEMBERED_PIECES, SPLITS, RankedTokenizer, kinds_of, pieces_of
from trainer.data.tokenizers.tokenizer import BYTES, as_bytes


class MergedFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file form; see `MergedTokenizer`."""

    name: str
    tokens: list[str]
    merges: list[tuple[int, int]]
    split: str
    digits: bool = False
    whole: bool = False
    added: list[int] = []
    extra: int = 0


class MergedTokenizer(RankedTokenizer):
    """Encodes by merges, whose order is not that of the ids."""

    name = "merged"

    def __init__(
        self,
        tokens: Sequence[str],
        merges: Sequence[Sequence[int]],
        split: str,
        digits: bool = False,
        whole: bool = False,
        added: Sequence[int] = (),
        extra: int = 0,
    ) -> None:
        """Make it from its parts.

        Args:
            tokens: bytes of every token as base64, in the order of their ids; empty: it means nothing.
            merges: ids of what is joined, earliest first; a token of both has to exist.
            split: how text is cut before, a key of `SPLITS`.
            digits: every digit is cut off by itself before that.
            whole: a piece that is a token is never cut.
            added: ids of tokens that are looked for in the text first, the longest where several begin.
            extra: tokens behind the others, which mean nothing.

        Raises:
            ValueError: the parts do not fit together.
        """
        self.tokens, self.split, self.extra = list(tokens), split, extra
        self.merges = [(int(left), int(right)) for left, right in merges]
        self.digits, self.whole, self.added = digits, whole, list(added)
        self._bytes = [base64.b64decode(one, validate=True) for one in self.tokens]
        if split not in SPLITS:
            raise ValueError(f"no way to split text is called {split[:40]!r}; there are {', '.join(SPLITS)}")
        known = range(len(self._bytes))
        if extra < 0 or any(one not in known or not self._bytes[one] for one in self.added):
            raise ValueError("a token that is looked for first does not exist")
        first = {*self.added}
        meant = [(one, at) for at, one in enumerate(self._bytes) if one and at not in first]
        self._ranks = dict(meant)
        if len(self._ranks) != len(meant) or any(bytes([value]) not in self._ranks for value in range(BYTES)):
            raise ValueError("its tokens are not each there once, every single byte among them")
        self._joins: dict[tuple[bytes, bytes], int] = {}
        for rank, pair in enumerate(self.merges):
            left, right = (self._bytes[one] if one in known else b"" for one in pair)
            if not left or not right or left + right not in self._ranks:
                raise ValueError(f"merge {rank} joins tokens that do not exist")
            self._joins.setdefault((left, right), rank)
        self._longest = max(map(len, self._ranks))
        self._pieces: dict[str, list[int]] = {}
        texts = {self._bytes[one].decode("utf-8"): one for one in self.added}
        self._added = texts
        words = sorted(texts, key=len, reverse=True)
        self._first = re.compile("|".join(map(re.escape, words))) if words else None

    def encode(self, text: str | bytes) -> list[int]:
        """See `Tokenizer`. What looks like a special token is text."""
        ids: list[int] = []
        plain, at = as_bytes(text).decode("utf-8", "surrogateescape"), 0
        for found in self._first.finditer(plain) if self._first else ():
            ids += self._of_text(plain[at : found.start()])
            ids.append(self._added[found.group()])
            at = found.end()
        return ids + self._of_text(plain[at:])

    def to_json(self) -> bytes:
        """See `Tokenizer`."""
        parts = (self.tokens, self.merges, self.split, self.digits, self.whole, self.added, self.extra)
        return msgspec.json.encode(MergedFile(self.name, *parts))

    @classmethod
    def from_json(cls, raw: bytes) -> "MergedTokenizer":
        """Read what `to_json` wrote.

        Raises:
            msgspec.MsgspecError, ValueError: if it is something else.
        """
        file = msgspec.json.decode(raw, type=MergedFile)
        return cls(file.tokens, file.merges, file.split, file.digits, file.whole, file.added, file.extra)

    def _of_text(self, text: str) -> list[int]:
        ids: list[int] = []
        for part in _digits_apart(text) if self.digits else (text,):
            for piece in pieces_of(part, self.split):
                ids += self._pieces.get(piece) or self._learn_piece(piece)
        return ids

    def _learn_piece(self, piece: str) -> list[int]:
        raw = piece.encode("utf-8", "surrogateescape")
        found = self._ranks.get(raw) if self.whole else None
        ids = [found] if found is not None else self._merged(raw)
        if len(self._pieces) >= REMEMBERED_PIECES:
            self._pieces.clear()
        self._pieces[piece] = ids
        return ids

    def _pair(self, raw: bytes, end: list[int], at: int) -> tuple[int, int, int] | None:
        """Rank, beginning and end of what begins there and what comes after it; None: they are not joined."""
        middle = end[at]
        if middle >= len(raw) or (until := end[middle]) - at > self._longest:
            return None
        rank = self._joins.get((raw[at:middle], raw[middle:until]))
        return None if rank is None else (rank, at, until)


def _digits_apart(text: str) -> Iterator[str]:
    """Cut before and behind every digit."""
    at = 0
    for place, kind in enumerate(kinds_of(text)):
        if kind == "N":
            if at < place:
                yield text[at:place]
            yield text[place]
            at = place + 1
    if at < len(text):
        yield text[at:]
