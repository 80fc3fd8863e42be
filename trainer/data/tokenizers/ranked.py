"""Byte-pair encoding as GPT-2 and tiktoken have it: the token of the lowest rank comes first."""

import base64
import re
import unicodedata
from collections.abc import Iterator, Sequence
from heapq import heapify, heappop, heappush

import msgspec

from trainer.data.tokenizers.tokenizer import BYTES, as_bytes

SPLITS = {
    "gpt2": re.compile(r" ?L+| ?N+| ?[o']+|[ \n\t]+(?![^ \n\t])|[ \n\t]+"),
    "cl100k": re.compile(r"[^\nLN]?L+|N{1,3}| ?[o']+\n*|[ \n\t]*\n|[ \n\t]+(?![^ \n\t])|[ \n\t]+"),
}
"""Pieces that no token crosses, over a text that is reduced to the kinds of its characters by `kinds_of`."""
ENDINGS = ("s", "d", "m", "t", "ll", "ve", "re")
SPACES = frozenset("\t\x0b\x0c\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000") | {
    chr(one) for one in range(0x2000, 0x200B)
}
REMEMBERED_PIECES = 1 << 18


class RankedFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file form: bytes of every token as base64, in the order of their ids; `extra` more mean nothing."""

    name: str
    tokens: list[str]
    split: str
    extra: int = 0


class RankedTokenizer:
    """Encodes by ranks, which are the ids; pieces seen before come from a memory."""

    name = "ranked"

    def __init__(self, tokens: Sequence[str], split: str, extra: int = 0) -> None:
        """Make it from its tokens, in base64.

        Raises:
            ValueError: a byte has no token, two tokens are one, or the split is none that is known.
        """
        self.tokens, self.split, self.extra = list(tokens), split, extra
        self._bytes = [base64.b64decode(one, validate=True) for one in self.tokens]
        self._ranks = {one: number for number, one in enumerate(self._bytes)}
        whole = all(bytes([value]) in self._ranks for value in range(BYTES))
        if len(self._ranks) != len(self._bytes) or not whole or b"" in self._ranks or extra < 0:
            raise ValueError("its tokens are not each there once, every single byte among them")
        if split not in SPLITS:
            raise ValueError(f"no way to split text is called {split[:40]!r}; there are {', '.join(SPLITS)}")
        self._longest = max(map(len, self._bytes))
        self._pieces: dict[str, list[int]] = {}

    @property
    def vocab_size(self) -> int:
        """As many as the weights have."""
        return len(self._bytes) + self.extra

    def encode(self, text: str | bytes) -> list[int]:
        """See `Tokenizer`. What looks like a special token is text."""
        ids: list[int] = []
        known = self._pieces
        for piece in pieces_of(as_bytes(text).decode("utf-8", "surrogateescape"), self.split):
            ids += known.get(piece) or self._learn_piece(piece)
        return ids

    def decode(self, ids: Sequence[int]) -> bytes:
        """See `Tokenizer`; of a token that means nothing, nothing."""
        if any(not 0 <= one < self.vocab_size for one in ids):
            raise ValueError(f"a token is not in the vocabulary of {self.vocab_size}")
        known = len(self._bytes)
        return b"".join(self._bytes[one] for one in ids if one < known)

    def to_json(self) -> bytes:
        """See `Tokenizer`."""
        return msgspec.json.encode(RankedFile(self.name, self.tokens, self.split, self.extra))

    @classmethod
    def from_json(cls, raw: bytes) -> "RankedTokenizer":
        """Read what `to_json` wrote.

        Raises:
            msgspec.MsgspecError, ValueError: if it is something else.
        """
        file = msgspec.json.decode(raw, type=RankedFile)
        return cls(file.tokens, file.split, file.extra)

    def _learn_piece(self, piece: str) -> list[int]:
        raw = piece.encode("utf-8", "surrogateescape")
        whole = self._ranks.get(raw)
        ids = [whole] if whole is not None else self._merged(raw)
        if len(self._pieces) >= REMEMBERED_PIECES:
            self._pieces.clear()
        self._pieces[piece] = ids
        return ids

    def _merged(self, raw: bytes) -> list[int]:
        """Join the neighbours of the lowest rank, the first of equals, until no two make a token."""
        end = [at + 1 for at in range(len(raw))]  # of the part that begins there; 0: none does any more
        before = [at - 1 for at in range(len(raw))]
        waiting = [one for at in range(len(raw) - 1) if (one := self._pair(raw, end, at)) is not None]
        heapify(waiting)
        while waiting:
            _, at, until = heappop(waiting)
            middle = end[at]
            if not middle or middle >= len(raw) or end[middle] != until:
                continue  # a part of it was joined to something else meanwhile
            end[at], end[middle] = until, 0
            if until < len(raw):
                before[until] = at
            for first in (before[at], at):
                if first >= 0 and (one := self._pair(raw, end, first)) is not None:
                    heappush(waiting, one)
        return [self._ranks[raw[at:until]] for at, until in enumerate(end) if until]

    def _pair(self, raw: bytes, end: list[int], at: int) -> tuple[int, int, int] | None:
        """Rank, beginning and end of what begins there and what comes after it; None: that is no token."""
        if end[at] >= len(raw) or (until := end[end[at]]) - at > self._longest:
            return None
        rank = self._ranks.get(raw[at:until])
        return None if rank is None else (rank, at, until)


def pieces_of(text: str, split: str) -> Iterator[str]:
    """Cut a text as the program did that made the tokens."""
    kinds, pattern, at = kinds_of(text), SPLITS[split], 0
    while at < len(text):
        until = at + _ending(text, at, split) or at
        if until == at:
            found = pattern.match(kinds, at)
            until = found.end() if found and found.end() > at else at + 1
        yield text[at:until]
        at = until


def kinds_of(text: str) -> str:
    """Of every character its kind: L letter, N number, blank, line's end, t other space, o anything else."""
    kinds = {one: _kind(one) for one in {*text}}
    return "".join(map(kinds.__getitem__, text))


def _kind(one: str) -> str:
    if one in " '":
        return one
    if one in "\r\n":
        return "\n"
    if one in SPACES:
        return "\t"
    return {"L": "L", "N": "N"}.get(unicodedata.category(one)[0], "o")


def _ending(text: str, at: int, split: str) -> int:
    """The length of an English ending such as 'll that begins there; 0: none does."""
    if text[at] != "'":
        return 0
    for ending in ENDINGS:
        found = text[at + 1 : at + 1 + len(ending)]
        if (found.casefold() if split == "cl100k" else found) == ending:
            return 1 + len(found)
    return 0
