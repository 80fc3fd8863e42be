"""A tokenizer made again from what was stored of it."""

from trainer.data.tokenizers.bpe import BpeTokenizer
from trainer.data.tokenizers.characters import CharacterTokenizer
from trainer.data.tokenizers.merged import MergedTokenizer
from trainer.data.tokenizers.ranked import RankedTokenizer
from trainer.data.tokenizers.tokenizer import ByteTokenizer, Tokenizer


def tokenizer_from(raw: bytes) -> Tokenizer:
    """Return the tokenizer whose `to_json` this is.

    Raises:
        ValueError: it is none.
    """
    if raw == ByteTokenizer().to_json():
        return ByteTokenizer()
    for kind in (CharacterTokenizer, RankedTokenizer, MergedTokenizer):
        if raw.startswith(b'{"name":"%s",' % kind.name.encode()):
            return kind.from_json(raw)
    return BpeTokenizer.from_json(raw)


def family_of(tokenizer: Tokenizer) -> str:
    """What `data.tokenizer` says of it: `byte`, or `bpe` for all that a checkpoint must bring along."""
    return "byte" if tokenizer.name == "byte" else "bpe"
