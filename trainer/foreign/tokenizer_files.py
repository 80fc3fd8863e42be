"""Tokenizers of other programs, read from their files: a table of characters, byte pairs with their ranks.

What such a file does not tell (how text is cut before, which tokens mean nothing) is told, never guessed.
"""

import base64
import io
import json
import pickle
import pickletools
import re
from pathlib import Path
from typing import Any

import msgspec

from trainer.config.config_error import ConfigError
from trainer.data import Tokenizer
from trainer.data.tokenizers.characters import CharacterTokenizer
from trainer.data.tokenizers.hugging_face import FILE_MAX, TOKENS_MAX, byte_names, read_json
from trainer.data.tokenizers.ranked import SPLITS, RankedTokenizer
from trainer.data.tokenizers.stored import tokenizer_from

OPS_MAX = 1_000_000
RANKED = re.compile(rb"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4}) [0-9]+")
PLAIN_OPS = frozenset({
    "PROTO", "FRAME", "EMPTY_DICT", "MARK", "MEMOIZE", "BINPUT", "LONG_BINPUT", "BINGET", "LONG_BINGET",
    "SHORT_BINUNICODE", "BINUNICODE", "BININT", "BININT1", "BININT2", "SETITEM", "SETITEMS", "STOP",
})  # fmt: skip
"""All that dictionaries of texts and numbers need: nothing is called, named, or put into one another."""


def read_tokenizer(path: Path, split: str, extra: int) -> Tokenizer:
    """Return the tokenizer in a file: `tokenizer.json` of a checkpoint here or of Hugging Face, nanoGPT's
    `meta.pkl`, a file of tiktoken, or the merges of GPT-2 (`vocab.bpe`, `merges.txt`).

    Args:
        split: how the program cut text before it looked for tokens, a key of `SPLITS`; empty: not told.
        extra: tokens of the weights behind the file's, which mean nothing.

    Raises:
        ConfigError: it is none, or something must be told.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(FILE_MAX + 1)
        if len(raw) > FILE_MAX:
            raise ValueError(f"it has more than {FILE_MAX:,} bytes")
        if raw[:1] == b"{":
            return _own(raw, extra)
        if raw[:1] == b"\x80":
            return CharacterTokenizer(_characters(raw), extra)
        tokens = _tiktoken(raw) if RANKED.fullmatch(raw.partition(b"\n")[0].strip()) else _merges(raw)
        encoded = [base64.b64encode(one).decode("ascii") for one in tokens]
    except (OSError, ValueError, LookupError, pickle.UnpicklingError, msgspec.MsgspecError) as error:
        raise ConfigError(
            f"--tokenizer {path}: no tokenizer.json of a checkpoint here or of Hugging Face, no meta.pkl of "
            f"characters, no file of tiktoken and no merges of GPT-2 ({str(error)[:200]})"
        ) from error
    if split not in SPLITS:
        raise ConfigError(
            f"--tokenizer {path} does not tell how text was cut before: say --split gpt2 (GPT-2, r50k, p50k) "
            "or --split cl100k"
        )
    try:
        return RankedTokenizer(encoded, split, extra)
    except ValueError as error:
        raise ConfigError(f"--tokenizer {path}: {error}") from error


def _own(raw: bytes, extra: int) -> Tokenizer:
    """One of ours or of Hugging Face; with tokens that mean nothing only where its kind can have them."""
    tokenizer = read_json(raw)
    if not extra:
        return tokenizer
    if not isinstance(tokenizer, CharacterTokenizer | RankedTokenizer):
        raise ValueError("a tokenizer of ours has no tokens without a meaning")  # noqa: TRY004  of the file
    return tokenizer_from(msgspec.json.encode({**json.loads(tokenizer.to_json()), "extra": extra}))


class _Nothing(pickle.Unpickler):
    """Makes texts, numbers and dictionaries, and nothing that a pickle names."""

    def find_class(self, module: str, name: str) -> Any:
        """Refuse it."""
        raise ValueError(f"it asks for {module}.{name}, which a table of characters does not need")


def _characters(raw: bytes) -> list[str]:
    """The table in a `meta.pkl`: `itos`, and `stoi` the other way round."""
    for count, (code, argument, _) in enumerate(pickletools.genops(raw)):
        if code.name not in PLAIN_OPS or count > OPS_MAX:
            raise ValueError(f"it uses {code.name}, which a table of characters does not need")
        if code.name == "LONG_BINPUT" and isinstance(argument, int) and argument > len(raw):
            raise ValueError("it asks for memory without end")
    try:
        meta = _Nothing(io.BytesIO(raw)).load()
    except (TypeError, AttributeError, EOFError, MemoryError, OverflowError) as error:
        raise ValueError(str(error)) from error
    characters = meta.get("itos") if isinstance(meta, dict) else None
    numbers = meta.get("stoi") if isinstance(meta, dict) else None
    if not isinstance(characters, dict) or not isinstance(numbers, dict):
        raise ValueError("it holds no itos and stoi")  # noqa: TRY004  of the file
    table = [characters.get(number) for number in range(len(characters))]
    if not all(isinstance(one, str) for one in table) or {one: at for at, one in enumerate(table)} != numbers:
        raise ValueError("its itos and stoi are not the same table")
    return [str(one) for one in table]


def _tiktoken(raw: bytes) -> list[bytes]:
    """Tokens in the order of their ranks, which go from 0 without a gap."""
    ranks: dict[int, bytes] = {}
    for line in raw.splitlines():
        if line:
            token, rank = line.split()
            ranks[int(rank)] = base64.b64decode(token, validate=True)
        if len(ranks) > TOKENS_MAX:
            raise ValueError("it has tokens without end")
    if sorted(ranks) != list(range(len(ranks))):
        raise ValueError("its ranks have gaps")
    return [ranks[rank] for rank in range(len(ranks))]


def _merges(raw: bytes) -> list[bytes]:
    """Tokens in GPT-2's order: single bytes, those that can be printed first, then what each merge makes."""
    names = byte_names()
    tokens = list(names.values())
    known = {*tokens}
    for line in raw.decode("utf-8").splitlines():
        if not line or line.startswith("#version"):
            continue
        left, right = (b"".join(names[one] for one in part) for part in line.split(" "))
        if left not in known or right not in known or len(tokens) > TOKENS_MAX:
            raise ValueError(f"the merge {line[:40]!r} joins what does not exist yet")
        tokens.append(left + right)
        known.add(left + right)
    return tokens
