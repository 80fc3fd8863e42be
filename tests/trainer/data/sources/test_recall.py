"""Generated text whose entropy is known."""

import math
from pathlib import Path

import numpy as np
import pytest

from trainer.config.data import DataConfig
from trainer.data import prepare
from trainer.data.progress import Pulse
from trainer.data.sources.recall import DOCUMENT_ITEMS, RECENCY, RecallText, find_recalls

CONFIG = DataConfig(source="recall", recall_bytes=400_000, recall_pairs=20, recall_distance=300)


def documents(config: DataConfig) -> list[str]:
    return [document.text for document in RecallText(config).documents(Pulse())]


def ideal_nats(text: str, config: DataConfig) -> float:
    """Code length of a reader who knows the rules, written from the rules and not from the generator."""
    weights = np.array([rank**-RECENCY for rank in range(1, config.recall_pairs + 1)])
    p_rank = weights / weights.sum()
    last: dict[str, int] = {}
    value_of: dict[str, str] = {}
    nats = 0.0
    for item in range(len(text) // 2):
        key, value = text[2 * item], text[2 * item + 1]
        small = key.lower()
        if item < config.recall_pairs:
            nats += math.log(10)
        else:
            recency = sorted(last, key=lambda name: -last[name])
            if item - last[recency[-1]] >= config.recall_distance // 2:
                assert small == recency[-1]
            else:
                nats -= math.log(p_rank[recency.index(small)])
            nats -= math.log(config.recall_store if key.isupper() else 1 - config.recall_store)
            if key.isupper():
                nats += math.log(10)
            else:
                assert value == value_of[small]
        last[small], value_of[small] = item, value
    return nats


def test_an_ideal_reader_pays_the_stated_entropy_rate() -> None:
    stated = sum(document.nats or 0 for document in RecallText(CONFIG).documents(Pulse()))
    texts = documents(CONFIG)
    paid = sum(ideal_nats(text, CONFIG) for text in texts)
    deviation = 1.5 * math.sqrt(
        len(texts) * DOCUMENT_ITEMS
    )  # an item's code length has a spread under 1.5 nats
    assert paid == pytest.approx(stated, abs=4 * deviation)
    assert abs(paid - 1.05 * stated) > 4 * deviation  # a rate wrong by 5 % would have been seen


def test_recalls_lie_two_to_the_set_distance_back_and_spread_between() -> None:
    recalls = find_recalls("\n\n".join(documents(CONFIG)).encode())
    assert recalls.distances.min() == 2
    assert recalls.distances.max() == 300
    assert all(
        np.count_nonzero((recalls.distances > a) & (recalls.distances <= 2 * a)) > 2000 for a in (4, 16, 64)
    )


def test_a_recalled_value_is_the_one_last_seen() -> None:
    text = "\n\n".join(documents(CONFIG)).encode()
    recalls = find_recalls(text)
    raw = np.frombuffer(text, np.uint8)
    assert np.array_equal(raw[recalls.positions], raw[recalls.positions - recalls.distances])
    assert len(recalls.positions) > 90_000


def test_the_corpus_states_its_rate_and_no_floor_reaches_it(tmp_path: Path) -> None:
    with prepare(CONFIG, cache_dir=tmp_path) as corpus:
        assert corpus.entropy_rate is not None
        assert 1.5 < corpus.entropy_rate < corpus.floors.trigram - 0.3
    with prepare(CONFIG, cache_dir=tmp_path) as again:
        assert again.from_cache
        assert again.entropy_rate == corpus.entropy_rate


def test_another_seed_or_distance_is_another_text() -> None:
    assert documents(CONFIG)[0] == documents(CONFIG)[0]
    for change in ({"recall_seed": 1}, {"recall_distance": 200}, {"recall_store": 0.3}):
        other = DataConfig(**{"source": "recall", "recall_bytes": 400_000, "recall_pairs": 20} | change)  # type: ignore[arg-type]
        assert documents(other)[0] != documents(CONFIG)[0]
        assert RecallText(other).stamp() != RecallText(CONFIG).stamp()
