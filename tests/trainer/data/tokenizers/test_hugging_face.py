"""Files of Hugging Face: the ids of its program, every byte back; what would lose something is refused."""

import json
import random
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
import regex

from tests.trainer.data.tokenizers.tokenizer_json import RUN, SPECIAL, byte_level, file_of, split, written
from trainer.config.data import DataConfig
from trainer.data.data_errors import DataError
from trainer.data.tokenizers.hugging_face import PATTERNS, byte_names, read_json, tokenizer_file
from trainer.data.tokenizers.stored import tokenizer_from

LETTERS = " the firefly flash's 'LL\n\r\t12³½é中ſ  .!-\u00a0\u3000😀\u0301"
DIGITS = {"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": True}, byte_level()]}
RECORDED = [
    [84, 72, 69, 266, 271, 12, 311, 19, 259, 221, 293, 314, 221, 302, 307, 309, 14, 14, 14],
    [84, 72, 69, 266, 271, 12, 221, 17, 18, 19, 259, 221, 293, 314, 221, 302, 307, 309, 14, 14, 14],
]


def raw(content: dict[str, Any]) -> bytes:
    return json.dumps(content).encode()


def plainly(text: str, content: dict[str, Any], pattern: str) -> list[int]:
    """What the documentation says: added tokens, pieces, then the earliest merge, the first of equals."""
    by_byte = {value[0]: name for name, value in byte_names().items()}
    model, ids = content["model"], list[int]()
    ranks = {tuple(one.split(" ")): rank for rank, one in enumerate(model["merges"])}
    for part in regex.splititer(f"({regex.escape(RUN)})", text):
        if part == RUN:
            ids.append(content["added_tokens"][1]["id"])
            continue
        for piece in regex.findall(pattern, part):
            parts = [by_byte[one] for one in piece.encode()]
            whole = model["vocab"].get("".join(parts)) if model["ignore_merges"] else None
            if whole is not None:
                ids.append(whole)
                continue
            while found := [(ranks[two], at) for at, two in enumerate(pairwise(parts)) if two in ranks]:
                at = min(found)[1]
                parts[at : at + 2] = [parts[at] + parts[at + 1]]
            ids += [model["vocab"][one] for one in parts]
    return ids


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("ignores", [False, True])
def test_ids_are_those_of_the_documented_rules(pattern: str, ignores: bool) -> None:
    content, draw = file_of(split(pattern), ignore_merges=ignores), random.Random(4)
    read = read_json(raw(content))
    again = tokenizer_from(read.to_json())
    for _ in range(60):
        text = "".join(draw.choices([*LETTERS.split(" "), *LETTERS, RUN], k=30))
        wanted = plainly(text, content, pattern)
        assert read.encode(text) == again.encode(text) == wanted
        assert read.decode(wanted) == text.encode()
    assert read.decode(read.encode(b"\xff\xfe the")) == b"\xff\xfe the"


def test_ids_are_those_that_the_library_gave() -> None:
    """Recorded from `tokenizers` 0.23.3 for this very file."""
    text = "the firefly waits, 123 the  flash      in phase é..."
    assert [read_json(raw(file_of(one))).encode(text) for one in (None, DIGITS)] == RECORDED


def test_a_special_token_is_text_and_means_nothing() -> None:
    read = read_json(raw(file_of()))
    assert 0 not in read.encode(SPECIAL)
    assert read.decode(read.encode(SPECIAL)) == SPECIAL.encode()
    assert read.decode([0, read.vocab_size - 1]) == b""
    with pytest.raises(ValueError, match="not in the vocabulary"):
        read.decode([read.vocab_size])


def changed(**parts: Any) -> dict[str, Any]:
    return {**file_of(), **parts}


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "words": (file_of(type="WordPiece"), "not byte pairs over bytes"),
    "fallback": (file_of(byte_fallback=True), "not byte pairs over bytes"),
    "chance": (file_of(dropout=0.1), "not byte pairs over bytes"),
    "marks": (file_of(end_of_word_suffix="</w>"), "marks of words"),
    "lower case": (changed(normalizer={"type": "Lowercase"}), "changes text first"),
    "no cut": (changed(pre_tokenizer=None), "not cut into bytes"),
    "a blank first": (changed(pre_tokenizer={"type": "ByteLevel"}), "not cut into bytes"),
    "an endless pattern": (changed(pre_tokenizer=split("(a+)+$")), "not known here"),
    "groups of digits": (
        changed(pre_tokenizer={"type": "Sequence", "pretokenizers": [{"type": "Digits"}, byte_level()]}),
        "not known here",
    ),
    "texts": (file_of(vocab={"▁a": 5}, merges=[]), "texts, not bytes"),
    "no bytes": (file_of(vocab={"a": 1}, merges=[]), "every single byte among them"),
    "one id for two": (file_of(vocab={"a": 1, "b": 1}), "have the id 1"),
    "a far id": (file_of(vocab={"a": 1 << 40}), "an id is beyond"),
    "an id below": (file_of(vocab={"a": -1}), "an id is beyond"),
    "a merge of nothing": (file_of(merges=["a Ġzz"]), "joins what does not exist"),
    "a merge into nothing": (file_of(merges=["a b"]), "joins tokens that do not exist"),
    "a merge of three": (file_of(merges=["a b c"]), "joins what does not exist"),
    "blanks of its own": (
        changed(added_tokens=[{"id": 900, "content": "x", "lstrip": True}]), "takes blanks or words",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_loses_or_changes_a_text_and_what_does_not_fit_is_refused(case: str) -> None:
    content, why = REFUSED[case]
    with pytest.raises(ValueError, match=why):
        read_json(raw(content))


def test_files_that_are_none_are_refused_with_the_remedy(tmp_path: Path) -> None:
    deep = b'{"model":' + b"[" * 100_000
    for name, content in {"empty": b"", "none": b"{}", "deep": deep, "cut": raw(file_of())[:-40]}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match="is no tokenizer that can be used") as told:
            tokenizer_file(tmp_path / name)
        assert "leave data.tokenizer_file out" in str(told.value)
    with pytest.raises(DataError, match="No such file"):
        tokenizer_file(tmp_path / "absent")
    with pytest.raises(DataError, match="no tokenizer"):
        tokenizer_file(Path("/dev/zero"))
    large = file_of()
    large["added_tokens"].append({"id": 70_000, "content": "far", "special": True})
    with pytest.raises(DataError, match="stored with 65,536 at most"):
        tokenizer_file(written(tmp_path / "large", large))
    with pytest.raises(msgspec.ValidationError, match="goes with tokenizer: bpe"):
        msgspec.convert({"tokenizer_file": "x"}, DataConfig)
