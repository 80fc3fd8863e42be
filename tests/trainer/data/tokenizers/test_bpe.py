"""Tokenizers."""

import random
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trainer.data.prose import prose
from trainer.data.progress import Pulse
from trainer.data.tokenizers.bpe import PIECES, BpeTokenizer, merge
from trainer.data.tokenizers.bpe_learner import learn
from trainer.data.tokenizers.tokenizer import ByteTokenizer

TEXT = prose(40_000).encode()
LEARNT = learn([TEXT], len(TEXT), 500, Pulse())


def slow_merges(text: bytes, wanted: int) -> list[tuple[int, int]]:
    """The definition: count every pair anew before each merge."""
    words = {tuple(piece): count for piece, count in Counter(PIECES.findall(text)).items()}
    merges: list[tuple[int, int]] = []
    while len(merges) < wanted:
        pairs: Counter[tuple[int, int]] = Counter()
        for word, count in words.items():
            for pair in pairwise(word):
                pairs[pair] += count
        best = min(pairs, key=lambda pair: (-pairs[pair], pair), default=(0, 0))
        if pairs[best] < 2:
            break
        merges.append(best)
        words = {tuple(merge(list(word), best, 255 + len(merges))): count for word, count in words.items()}
    return merges


def slow_encode(text: bytes, tokenizer: BpeTokenizer) -> list[int]:
    """The definition: apply every merge, in order, to every piece."""
    out: list[int] = []
    for piece in PIECES.findall(text):
        ids = list(piece)
        for rank, pair in enumerate(tokenizer.merges):
            ids = merge(ids, pair, 256 + rank)
        out += ids
    return out


@pytest.mark.parametrize("text", [TEXT[:6000], b"aaaa aaa aaaaaaa aa aaaaa " * 9, b"abababab babab ab " * 5])
def test_learning_equals_counting_anew_for_every_merge(text: bytes) -> None:
    assert learn([text], len(text), 256 + 120, Pulse()).merges == slow_merges(text, 120)


def test_encoding_equals_applying_every_merge_in_order() -> None:
    assert LEARNT.encode(TEXT[:5000]) == slow_encode(TEXT[:5000], LEARNT)


@given(st.binary(max_size=300) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")))
@settings(max_examples=300)
def test_any_bytes_come_back(raw: bytes) -> None:
    for tokenizer in (LEARNT, ByteTokenizer()):
        assert tokenizer.decode(tokenizer.encode(raw)) == raw


def test_every_byte_belongs_to_one_piece() -> None:
    raw = random.Random(0).randbytes(50_000)
    assert b"".join(PIECES.findall(raw)) == raw


def test_text_without_blanks_is_encoded_in_bounded_pieces() -> None:
    assert max(map(len, PIECES.findall(b"x" * 5000 + b" " * 5000 + b"!" * 5000 + "é".encode() * 900))) <= 64


def test_a_tokenizer_survives_its_file() -> None:
    again = BpeTokenizer.from_json(LEARNT.to_json())
    assert again.merges == LEARNT.merges
    assert again.encode("the other — “day”") == LEARNT.encode("the other — “day”")
    assert again.vocab_size == 500


def test_tokens_shorten_the_text_and_cover_whole_words() -> None:
    assert len(LEARNT.encode(TEXT)) < len(TEXT) / 3
    assert len(LEARNT.encode(" would")) == 1


def test_unknown_ids_and_impossible_merges_are_refused() -> None:
    with pytest.raises(ValueError, match="500"):
        LEARNT.decode([500])
    with pytest.raises(ValueError, match="-1"):
        LEARNT.decode([-1])
    with pytest.raises(ValueError, match="do not exist yet"):
        BpeTokenizer([(300, 97)])


def test_learning_stops_when_no_pair_occurs_twice() -> None:
    assert learn([b"abcdefgh"], 8, 512, Pulse()).vocab_size == 256
