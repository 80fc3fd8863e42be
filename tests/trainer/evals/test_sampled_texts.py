"""Sampled texts and how much they repeat."""

import math

import numpy as np
import torch

from trainer.data.tokenizers.tokenizer import ByteTokenizer
from trainer.device.device import open_device
from trainer.evals.drawing import Sampling
from trainer.evals.generate import sample
from trainer.evals.sampled_texts import TEMPERATURES, distinct, repetition, sample_texts
from trainer.evals.sections import Section
from trainer.models import create

SMALL = {"dim": 16, "layers": 1, "oscillators": 8}
DEVICE = open_device("cpu", 1)


def test_distinct_counts_different_words_pairs_and_triples() -> None:
    row = distinct("x", [b"a a a a", b"a b c d"])
    assert [share.value for share in row.distinct] == [(0.25 + 1) / 2, (1 / 3 + 1) / 2, (0.5 + 1) / 2]
    assert (row.words, row.distinct[0].n) == (4.0, 2)
    assert distinct("x", [b"one"]).distinct[1].n == 0
    assert math.isnan(distinct("x", [b"one"]).distinct[1].value)


def test_side_by_side_the_coldest_text_is_the_one_drawn_alone() -> None:
    torch.manual_seed(0)
    model = create("kssm-v3-tiny", 256, **SMALL).eval()
    cold, warm = sample_texts(model, DEVICE, [[1, 2, 3], [4, 5, 6]], 12, (0.0, 1.0), seed=1)
    assert cold[1] == list(sample(model, DEVICE, [4, 5, 6], 12, Sampling(temperature=0)).ids)
    assert warm[0] != warm[1]
    assert sample_texts(model, DEVICE, [[1, 2, 3]], 12, (1.0,), seed=1) == sample_texts(
        model, DEVICE, [[1, 2, 3]], 12, (1.0,), seed=1
    )


def test_the_last_row_is_the_text_itself_even_where_documents_are_short() -> None:
    torch.manual_seed(0)
    model = create("gpt-tiny", 256, **SMALL, heads=2).eval()
    words = np.frombuffer(b"one two three four five six ", np.uint8).astype(np.int64)
    rows = repetition(model, DEVICE, ByteTokenizer(), [Section(words)] * 3, 2, 40, 0)
    assert [row.source for row in rows] == [*(f"{t:g}" for t in TEMPERATURES), "held-out text"]
    assert rows[-1].distinct[0].value == 1.0
