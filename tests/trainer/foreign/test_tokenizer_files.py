"""Tokenizers of other programs: the same ids as theirs; what they do not tell is asked."""

import base64
import importlib.util
import json
import pickle
import random
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import regex

from tests.trainer.data.tokenizers.tokenizer_json import written
from tests.trainer.foreign.references import ReferenceGPT
from tests.trainer.foreign.test_import import Evil, doubled, drawn, saved, take
from trainer import cli
from trainer.config.config_error import ConfigError
from trainer.data.data_errors import DataError
from trainer.data.tokenizers.ranked import RankedTokenizer, pieces_of
from trainer.data.tokenizers.stored import tokenizer_from
from trainer.foreign.tokenizer_files import read_tokenizer

PUBLISHED = {
    "gpt2": r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    "cl100k": r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*"
    r"|\s*[\r\n]|\s+(?!\S)|\s+",
}
"""How their programs cut text, in the words of the `regex` library, which hosts do not have."""
LETTERS = "ab cd'sS\n\r\t12³½é中ßſ  '.!-_\u00a0\u2003\u3000😀\u0301²Ⅷ\x1c"
CHARACTERS = sorted({*"\nROMEO: thequickbrownfx"})


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTINUS_HOME", str(tmp_path / "home"))


def texts(count: int) -> list[str]:
    draw = random.Random(4)
    return [
        "", "I'LL say: it's 12345 o'clock,  isn't it?\n\n  Yes ", "don't'ſ 'VE",
        *("".join(draw.choices(LETTERS, k=40)) for _ in range(count)),
    ]  # fmt: skip


@pytest.mark.parametrize("split", PUBLISHED)
def test_text_is_cut_where_their_programs_cut_it(split: str) -> None:
    for text in texts(400):
        assert [*pieces_of(text, split)] == regex.findall(PUBLISHED[split], text), repr(text)


def vocabulary() -> list[bytes]:
    """Single bytes in an order of their own, and 60 tokens of two that were there before."""
    draw = random.Random(9)
    tokens = [bytes([one]) for one in draw.sample(range(256), 256)]
    common = [one.encode() for one in "ab cdé's1.\n"]
    while len(tokens) < 316:
        left, right = draw.choice([*common, *tokens[256:]]), draw.choice([*common, *tokens[256:]])
        if left + right not in tokens and len(left + right) < 12:
            tokens.append(left + right)
    return tokens


def plainly(piece: bytes, ranks: dict[bytes, int]) -> list[int]:
    """The published loop: the pair of the lowest rank, the first of equals, again and again."""
    if piece in ranks:
        return [ranks[piece]]
    parts = [bytes([one]) for one in piece]
    while True:
        found = [(ranks[a + b], at) for at, (a, b) in enumerate(pairwise(parts)) if a + b in ranks]
        if not found:
            return [ranks[one] for one in parts]
        at = min(found)[1]
        parts[at : at + 2] = [parts[at] + parts[at + 1]]


def tiktoken(path: Path, tokens: list[bytes]) -> Path:
    path.write_text("".join(f"{base64.b64encode(one).decode()} {rank}\n" for rank, one in enumerate(tokens)))
    return path


@pytest.mark.parametrize("split", PUBLISHED)
def test_ids_are_those_of_the_published_loop(tmp_path: Path, split: str) -> None:
    tokens = vocabulary()
    ranks = {one: rank for rank, one in enumerate(tokens)}
    read = read_tokenizer(tiktoken(tmp_path / "x.tiktoken", tokens), split, 0)
    again = tokenizer_from(read.to_json())
    for text in texts(60):
        wanted = [
            one for piece in regex.findall(PUBLISHED[split], text) for one in plainly(piece.encode(), ranks)
        ]
        assert read.encode(text) == again.encode(text) == wanted
        assert read.decode(wanted) == text.encode()
    assert read.decode(read.encode(b"\xff\xfe a")) == b"\xff\xfe a"


def test_a_word_without_end_takes_time_in_proportion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read, looks = read_tokenizer(tiktoken(tmp_path / "x", vocabulary()), "gpt2", 0), 0
    real = RankedTokenizer._pair

    def counted(*args: Any) -> Any:
        nonlocal looks
        looks += 1
        return real(*args)

    monkeypatch.setattr(RankedTokenizer, "_pair", counted)
    read.encode("ab" * 3000)
    assert looks <= 4 * 6000


