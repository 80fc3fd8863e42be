"""Loss over all bigrams, and text misread by a table of its own."""

import numpy as np
import pytest

from trainer.data.floors import CountedFloors, count_floors
from trainer.data.progress import Pulse
from trainer.reproduce.v1 import bigrams, entropy_claim, exact_ce, in_characters

TEXT = (
    "the cat sat on the mat, zz and then some more text. " * 30 + "a quiet end without the last letter " * 5
)


def test_the_best_scores_reach_the_in_sample_entropy_exactly_and_others_stay_above() -> None:
    data = in_characters(TEXT)
    floors = count_floors(data.train, data.val, data.vocab, Pulse())
    pairs = bigrams(data.train, data.vocab)
    with np.errstate(divide="ignore", invalid="ignore"):
        best = np.log(pairs / pairs.sum(1, keepdims=True))
    best = np.where(pairs > 0, best, 0.0)
    assert exact_ce(best, pairs) == pytest.approx(floors.bigram_in_sample, abs=1e-12)
    uniform = np.full_like(pairs, -np.log(data.vocab))
    assert exact_ce(uniform, pairs) == pytest.approx(np.log(data.vocab))


def test_characters_that_train_lacks_are_left_out_and_a_table_of_its_own_moves_ids() -> None:
    data = in_characters("zyxw" * 90 + "xyQz" * 10)
    assert data.vocab == 4
    assert set(data.val.tolist()) <= {1, 2, 3}
    assert len(data.val) == 30
    assert data.misread.max() == 2
    assert (data.val == data.misread).mean() == 0
    same = in_characters("abc" * 100)
    assert (same.val == same.misread).all()


@pytest.mark.parametrize(("ce", "holds"), [(2.45, True), (2.4711, False), (2.43, False)])
def test_only_a_loss_just_above_the_entropy_is_that_of_a_bigram_model(ce: float, holds: bool) -> None:
    floors = CountedFloors(unigram=3, bigram=2.5, trigram=2, bigram_in_sample=2.45, uniform=4)
    assert entropy_claim(ce, floors, 100).holds is holds
