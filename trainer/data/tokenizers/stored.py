"""A tokenizer made again from what was stored of it."""

from trainer.data.tokenizers.bpe import BpeTokenizer
from trainer.data.tokenizers.tokenizer import ByteTokenizer, Tokenizer


def tokenizer_from(raw: bytes) -> Tokenizer:
    """Return the tokenizer whose `to_json` this is.

    Raises:
        ValueError: it is none.
    """
    return ByteTokenizer() if raw == ByteTokenizer().to_json() else BpeTokenizer.from_json(raw)
