"""Probes of recall: questions at exact distances, and scores of models that do and do not remember."""

import random
from typing import Any, cast

import pytest
import torch
from torch import Tensor, nn

from trainer.data.sources.recall import find_recalls
from trainer.evals.recall import CHANCE, probe, recall_curve, wilson
from trainer.models import LanguageModel
from trainer.models.base import without_order
from trainer.models.outputs import Features


class Reader(nn.Module):
    """Answers a question out of the last `reach` bytes, and says 0 where it is not there."""

    def __init__(self, reach: int) -> None:
        super().__init__()
        self.reach = reach
        self.embedding = nn.Embedding(1, 1)

    def features(self, tokens: Tensor) -> Features:
        hidden = torch.zeros(*tokens.shape, 256)
        for row, text in enumerate(bytes(line) for line in tokens.tolist()):
            key = text[-1:].upper()
            at = max(text.rfind(key), text[:-1].rfind(key.lower()))
            near = at >= 0 and len(text) - at - 1 <= self.reach
            hidden[row, -1, text[at + 1] if near else ord("0")] = 1
        return without_order(hidden)

    def head(self, hidden: Tensor) -> Tensor:
        return hidden


def reader(reach: int) -> LanguageModel[Any]:
    return cast("LanguageModel[Any]", Reader(reach))


@pytest.mark.parametrize("bindings", [1, 4, 16])
@pytest.mark.parametrize("distance", [2, 8, 64])
def test_the_question_lies_at_exactly_the_distance(bindings: int, distance: int) -> None:
    rng = random.Random(3)
    for _ in range(20):
        text, answer = probe(rng, bindings, distance)
        found = find_recalls(text + bytes([answer]))
        assert int(found.positions[-1]) == len(text)
        assert int(found.distances[-1]) == distance
        assert len({byte for byte in text.upper() if chr(byte).isalpha()}) <= max(bindings, 2)


def test_no_question_lies_at_half_an_item() -> None:
    with pytest.raises(ValueError, match="distance 7"):
        probe(random.Random(0), 4, 7)


def test_what_remembers_32_bytes_recalls_those_and_guesses_beyond() -> None:
    model = reader(32)
    model.train()
    points = recall_curve(model, bindings=(1, 4), distances=(2, 32, 34), probes=200)
    assert model.training
    for one in points:
        if one.distance <= 32:
            assert one.accuracy == 1.0
        else:
            assert one.low <= CHANCE <= one.high


def test_more_bindings_than_keys_are_not_asked_for() -> None:
    points = recall_curve(reader(8), bindings=(1, 4, 16), distances=(2,), probes=10, pairs=4)
    assert [one.bindings for one in points] == [1, 4]


def test_an_interval_of_a_share_stays_inside_0_and_1() -> None:
    assert wilson(10, 10)[0] == pytest.approx(0.722, abs=1e-3)
    assert wilson(10, 10)[1] == pytest.approx(1.0)
    assert wilson(0, 10)[0] == 0.0
