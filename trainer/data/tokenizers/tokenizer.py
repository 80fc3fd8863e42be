"""Text to token ids and back."""

from collections.abc import Sequence
from typing import Protocol

BYTES = 256


class Tokenizer(Protocol):
    """A reversible map between bytes and token ids; `decode(encode(x)) == x` for every byte string."""

    name: str

    @property
    def vocab_size(self) -> int:
        """Ids are 0..vocab_size-1."""

    def encode(self, text: str | bytes) -> list[int]:
        """Token ids of `text` (a string is taken as UTF-8)."""

    def decode(self, ids: Sequence[int]) -> bytes:
        """The bytes of `ids`.

        Raises:
            ValueError: if an id is not in the vocabulary.
        """

    def to_json(self) -> bytes:
        """Everything needed to make it again."""


def as_bytes(text: str | bytes) -> bytes:
    """`text` as bytes; lone surrogates (of an undecodable prompt) come out as question marks."""
    return text.encode("utf-8", "replace") if isinstance(text, str) else text


class ByteTokenizer:
    """One token a byte."""

    name = "byte"
    vocab_size = BYTES

    def encode(self, text: str | bytes) -> list[int]:
        """See `Tokenizer`."""
        return list(as_bytes(text))

    def decode(self, ids: Sequence[int]) -> bytes:
        """See `Tokenizer`."""
        return bytes(ids)

    def to_json(self) -> bytes:
        """See `Tokenizer`."""
        return b'{"name":"byte"}'
