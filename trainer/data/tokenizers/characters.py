"""One token a character, from the table of another program: it came with weights that were taken over."""

from collections.abc import Sequence

import msgspec

from trainer.data.data_errors import DataError
from trainer.data.tokenizers.tokenizer import as_bytes


class CharactersFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file form: character `i` is token `i`; `extra` tokens behind them mean nothing."""

    name: str
    characters: list[str]
    extra: int = 0


class CharacterTokenizer:
    """Knows the characters of its table alone: of a text, what is not among them cannot be said."""

    name = "characters"

    def __init__(self, characters: Sequence[str], extra: int = 0) -> None:
        """Make it from its table.

        Raises:
            ValueError: an entry is no single character, or stands there twice.
        """
        self.characters, self.extra = list(characters), extra
        self._ids = {one: number for number, one in enumerate(self.characters)}
        if len(self._ids) != len(self.characters) or any(len(one) != 1 for one in self._ids) or extra < 0:
            raise ValueError("a table of characters holds each once, and nothing else")

    @property
    def vocab_size(self) -> int:
        """As many as the weights have."""
        return len(self.characters) + self.extra

    def encode(self, text: str | bytes) -> list[int]:
        """See `Tokenizer`.

        Raises:
            DataError: it has a character that the table has not.
        """
        plain = as_bytes(text).decode("utf-8", "replace")
        if missing := sorted({*plain} - {*self._ids}):
            raise DataError(
                f"the model has no token for {missing[0]!r}: it knows {len(self._ids)} characters",
                "leave it out",
            )
        return [self._ids[one] for one in plain]

    def decode(self, ids: Sequence[int]) -> bytes:
        """See `Tokenizer`; of a token that means nothing, nothing."""
        if any(not 0 <= one < self.vocab_size for one in ids):
            raise ValueError(f"a token is not in the vocabulary of {self.vocab_size}")
        known = len(self.characters)
        return "".join(self.characters[one] for one in ids if one < known).encode("utf-8", "replace")

    def to_json(self) -> bytes:
        """See `Tokenizer`."""
        return msgspec.json.encode(CharactersFile(self.name, self.characters, self.extra))

    @classmethod
    def from_json(cls, raw: bytes) -> "CharacterTokenizer":
        """Read what `to_json` wrote.

        Raises:
            msgspec.MsgspecError, ValueError: if it is something else.
        """
        file = msgspec.json.decode(raw, type=CharactersFile)
        return cls(file.characters, file.extra)
