"""kv-recall: what is asked for was stored, once, and is a function of seed, split and index alone."""

import numpy as np
import pytest

from trainer.config.data import DataConfig
from trainer.data.data_errors import DataError
from trainer.data.scored import scored_weights
from trainer.data.tasks.answer_floors import answer_floors
from trainer.data.tasks.known_tasks import TASKS, task_of
from trainer.data.tasks.kv_recall import CLOSE, OPEN, KeyValueRecall
from trainer.data.tasks.task import Sequences, sequences
from trainer.data.tasks.task_batches import TaskBatches
from trainer.data.tasks.task_corpus import held_sequences, task_corpus

LENGTH = 256
CONFIG = DataConfig(source="kv-recall")
TASK = KeyValueRecall(CONFIG, LENGTH)


def made(count: int = 200, split: str = "train", seed: str = "0") -> Sequences:
    return sequences(TASK, seed, split, range(count))


def test_the_answer_is_the_value_of_the_key_that_is_asked_for() -> None:
    some = made()
    assert some.scored == len(some)
    for row, place in zip(*np.nonzero(some.mask), strict=True):
        pairs = TASK.pairs_in(some.inputs[row])
        keys, values = zip(*pairs, strict=True)
        assert len(pairs) == len(set(keys)) == len(set(values)) == 4
        assert some.targets[row, place] == dict(pairs)[int(some.inputs[row, place])]
        assert place >= TASK.stored + 1
        assert some.targets[row, place] in TASK.answers


def test_a_sequence_reads_as_pairs_in_noise_and_a_question() -> None:
    text = task_corpus(CONFIG, TASK).tokenizer.decode(made(1).inputs[0].tolist()).decode()
    assert len(text) == LENGTH
    assert text.count("(") == text.count(")") == 4
    assert text.count("?") == 1
    assert all(text[at + 3] == ")" for at, one in enumerate(text) if one == "(")


def test_what_is_noise_is_neither_key_nor_value() -> None:
    some = made(50)
    marks = ((some.inputs == OPEN) | (some.inputs == CLOSE)).sum(1)
    noise = (some.inputs >= TASK.first_noise).sum(1)
    assert (marks == 8).all()
    assert (noise >= LENGTH - 4 * 4 - 3).all()
    assert len(TASK.characters) == 3 + 64 + 64 + 96


def test_sequences_are_a_function_of_seed_split_and_index() -> None:
    whole, jumped = made(40), sequences(TASK, "0", "train", range(30, 40))
    assert np.array_equal(whole.inputs[30:], jumped.inputs)
    assert not np.array_equal(made(40, "validation").inputs, whole.inputs)
    assert not np.array_equal(made(40, seed="1").inputs, whole.inputs)
    seen = {one.tobytes() for one in made(500).inputs}
    assert not seen & {one.tobytes() for one in made(500, "validation").inputs}


def test_a_batch_is_its_index_and_scores_its_answers_alone() -> None:
    inputs, targets, weights = TaskBatches(TASK, 4, "0").batch_at(2)
    expected = sequences(TASK, "0", "train", range(8, 12))
    assert np.array_equal(inputs, expected.inputs)
    assert np.array_equal(targets, expected.targets)
    assert np.array_equal(weights, scored_weights(expected.mask))


def test_several_questions_ask_for_different_keys() -> None:
    task = KeyValueRecall(DataConfig(source="kv-recall", kv_queries=4), LENGTH)
    some = sequences(task, "0", "train", range(50))
    assert (some.mask.sum(1) == 4).all()
    for row in range(len(some)):
        asked = some.inputs[row][some.mask[row]].tolist()
        assert sorted(asked) == sorted(key for key, _ in task.pairs_in(some.inputs[row]))


def test_a_context_that_cannot_hold_the_pairs_is_refused_with_one_that_can() -> None:
    with pytest.raises(DataError, match="at least 22"):
        KeyValueRecall(CONFIG, 16)
    KeyValueRecall(CONFIG, 22)


def test_a_text_is_no_task() -> None:
    assert task_of(DataConfig(), LENGTH) is None
    assert set(TASKS) == {"kv-recall"}


def test_floors_of_answers_know_nothing_one_and_two_tokens_before() -> None:
    inputs = np.array([[5, 1, 0], [5, 2, 0], [6, 1, 0], [6, 2, 0]] * 50)
    mask = np.zeros(inputs.shape, bool)
    mask[:, 1] = True
    by_last = Sequences(inputs, np.where(inputs == 1, 7, 8), mask)
    floors = answer_floors(by_last, by_last, 9)
    assert floors.unigram == pytest.approx(np.log(2), abs=0.02)
    assert floors.bigram < 0.1
    parity = Sequences(
        inputs, np.tile((((inputs[:, :1] == 5) == (inputs[:, 1:2] == 1)) + 7).astype(int), 3), mask
    )
    floors = answer_floors(parity, parity, 9)
    assert floors.bigram == pytest.approx(np.log(2), abs=0.05)
    assert floors.trigram < 0.1


def test_a_corpus_of_a_task_has_the_validation_that_runs_are_scored_on() -> None:
    corpus = task_corpus(CONFIG, TASK)
    held = held_sequences(CONFIG, TASK, "validation", 3)
    assert np.array_equal(corpus.val[: 3 * LENGTH], held.inputs.ravel())
    assert corpus.vocab_size == len(TASK.characters)
    other = task_corpus(DataConfig(source="kv-recall", kv_pairs=3), KeyValueRecall(CONFIG, 128))
    assert other.fingerprint != corpus.fingerprint
    corpus.close()
