"""Batches as a function of their index."""

import numpy as np
import pytest

from trainer.data import Batches, DataError
from trainer.data.permutation import permute, round_keys

TOKENS = np.arange(20_011, dtype=np.uint16)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 16, 17, 1000, 4097])
def test_a_permutation_reaches_every_place_once(size: int) -> None:
    image = permute(np.arange(size), size, round_keys(7, 0))
    assert np.array_equal(np.sort(image), np.arange(size))


def test_orders_of_two_epochs_differ_and_look_shuffled() -> None:
    one, two = (permute(np.arange(10_000), 10_000, round_keys(1, epoch)) for epoch in (0, 1))
    assert np.count_nonzero(one == two) < 20
    for image in (one, two):
        assert abs(np.corrcoef(image, np.arange(10_000))[0, 1]) < 0.05
        assert abs(np.corrcoef(image[1:], image[:-1])[0, 1]) < 0.05


def test_every_window_comes_once_an_epoch() -> None:
    batches = Batches(TOKENS, context=16, batch=8, seed=3)
    starts = np.concatenate([batches.starts_at(i) for i in range(400)])
    for epoch in range(2):
        here = np.sort(starts[epoch * batches.windows : (epoch + 1) * batches.windows])
        assert np.array_equal(np.diff(here), np.full(batches.windows - 1, 16))
        assert 0 <= here[0] < 16
        assert here[-1] + 17 <= len(TOKENS)


def test_epochs_begin_at_offsets_of_their_own() -> None:
    batches = Batches(TOKENS, context=64, batch=batch_of_an_epoch(64), seed=3)
    assert len({int(batches.starts_at(epoch)[0]) % 64 for epoch in range(40)}) > 20


def batch_of_an_epoch(context: int) -> int:
    return Batches(TOKENS, context, 1, 0).windows


def test_a_batch_depends_on_its_index_alone() -> None:
    walked = Batches(TOKENS, 32, 8, 5)
    for index in range(500):
        inputs, targets = walked.batch_at(index)
    jumped = Batches(TOKENS, 32, 8, 5).batch_at(499)
    assert np.array_equal(jumped[0], inputs)
    assert np.array_equal(jumped[1], targets)
    other = Batches(TOKENS, 32, 8, 6)
    assert not np.array_equal(other.batch_at(499)[0], inputs)
    assert not np.array_equal(
        other.starts_at(499) // 32, walked.starts_at(499) // 32
    )  # the order, not the offset
    assert np.array_equal(walked.batch_at(0)[0], Batches(TOKENS, 32, 8, 5).batch_at(0)[0])


def test_targets_are_inputs_one_token_later() -> None:
    inputs, targets = Batches(TOKENS, 32, 8, 5).batch_at(3)
    assert inputs.shape == targets.shape == (8, 32)
    assert inputs.dtype == targets.dtype == np.int64
    assert inputs.flags.c_contiguous
    assert targets.flags.c_contiguous
    assert np.array_equal(targets, inputs + 1)  # the tokens count up


def test_a_far_position_is_reached_at_once() -> None:
    batches = Batches(TOKENS, 32, 8, 5)
    assert len(batches.batch_at(10**12)) == 2  # walking there would take months


@pytest.mark.parametrize("length", [17, 18, 31, 32, 33, 48, 49])
def test_the_shortest_texts_still_fill_a_batch(length: int) -> None:
    batches = Batches(TOKENS[:length], context=16, batch=4, seed=0)
    for index in range(20):
        inputs, targets = batches.batch_at(index)
        assert inputs.shape == (4, 16)
        assert targets.max() < length


def test_a_text_shorter_than_a_window_is_refused_with_the_remedy() -> None:
    with pytest.raises(DataError, match=r"the train text has 16 tokens.*context of at most 15"):
        Batches(TOKENS[:16], 16, 4, 100)
