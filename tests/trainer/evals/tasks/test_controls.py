"""A small memory learns a small kv-recall; without its means, or with another key, the answer is gone."""

from collections.abc import Iterator

import numpy as np
import pytest

from tests.trainer.evals.trained import state_root
from tests.trainer.loop.tiny import signals_restored
from trainer import cli
from trainer.config.data import DataConfig
from trainer.data.tasks.kv_recall import KeyValueRecall
from trainer.data.tasks.task_corpus import held_sequences
from trainer.evals.subject import Subject, load_subject
from trainer.evals.tasks import task_evaluation
from trainer.evals.tasks.task_evaluation import TaskEvaluation, accuracy, evaluate_task

SMALL = (
    "model.dim=32", "model.oscillators=32", "model.slots=32", "context=40", "batch=16", "steps=250",
    "data.kv_pairs=3", "data.kv_keys=16", "data.kv_values=16", "data.kv_noise=16", "eval.every=0",
    "eval.tokens=640",     "optim.amp=off", "threads=1", "device=cpu", "checkpoint.every=0", "log.every=50",
)  # fmt: skip


@pytest.fixture(scope="module")
def subject(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Subject]:
    folder = tmp_path_factory.mktemp("memory")
    sets = [word for one in SMALL for word in ("--set", one)]
    with state_root(folder / "home"), signals_restored():
        assert cli.main(["run", "--preset", "memory-tiny", "--out", str(folder / "run"), *sets]) == 0
        yield load_subject(str(folder / "run"), device="cpu")


@pytest.fixture(scope="module")
def found(subject: Subject) -> TaskEvaluation:
    fitted, task_evaluation.FITTED = task_evaluation.FITTED, 200
    try:
        return evaluate_task(subject, 400)
    finally:
        task_evaluation.FITTED = fitted


def test_a_memory_recalls_and_each_control_takes_the_answer_away(found: TaskEvaluation) -> None:
    left = {one.name: one.value for one in found.controls}
    assert found.accuracy.value > 0.9
    assert found.untrained.value <= 0.25
    assert found.accuracy.value > found.best_baseline.value + 0.3
    assert left["nothing is written"] < 0.15
    assert left["memory is cut"] < 0.15
    assert left["the key of another pair: the old value"] < 0.1
    assert left["the key of another pair: its own value"] > 0.9
    assert left["a key that is not stored: the old value"] < 1 / 3 + 0.1


def test_controls_leave_the_model_as_it_was(subject: Subject, found: TaskEvaluation) -> None:
    config = subject.config
    held = held_sequences(config.data, KeyValueRecall(config.data, config.context), "validation", 400)
    assert accuracy("again", subject.model, subject.device, held).value == found.accuracy.value


def test_another_key_is_asked_for_in_the_last_question_alone() -> None:
    config = DataConfig(source="kv-recall", kv_queries=2)
    task = KeyValueRecall(config, 64)
    held = held_sequences(config, task, "validation", 30)
    asked, own = task.with_other_key(held, stored=True)
    changed = asked.inputs != held.inputs
    assert (changed.sum(1) == 1).all()
    assert np.array_equal(changed, asked.mask)
    assert (own != asked.targets[asked.mask]).all()
    for row, value in enumerate(own):
        assert dict(task.pairs_in(held.inputs[row]))[int(asked.inputs[row][asked.mask[row]][0])] == value
    strange, none = task.with_other_key(held, stored=False)
    assert (none == -1).all()
    for row in range(len(held)):
        stored = {key for key, _ in task.pairs_in(held.inputs[row])}
        assert int(strange.inputs[row][strange.mask[row]][0]) not in stored
