"""A `tokenizer.json` as Hugging Face lays it out: special tokens before the bytes, merges of words behind."""

import json
from pathlib import Path
from typing import Any

from trainer.data.tokenizers.hugging_face import byte_names

WORDS = [
    "", "the", "firefly", "waits", "until", "its", "neighbours", "flash", "then", "answers", "in", "phase",
    "é", "12", "..",
]  # fmt: skip
SPECIAL, RUN = "<|endoftext|>", "    "


def byte_level(use_regex: bool = True) -> dict[str, Any]:
    return {
        "type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": use_regex,
    }  # fmt: skip


def split(pattern: str) -> dict[str, Any]:
    told = {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}
    return {"type": "Sequence", "pretokenizers": [told, byte_level(use_regex=False)]}


def file_of(pre_tokenizer: dict[str, Any] | None = None, **model: Any) -> dict[str, Any]:
    """Return the file's content; each word, with the blank before it, is merged from the left."""
    names = byte_names()
    by_byte = {value[0]: name for name, value in names.items()}
    vocab = {SPECIAL: 0, **{name: at + 1 for at, name in enumerate(names)}}
    merges: list[str] = []
    for word in WORDS:
        made, *rest = (by_byte[one] for one in f" {word}".encode())
        for one in rest:
            if made + one not in vocab:
                vocab[made + one] = len(vocab)
                merges.append(f"{made} {one}")
            made += one
    assert len(vocab) == 314
    added = [
        {"id": number, "content": text, "special": special, "single_word": False, "lstrip": False,
         "rstrip": False, "normalized": False}
        for number, text, special in ((0, SPECIAL, True), (314, RUN, False), (315, "<pad>", True))
    ]  # fmt: skip
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
        "pre_tokenizer": pre_tokenizer or byte_level(), "post_processor": None, "decoder": byte_level(),
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                  "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False,
                  "ignore_merges": False, "vocab": vocab, "merges": merges, **model},
    }  # fmt: skip


def written(path: Path, content: dict[str, Any] | None = None) -> Path:
    path.write_text(json.dumps(content or file_of(), indent=2), encoding="utf-8")
    return path