def test_merges_of_gpt2_are_its_tokens_in_its_order(tmp_path: Path) -> None:
    path = tmp_path / "vocab.bpe"
    path.write_text("#version: 0.2\nĠ t\nh e\nĠt he\n", encoding="utf-8")
    read = read_tokenizer(path, "gpt2", 1)
    assert (read.vocab_size, read.encode("! the"), read.encode(" t")) == (260, [0, 258], [256])
    assert [read.decode([one]) for one in (0, 93, 188, 220, 255, 256, 258, 259)] == [
        b"!", b"~", b"\x00", b" ", b"\xad", b" t", b" the", b"",
    ]  # fmt: skip
    hugging_face = read_tokenizer(written(tmp_path / "tokenizer.json"), "", 2)
    assert (hugging_face.vocab_size, hugging_face.decode([316, 259])) == (318, b" the")
    path.write_text("#version: 0.2\nh e\nĠt he\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="joins what does not exist yet"):
        read_tokenizer(path, "gpt2", 0)


def characters(path: Path, protocol: int = 4) -> Path:
    table = dict(enumerate(CHARACTERS))
    meta = {"vocab_size": len(table), "itos": table, "stoi": {one: at for at, one in table.items()}}
    path.write_bytes(pickle.dumps(meta, protocol))
    return path


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_a_model_of_characters_speaks_and_is_exported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], protocol: int
) -> None:
    meta, path = (
        characters(tmp_path / "meta.pkl", protocol),
        saved(tmp_path / "m.pt", drawn(lambda: ReferenceGPT(3, bias=True))),
    )
    told, out = ["--heads", "3", "--tokenizer", str(meta)], tmp_path / "run"
    assert take(path, out, *told) == 2
    assert "say --extra-tokens 1" in capsys.readouterr().err
    assert take(path, out, *told, "--extra-tokens", "1") == 0
    capsys.readouterr()
    if protocol != 4:
        return
    assert cli.main(["sample", str(out), "--prompt", "the quick", "--tokens", "5", "--json"]) == 0
    assert {*json.loads(capsys.readouterr().out)["text"]} <= {*CHARACTERS}
    assert cli.main(["sample", str(out), "--prompt", "Zoë", "--tokens", "2"]) == 2
    assert "no token for" in capsys.readouterr().err
    assert cli.main(["export", str(out), "--to", str(tmp_path / "alone")]) == 0
    found = importlib.util.spec_from_file_location(
        "modeling_of_characters", tmp_path / "alone" / "modeling.py"
    )
    assert found is not None
    assert found.loader is not None
    alone = importlib.util.module_from_spec(found)
    found.loader.exec_module(alone)
    model, tokenizer = alone.load(tmp_path / "alone")
    assert tokenizer.encode("the") == [CHARACTERS.index(one) for one in "the"]
    assert len(alone.continue_text(model, tokenizer, "the", tokens=4)) <= 4


def test_what_a_file_does_not_tell_is_asked_and_what_is_hostile_is_not_run(tmp_path: Path) -> None:
    whole = tiktoken(tmp_path / "whole", vocabulary())
    with pytest.raises(ConfigError, match="say --split gpt2"):
        read_tokenizer(whole, "", 0)
    assert read_tokenizer(whole, "gpt2", 7).vocab_size == 316 + 7
    lines = whole.read_text().splitlines(keepends=True)
    table = {"itos": {0: "a", 1: "b"}, "stoi": {"a": 0, "b": 0}}
    cases: dict[str, tuple[bytes, str]] = {
        "gap": ("".join(lines[:300] + lines[301:]).encode(), "gaps"),
        "no bytes": ("".join(lines[:200]).encode(), "every single byte among them"),
        "evil": (pickle.dumps(Evil()), "does not need"),
        "doubled": (b"\x80\x02}N" + doubled(60) + b"Ns.", "does not need"),
        "two tables": (pickle.dumps(table), "not the same table"),
        "no table": (pickle.dumps({"itos": 3}), "no itos and stoi"),
        "bytes": (bytes(range(256)), "no merges of GPT-2"),
        "empty": (b"", "--split"),
    }
    for name, (raw, why) in cases.items():
        (tmp_path / name).write_bytes(raw)
        with pytest.raises(ConfigError, match=why):
            read_tokenizer(tmp_path / name, "" if name == "empty" else "gpt2", 0)
    with pytest.raises(ConfigError, match="no tokenizer"):
        read_tokenizer(tmp_path / "not there", "gpt2", 0)
    read = read_tokenizer(characters(tmp_path / "meta.pkl"), "", 0)
    with pytest.raises(DataError, match="no token for"):
        read.encode("Zürich")
