"""A `tokenizer.json` of Hugging Face as a tokenizer of ours: byte pairs that give every byte back.

Nothing of the file is run: a pattern that cuts text is one of those known here, or the file is refused. So is
what loses something of a text (lower case, accents, unknown words) or changes it (a blank before the first
word). Format: `tokenizers`, https://huggingface.co/docs/tokenizers.
"""

import base64
from pathlib import Path

import msgspec

from trainer.data.data_errors import DataError
from trainer.data.tokenizers.merged import MergedTokenizer
from trainer.data.tokenizers.stored import tokenizer_from
from trainer.data.tokenizers.tokenizer import BYTES, Tokenizer

FILE_MAX = 64 << 20
TOKENS_MAX, ADDED_MAX = 1 << 20, 4096
STORED_MAX = 1 << 16
"""Tokens of a text lie in 16 bits."""
_GPT2_END, _ENDINGS = r"|\s+(?!\S)|\s+", r"'s|'t|'re|'ve|'m|'ll|'d"
_LATER = r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
PATTERNS = {
    rf"{_ENDINGS}| ?\p{{L}}+| ?\p{{N}}+| ?[^\s\p{{L}}\p{{N}}]+{_GPT2_END}": "gpt2",
    rf"'(?:[sdmt]|ll|ve|re)| ?\p{{L}}+| ?\p{{N}}+| ?[^\s\p{{L}}\p{{N}}]+{_GPT2_END}": "gpt2",
    rf"(?i:{_ENDINGS})|{_LATER}{_GPT2_END}": "cl100k",
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]"
    + _GPT2_END: "cl100k",
}
"""Patterns that cut text, and which of `SPLITS` does the same."""


class _Model(msgspec.Struct, frozen=True):
    type: str
    vocab: dict[str, int]
    merges: list[str | tuple[str, str]]
    dropout: float | None = None
    continuing_subword_prefix: str | None = None
    end_of_word_suffix: str | None = None
    byte_fallback: bool = False
    ignore_merges: bool = False


class _Added(msgspec.Struct, frozen=True):
    id: int
    content: str
    special: bool = False
    single_word: bool = False
    lstrip: bool = False
    rstrip: bool = False


class _Cut(msgspec.Struct, frozen=True):
    type: str
    add_prefix_space: bool = True
    use_regex: bool = True
    individual_digits: bool = False
    pattern: dict[str, str] = {}
    behavior: str = ""
    invert: bool = False
    pretokenizers: list["_Cut"] = []


class _Normalizer(msgspec.Struct, frozen=True):
    type: str


class _File(msgspec.Struct, frozen=True):
    model: _Model
    pre_tokenizer: _Cut | None = None
    normalizer: _Normalizer | None = None
    added_tokens: list[_Added] = []


def read_json(raw: bytes) -> Tokenizer:
    """Return the tokenizer of a `tokenizer.json`, ours or Hugging Face's.

    Raises:
        ValueError, msgspec.MsgspecError: it is none, or one that loses or changes something of a text.
    """
    if raw.startswith(b'{"name":"'):
        return tokenizer_from(raw)
    try:
        file = msgspec.json.decode(raw, type=_File)
    except RecursionError as error:
        raise ValueError("its parts lie in one another without end") from error
    model = file.model
    if model.type != "BPE" or model.byte_fallback or model.dropout:
        raise ValueError(f"its model is {model.type[:40]!r}, not byte pairs over bytes")
    if model.continuing_subword_prefix or model.end_of_word_suffix:
        raise ValueError("its tokens carry marks of words, not bytes alone")
    if file.normalizer is not None and file.normalizer.type != "NFC":
        raise ValueError(f"it changes text first ({file.normalizer.type[:40]})")
    split, digits = _how_cut(file.pre_tokenizer)
    tokens, added = _tokens(file)
    by_bytes = {name: at for at, name in enumerate(tokens) if name and at not in added}
    names = byte_names()
    merges = [_merge(one, by_bytes, names) for one in model.merges]
    encoded = [base64.b64encode(one).decode("ascii") for one in tokens]
    return MergedTokenizer(encoded, merges, split, digits, model.ignore_merges, sorted(added))


