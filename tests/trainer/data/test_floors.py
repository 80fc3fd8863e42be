"""N-gram floors against a plain implementation in Python."""

import math
import random
from collections import Counter

import numpy as np
import pytest

from trainer.data import floors
from trainer.data.floors import Tokens, count_floors
from trainer.data.progress import Pulse


def chain(length: int, vocab: int, seed: int) -> Tokens:
    """A second-order chain: each token depends on the two before it."""
    rng = random.Random(seed)
    out = [0, 1]
    while len(out) < length:
        a, b = out[-2:]
        out.append((3 * a + 5 * b + rng.choice((0, 0, 0, 1, 2))) % vocab)
    return np.array(out, np.uint16)


def slow_floors(train: list[int], val: list[int], vocab: int) -> list[float]:
    """Witten-Bell by the book, with dictionaries."""
    grams = [Counter(zip(*(train[i:] for i in range(n)), strict=False)) for n in (1, 2, 3)]

    def p(history: tuple[int, ...], word: int) -> float:
        table = grams[len(history)]
        lower = p(history[1:], word) if history else 1 / vocab
        rows = {gram: count for gram, count in table.items() if gram[:-1] == history}
        total, kinds = sum(rows.values()), len(rows)
        return (rows.get((*history, word), 0) + kinds * lower) / (total + kinds) if total else lower

    losses = []
    for order in range(3):
        terms = [-math.log(p(tuple(val[i - order : i]), val[i])) for i in range(2, len(val))]
        losses.append(sum(terms) / len(terms))
    return losses


@pytest.mark.parametrize(("vocab", "chunk"), [(7, 1 << 19), (7, 50), (40, 64), (32768, 100)])
def test_floors_equal_the_plain_implementation(
    vocab: int, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(floors, "CHUNK", chunk)
    train, val = chain(900, vocab, 1), chain(150, vocab, 2)
    found = count_floors(train, val, vocab, Pulse())
    wanted = slow_floors(train.tolist(), val.tolist(), vocab)
    assert [found.unigram, found.bigram, found.trigram] == pytest.approx(wanted, abs=1e-9)


def test_the_in_sample_entropy_is_of_train_alone() -> None:
    train = chain(5000, 7, 1)
    pairs = Counter(zip(train[:-1].tolist(), train[1:].tolist(), strict=True))
    firsts = Counter(train[:-1].tolist())
    entropy = -sum(count * math.log(count / firsts[pair[0]]) for pair, count in pairs.items()) / (
        len(train) - 1
    )
    one, other = (count_floors(train, val, 7, Pulse()) for val in (chain(500, 7, 2), train[:100][::-1]))
    assert one.bigram_in_sample == pytest.approx(entropy, abs=1e-9) == other.bigram_in_sample
    assert one.trigram != other.trigram


def test_validation_is_scored_never_counted() -> None:
    train = np.zeros(1000, np.uint16)
    novel = np.arange(100, dtype=np.uint16) % 50 + 100
    honest = count_floors(train, novel, 256, Pulse())
    leaking = count_floors(np.concatenate((train, novel)), novel, 256, Pulse())
    assert honest.trigram > math.log(256)  # worse than knowing nothing: it had seen nothing like it
    assert leaking.trigram < honest.trigram - 1


def test_a_second_order_chain_is_seen_only_by_the_trigram() -> None:
    found = count_floors(chain(60_000, 7, 1), chain(6_000, 7, 2), 7, Pulse())
    true_rate = -(0.6 * math.log(0.6) + 2 * 0.2 * math.log(0.2))
    assert found.trigram == pytest.approx(true_rate, abs=0.02)
    assert found.bigram > found.trigram + 0.2


@pytest.mark.parametrize("length", [1, 2, 3])
def test_the_shortest_validation_has_finite_floors(length: int) -> None:
    found = count_floors(chain(50, 7, 1), chain(3, 7, 2)[:length], 7, Pulse())
    assert all(math.isfinite(value) for value in (found.unigram, found.bigram, found.trigram))
