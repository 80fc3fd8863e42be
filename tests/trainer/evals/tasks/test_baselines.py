"""Baselines of tasks: low on kv-recall, and each finds the careless task that it is there to find."""

from collections.abc import Callable

import numpy as np
import pytest

from trainer.config.data import DataConfig
from trainer.data.tasks.kv_recall import KeyValueRecall
from trainer.data.tasks.task import Ids, Mask, Sequences, sequences
from trainer.evals.tasks.baselines import baselines
from trainer.evals.tasks.share import Share

CHARACTERS = "abcdefghij"
YES, NO = 8, 9


class CarelessTask:
    """Six random letters; the answer, asked at the last one, is whatever `truth` makes of them."""

    name, length, characters, rule, key = "careless", 6, CHARACTERS, "the first letter is a", "careless"
    answers = np.array([YES, NO])

    def __init__(self, truth: Callable[[Ids], bool]) -> None:
        self._truth = truth

    def draw(self, rng: np.random.Generator) -> tuple[Ids, Ids, Mask]:
        text = rng.integers(0, 8, self.length)
        mask = np.arange(self.length) == self.length - 1
        return text, np.full(self.length, YES if self._truth(text) else NO), mask

    def by_rule(self, prefix: Ids) -> int:
        return YES if prefix[0] == 0 else NO


def scored(truth: Callable[[Ids], bool]) -> dict[str, Share]:
    task = CarelessTask(truth)
    sides: list[Sequences] = [sequences(task, "0", split, range(600)) for split in ("train", "validation")]
    return {one.name.partition(":")[0]: one for one in baselines(task, *sides)}


@pytest.mark.parametrize(
    ("truth", "finder"),
    [
        (lambda text: bool((text == 3).any()), "best stump"),
        (lambda text: (text < 4).sum() > 3, "bag of tokens"),
        (lambda text: bool(text[-2] < 4), "last 4 tokens"),
        (lambda text: bool(text[0] == 0), "rule"),
    ],
    ids=["a token", "a count", "a place near the end", "the rule"],
)
def test_a_careless_task_is_found_by_its_baseline(truth: Callable[[Ids], bool], finder: str) -> None:
    found = scored(truth)
    assert found[finder].value > 0.97
    assert found["majority"].value < 0.95
    assert found[finder].n == 600
    assert found[finder].low < found[finder].value
    assert found[finder].high == pytest.approx(1)


def test_no_baseline_does_what_needs_two_tokens_together() -> None:
    found = scored(lambda text: bool((text[0] < 4) == (text[1] < 4)))
    assert all(one.value < 0.6 for one in found.values())


def test_kv_recall_leaves_baselines_below_60_percent_of_the_way() -> None:
    task = KeyValueRecall(DataConfig(source="kv-recall"), 64)
    found = baselines(task, *(sequences(task, "0", split, range(400)) for split in ("train", "validation")))
    chance = 1 / 64
    assert [one.name for one in found][:2] == ["majority", "best stump"]
    assert max((one.value - chance) / (1 - chance) for one in found) < 0.6
    assert found[-1].value == pytest.approx(0.25, abs=0.08)