def tokenizer_file(path: Path) -> Tokenizer:
    """Return the tokenizer in the file that `data.tokenizer_file` names.

    Raises:
        DataError: it cannot be read, is none, or has more tokens than a text is stored with.
    """
    try:
        with path.open("rb") as opened:
            raw = opened.read(FILE_MAX + 1)
        if len(raw) > FILE_MAX:
            raise ValueError(f"it has more than {FILE_MAX:,} bytes")
        tokenizer = read_json(raw)
    except (OSError, ValueError, msgspec.MsgspecError) as error:
        reason = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)[:200]
        raise DataError(
            f"{path} is no tokenizer that can be used: {reason}",
            "name a tokenizer.json of byte pairs over bytes (GPT-2's kind), or leave data.tokenizer_file out",
        ) from error
    if tokenizer.vocab_size > STORED_MAX:
        raise DataError(
            f"{path} has {tokenizer.vocab_size:,} tokens, and texts are stored with {STORED_MAX:,} at most",
            "name a smaller one",
        )
    return tokenizer


def byte_names() -> dict[str, bytes]:
    """Return which character stands for which byte in files of GPT-2 and later, in the order of its ids."""
    printed = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    order = [*printed, *sorted({*range(BYTES)} - {*printed})]
    return {
        chr(one if one in printed else 0x100 + at - len(printed)): bytes([one])
        for at, one in enumerate(order)
    }


def _how_cut(cut: _Cut | None) -> tuple[str, bool]:
    """Return which of `SPLITS` cuts the text, and whether digits are cut off before."""
    steps = list(cut.pretokenizers) if cut is not None and cut.type == "Sequence" else [cut]
    *before, last = steps or [None]
    if last is None or last.type != "ByteLevel" or last.add_prefix_space:
        raise ValueError("its text is not cut into bytes as it stands (ByteLevel without add_prefix_space)")
    digits = False
    if last.use_regex:
        digits = len(before) == 1 and before[0] is not None and _is_each_digit(before[0])
        if before and not digits:
            raise ValueError("how it cuts text is not known here")
        return "gpt2", digits
    [step] = before if len(before) == 1 else [None]
    told = step.pattern.get("Regex", "") if step is not None and step.type == "Split" else ""
    if step is None or step.behavior != "Isolated" or step.invert or told not in PATTERNS:
        raise ValueError(f"how it cuts text is not known here ({told[:60]!r})")
    return PATTERNS[told], False


def _is_each_digit(step: _Cut) -> bool:
    return step.type == "Digits" and step.individual_digits


def _tokens(file: _File) -> tuple[list[bytes], set[int]]:
    """Return the bytes of every token, none of those that mean nothing, and which are looked for first."""
    names, meant, first = byte_names(), dict[int, bytes](), set[int]()
    by_hand = {one.id: one for one in file.added_tokens}
    if len(by_hand) > ADDED_MAX:
        raise ValueError(f"it has more than {ADDED_MAX:,} added tokens")
    for text, number in file.model.vocab.items():
        if number in meant:
            raise ValueError(f"two tokens have the id {number}")
        meant[number] = b"" if number in by_hand else b"".join(_byte(one, names) for one in text)
    for number, one in by_hand.items():
        meant[number] = b""
        if one.special:
            continue
        if one.single_word or one.lstrip or one.rstrip or not one.content:
            raise ValueError(f"the added token {one.content[:40]!r} takes blanks or words of its own")
        meant[number] = one.content.encode("utf-8")
        first.add(number)
    last = max(meant, default=-1)
    if min(meant, default=0) < 0 or last >= TOKENS_MAX:
        raise ValueError(f"an id is beyond 0 to {TOKENS_MAX:,}")
    return [meant.get(number, b"") for number in range(last + 1)], first


def _byte(one: str, names: dict[str, bytes]) -> bytes:
    found = names.get(one)
    if found is None:
        raise ValueError(f"its tokens are texts, not bytes ({one[:4]!r})")
    return found


def _merge(
    told: str | tuple[str, str], by_bytes: dict[bytes, int], names: dict[str, bytes]
) -> tuple[int, int]:
    parts = told.split(" ") if isinstance(told, str) else told
    made = [b"".join(_byte(one, names) for one in part) for part in parts]
    if len(made) != 2 or any(one not in by_bytes for one in made):
        raise ValueError(f"the merge {str(told)[:40]!r} joins what does not exist")
    return by_bytes[made[0]], by_bytes[made[1]]
