"""Generated texts whose entropy is known and whose answers their own rules give away."""

import math
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from trainer.config.data import DataConfig
from trainer.data import prepare
from trainer.data.progress import Pulse
from trainer.data.sources.generated import RULES, GeneratedText, scored

SOURCES = tuple(RULES)


def config(source: str, **fields: object) -> DataConfig:
    return DataConfig(**({"source": source, "task_bytes": 80_000} | fields))  # type: ignore[arg-type]


@cache
def texts(one: DataConfig) -> list[str]:
    return [document.text for document in GeneratedText(one).documents(Pulse())]


def answers(text: str, one: DataConfig) -> dict[int, str]:
    """What a reader who knows the rules answers at each scored place: written from the rules alone."""
    found: dict[int, str] = {}
    stack: list[str] = []
    held = ""
    said: dict[str, str] = {}
    for at, byte in enumerate(text):
        before = text[at - 1] if at else ""
        if one.source == "brackets":
            if byte in "([{<":
                stack.append({"(": ")", "[": "]", "{": "}", "<": ">"}[byte])
            else:
                found[at] = stack.pop()
        elif one.source == "flip-flop" and at % 2:
            held = byte if before == "w" else held
            if before == "r":
                found[at] = held
        elif one.source == "interleaved" and at % 2:
            word = "" if byte == "!" else said.get(before, "")
            if len(word) >= one.interleaved_period:
                found[at] = word[-one.interleaved_period]
            said[before] = "" if byte == "!" else word + byte
    return found


def code_length(text: str, one: DataConfig) -> float:
    """Nats that such a reader pays."""
    known = answers(text, one)
    nats, depth, age = 0.0, 0, 0
    began: set[str] = set()
    for at, byte in enumerate(text):
        before = text[at - 1] if at else ""
        if one.source == "brackets":
            free = 0 < depth < one.brackets_depth
            nats += math.log(2) * free + math.log(4) * (byte in "([{<")
            depth += 1 if byte in "([{<" else -1
        elif one.source == "flip-flop":
            if at % 2 == 0:
                write = 1.0 if at == 0 or age >= one.flipflop_gap else 1 / (age + 1)
                share = {"w": write, "r": (1 - write) * 0.3, "i": (1 - write) * 0.7}[byte]
                age = 1 if byte == "w" else age + 1
                nats -= math.log(share)
            else:
                nats += 0 if at in known else math.log(2)
        elif at % 2 == 0:
            nats += math.log(one.interleaved_streams)
        elif byte == "!":
            nats -= math.log(0.02) if before in began else 0.0
            began.add(before)
        else:
            nats -= math.log(0.98)
            nats += 0 if at in known else math.log(10)
    return nats


@pytest.mark.parametrize("source", SOURCES)
def test_a_reader_who_knows_the_rules_pays_the_stated_entropy(source: str) -> None:
    one = config(source)
    stated = sum(document.nats or 0 for document in GeneratedText(one).documents(Pulse()))
    paid = sum(code_length(text, one) for text in texts(one))
    deviation = 1.5 * math.sqrt(sum(map(len, texts(one))))
    assert paid == pytest.approx(stated, abs=4 * deviation)
    assert abs(paid - 1.05 * stated) > deviation


@pytest.mark.parametrize("source", SOURCES)
def test_the_scored_bytes_are_those_that_the_rules_decide(source: str) -> None:
    one = config(source)
    parts = texts(one)[:3]
    marks = scored("\n\n".join(parts).encode(), one)
    assert marks is not None
    expected: dict[int, str] = {}
    for part in parts:
        begin = sum(len(other) + 2 for other in parts[: parts.index(part)])
        expected |= {begin + at: answer for at, answer in answers(part, one).items()}
    whole = "\n\n".join(parts)
    assert marks.positions.tolist() == sorted(expected)
    assert all(whole[at] == answer and ord(answer) in marks.choices for at, answer in expected.items())
    assert (marks.distances > 0).all()
    assert (np.diff(marks.positions) > 0).all()


def test_the_distance_leads_to_where_the_answer_stood() -> None:
    for source, same in (("flip-flop", True), ("interleaved", True), ("brackets", False)):
        one = config(source)
        text = texts(one)[0].encode()
        marks = scored(text, one)
        assert marks is not None
        there = [text[at - far] for at, far in zip(marks.positions, marks.distances, strict=True)]
        here = [text[at] for at in marks.positions]
        pairs = dict(zip(b"([{<", b")]}>", strict=True))
        assert here == (there if same else [pairs[byte] for byte in there])
        assert marks.distances.max() > 60


def test_a_latch_is_asked_for_over_all_scales_and_no_farther_than_the_gap() -> None:
    one = config("flip-flop", flipflop_gap=64)
    marks = scored("\n\n".join(texts(one)).encode(), one)
    assert marks is not None
    assert all(((marks.distances > a) & (marks.distances <= 2 * a)).sum() > 300 for a in (2, 8, 32, 64))
    assert marks.distances.max() <= 2 * 64


@pytest.mark.parametrize("source", SOURCES)
def test_no_count_of_three_bytes_reaches_the_stated_rate(source: str, tmp_path: Path) -> None:
    with prepare(config(source), cache_dir=tmp_path) as corpus:
        assert corpus.entropy_rate is not None
        assert corpus.entropy_rate < corpus.floors.trigram - 0.03


def test_another_seed_or_setting_is_another_text() -> None:
    for source, field, value in (
        ("brackets", "brackets_depth", 5),
        ("interleaved", "interleaved_streams", 2),
        ("interleaved", "interleaved_period", 3),
        ("flip-flop", "flipflop_gap", 20),
        ("flip-flop", "task_seed", 1),
    ):
        one, other = config(source), config(source, **{field: value})
        again = next(GeneratedText(one).documents(Pulse())).text
        assert texts(one)[0] == again != texts(other)[0]
        assert GeneratedText(one).stamp() != GeneratedText(other).stamp()


def test_a_text_with_no_such_rules_scores_nothing() -> None:
    assert scored(b"some prose", DataConfig()) is None
    marks = scored(b"A1B2a1", DataConfig(source="recall"))
    assert marks is not None
    assert marks.positions.tolist() == [5]
    assert marks.distances.tolist() == [4]
