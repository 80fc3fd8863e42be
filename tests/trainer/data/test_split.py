"""Blocks, and which of them are held out."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trainer.data.prose import prose
from trainer.config.data import DataConfig
from trainer.data import Corpus, prepare
from trainer.data.blocks import block_key, block_limit, choose_validation, cut


def prepared(folder: Path, cache: Path) -> Corpus:
    return prepare(DataConfig(source=str(folder)), cache_dir=cache)


def held_out(corpus: Corpus) -> set[bytes]:
    return {bytes(part.astype(np.uint8)) for part in np.split(corpus.val, corpus.val_starts[1:])}


def by_position(texts: list[bytes], fraction: float) -> set[bytes]:
    """The split that we do not make."""
    return set(texts[int(len(texts) * (1 - fraction)) :])


def by_hash(texts: list[bytes], fraction: float) -> set[bytes]:
    keys = {block_key(text): text for text in texts}
    return {keys[key] for key in choose_validation({key: len(text) for key, text in keys.items()}, fraction)}


def test_reordered_text_holds_out_the_same_blocks_where_a_position_split_does_not() -> None:
    texts = [prose(600, seed).encode() for seed in range(200)]
    assert by_hash(texts, 0.1) == by_hash(texts[::-1], 0.1)
    assert by_position(texts, 0.1) != by_position(texts[::-1], 0.1)


def test_renamed_files_hold_out_the_same_blocks(tmp_path: Path) -> None:
    names = {"one": ("a", "b", "c"), "two": ("z", "b", "a")}
    for folder, files in names.items():
        (tmp_path / folder).mkdir()
        for seed, name in enumerate(files):
            (tmp_path / folder / f"{name}.txt").write_text(prose(30_000, seed))
    one, two = (prepared(tmp_path / folder, tmp_path / "cache") for folder in names)
    assert one.fingerprint != two.fingerprint
    assert held_out(one) == held_out(two)
    assert not np.array_equal(one.train, two.train)


def leaked(corpus: Corpus) -> int:
    """Validation blocks whose text stands in train."""
    train = corpus.train.astype(np.uint8).tobytes()
    return sum(block.strip() in train for block in held_out(corpus))


def test_no_validation_block_is_in_train_and_the_probe_would_see_one(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(prose(300_000))
    corpus = prepared(tmp_path / "a.txt", tmp_path / "cache")
    assert leaked(corpus) == 0
    spoilt = np.concatenate((corpus.train, corpus.val[: corpus.val_starts[1]]))
    object.__setattr__(corpus, "train", spoilt)
    assert leaked(corpus) == 1


@pytest.mark.parametrize("size", [8_500, 20_000, 150_000, 1_000_000])
def test_one_small_file_gives_both_sides_text(size: int, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(prose(size))
    corpus = prepared(tmp_path / "a.txt", tmp_path / "cache")
    share = len(corpus.val) / (len(corpus.train) + len(corpus.val))
    assert 0.05 < share < 0.2


def test_one_endless_line_is_cut_too(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("".join(chr(0x4E00 + i * 7 % 5000) for i in range(20_000)))
    corpus = prepared(tmp_path / "a.txt", tmp_path / "cache")
    assert len(corpus.val) > 0
    for block in held_out(corpus):
        block.decode("utf-8")  # no character was cut in two


def test_a_document_over_the_limit_is_cut_after_paragraphs_and_nothing_is_lost() -> None:
    document = prose(300_000).encode()
    blocks = list(cut(document, 65536))
    assert len(blocks) >= 4
    assert max(map(len, blocks)) <= 65536
    assert all(block.endswith(b".") for block in blocks)
    assert b"\n\n".join(blocks) == document
    assert list(cut(document, len(document))) == [document]


@given(st.binary(max_size=400), st.integers(4, 60))
@settings(max_examples=150)
def test_cutting_loses_nothing_but_newlines(document: bytes, limit: int) -> None:
    blocks = list(cut(document, limit))
    assert b"".join(blocks).replace(b"\n", b"") == document.replace(b"\n", b"")
    assert all(0 < len(block) <= limit for block in blocks)


@given(
    st.dictionaries(st.binary(min_size=16, max_size=16), st.integers(1, 65536), min_size=2),
    st.floats(0.001, 0.5),
)
def test_neither_side_is_ever_empty(sizes: dict[bytes, int], fraction: float) -> None:
    chosen = choose_validation(sizes, fraction)
    assert 1 <= len(chosen) < len(sizes)
    assert set(chosen) == set(sorted(sizes)[: len(chosen)])


def test_blocks_shrink_with_the_text() -> None:
    assert block_limit(1 << 30, 65536) == 65536
    assert block_limit(1 << 20, 65536) == 4096
    assert block_limit(16 << 10, 65536) == 1024
