"""Scores beside floors, on the same tokens."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from trainer.data.floors import NGrams, count_floors
from trainer.data.progress import Pulse
from trainer.data.tokenizers.tokenizer import ByteTokenizer
from trainer.evals.scores import FloorScorer
from trainer.evals.sections import Section

VOCAB = 8


def text(seed: int, length: int) -> np.ndarray:
    """A walk: the next token is mostly the last one plus one."""
    generator = np.random.default_rng(seed)
    steps = np.where(generator.random(length) < 0.8, 1, generator.integers(VOCAB, size=length))
    return (np.cumsum(steps) % VOCAB).astype(np.uint16)


def test_counted_token_by_token_n_grams_score_what_the_floors_say() -> None:
    train, validation = text(1, 5000), text(2, 700)
    whole = count_floors(train, validation, VOCAB, Pulse())
    each = NGrams(train, VOCAB, Pulse()).losses(validation)
    assert each.shape == (3, 699)
    # the floors leave out the second token as well, which has no trigram
    assert each[:, 1:].mean(1) == pytest.approx([whole.unigram, whole.bigram, whole.trigram])
    assert each[2, 0] == each[1, 0]


def test_a_model_as_good_as_bigrams_is_below_unigrams_and_level_with_bigrams() -> None:
    grams = NGrams(text(1, 5000), VOCAB, Pulse())
    corpus: Any = SimpleNamespace(train=text(1, 5000), vocab_size=VOCAB, tokenizer=ByteTokenizer())
    group = [Section(text(seed, 120).astype(np.int64)) for seed in range(3, 33)]
    as_bigrams = np.array([grams.losses(some.tokens[:101].astype(np.uint16))[1].sum() for some in group])
    floors = FloorScorer(corpus, group, np.full(30, 100.0), Pulse())
    found = floors.scores(as_bigrams)
    unigram, bigram, _ = found.floors
    assert unigram.below.low > 0.3
    assert unigram.ce.value == floors.unigram
    assert (bigram.below.low, bigram.below.high) == (0.0, 0.0)
    assert found.bits_per_byte.value == pytest.approx(found.ce.value / np.log(2))
    assert found.perplexity.value == pytest.approx(np.exp(found.ce.value))
    assert found.ce.n == 30
