"""Rows that are known by their looks are told as if each had been read; bytes find what words would find."""

import re
from collections.abc import Iterator, Sequence
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trainer.telemetry.formats.samples import Sample
from tests.trainer.telemetry.formats.samples_further import FURTHER
from tests.trainer.telemetry.formats.samples_further_tables import FURTHER_TABLES
from tests.trainer.telemetry.formats.samples_variants import VARIANTS
from tests.trainer.telemetry.formats.test_samples import ALL
from trainer.telemetry import recogniser
from trainer.telemetry.events import Event, Metrics
from trainer.telemetry.formats import candidates, row_shapes
from trainer.telemetry.formats.candidates import Hits, RareParts
from trainer.telemetry.formats.format import Format
from trainer.telemetry.formats.frameworks.hf_trainer import HfTrainer
from trainer.telemetry.formats.line import Line
from trainer.telemetry.formats.registry import FORMATS
from trainer.telemetry.formats.row import Finding, Plain, Row
from trainer.telemetry.formats.row_shapes import RowShapes
from trainer.telemetry.formats.scripts.nanogpt import NanoGpt
from trainer.telemetry.recogniser import LogRecogniser

SHAPED = [one for one in FORMATS if isinstance(one, type) and issubclass(one, Format) and one.has_shapes]
STRANGE = ("0", "00", "007", "-1", "-100.00", "1e-05", "2.5E+03", "1,024", "nan", "inf", "", "3.", "9" * 20)
NUMBER = re.compile(r"\d+(?:\.\d+)?")
CHATTER = "worker {}: fetched a shard of the queue, waited 0.{:03d} s for the node\n"


@pytest.fixture(autouse=True)
def alone_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A format that is known is alone from its next block on."""
    monkeypatch.setattr(recogniser, "QUIET", 1)


def events(data: bytes, size: int = 997) -> list[Event]:
    log = LogRecogniser()
    found = [event for at in range(0, len(data), size) for event in log.feed(data[at : at + size])]
    return found + log.finish()


def read_each(data: bytes, size: int = 997) -> list[Event]:
    """The same log with every row read, and whole needles looked for."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(row_shapes, "ATTEMPTS", 0)
        patch.setattr(candidates, "MISSES", -1)
        patch.setattr(HfTrainer, "_remember", lambda *_: None)
        return events(data, size)


def changed(line: str, rng: Random) -> str:
    """A line with other numbers, now and then with one that is none, or of another kind."""
    return NUMBER.sub(lambda found: _other(found.group(), rng), line)


def _other(text: str, rng: Random) -> str:
    if rng.random() < 0.03:
        return rng.choice(STRANGE)
    if rng.random() < 0.5:
        return text
    return re.sub(r"\d", lambda _: str(rng.randint(0, 9)), text)


def told(found: list[Event]) -> list[str]:
    return [repr(event) for event in found]  # NaN equals nothing


@pytest.mark.parametrize("sample", [*ALL, *FURTHER, *FURTHER_TABLES, *VARIANTS], ids=lambda one: one.name)
def test_a_log_with_changed_numbers_is_told_as_if_each_line_were_read(sample: Sample) -> None:
    rng = Random(sample.text)
    lines = sample.text.splitlines(keepends=True)[-40:]
    more = [CHATTER.format(at, at) if at % 5 else changed(rng.choice(lines), rng) for at in range(400)]
    data = (sample.text + "".join(more)).encode()
    assert told(events(data)) == told(read_each(data))


@pytest.mark.parametrize("kind", SHAPED, ids=lambda kind: kind.name)
def test_most_rows_of_a_log_are_not_read(kind: type[Format], monkeypatch: pytest.MonkeyPatch) -> None:
    (row,) = kind().take(Line(kind.example))
    assert isinstance(row, Row)
    lines = [kind.example.replace(str(row.step), str(row.step + at), 1) for at in range(300)]
    read = list[str]()
    take = kind.take

    def taken(one: Format, line: Line) -> Sequence[Finding]:
        read.append(line.text)
        return take(one, line)

    monkeypatch.setattr(kind, "take", taken)
    found = events("".join(f"{line}\n" for line in lines).encode())
    assert [event.step for event in found if isinstance(event, Metrics)] == list(
        range(row.step, row.step + 300)
    )
    assert len(set(read) & set(lines)) < 60, "those of the first blocks, and of each new width"


def test_what_is_not_as_simple_is_read() -> None:
    def found(*lines: str) -> list[Metrics]:
        data = "".join(f"{line}\n" for line in lines).encode()
        assert told(events(data, 64)) == told(read_each(data, 64))
        return [event for event in events(data, 64) if isinstance(event, Metrics)]

    row = "iter {}: loss 2.5, time 36.69ms, mfu {}%"
    mfu = found(*(row.format(at, "1.26") for at in range(9)), row.format(9, "-100.00"))
    assert mfu[-1].values["mfu"] is None, "a number that is none was told as one"
    step = "Step {}/{} | Loss: 2.31 | LR: 0.0003"
    totals = found(*(step.format(at, 50) for at in range(9)), step.format(9, 60), step.format(10, 50))
    assert [event.step for event in totals] == [*range(11)]
    record = '{{"step": {}, "loss": 2.5}}'
    strange = found(*(record.format(at) for at in range(9)), record.format("010"), record.format(11))
    assert [event.step for event in strange] == [*range(9), 11], "010 is no number of JSON"
    gathered = found(*(f"step={at} loss=2.5" for at in range(9)), "METRIC acc=0.5", "step=9 loss=2.5")
    assert [event.step for event in gathered] == [*range(9), 9, 9], "METRIC lines belong to the next row"


class Doubling(NanoGpt):
    """The control: no number of its rows is the one that stands in the line."""

    def take(self, line: Line) -> Sequence[Finding]:
        rows = [row for row in super().take(line) if isinstance(row, Row)]
        return [
            row._replace(values={name: 2 * (told or 0) for name, told in row.values.items()}) for row in rows
        ]


@pytest.mark.parametrize(("kind", "is_known"), [(NanoGpt, True), (Doubling, False)])
def test_a_shape_that_fails_a_trial_is_none(kind: type[NanoGpt], is_known: bool) -> None:
    reader, rows = kind(), list[Plain]()
    shapes, line = RowShapes(reader), Line(NanoGpt.example)
    shapes.learn(line, reader.take(line))
    end = shapes.take_rows(f"{NanoGpt.example}\n".encode(), 0, 0, rows)
    assert (bool(rows), end > 0) == (is_known, is_known)


def test_an_epoch_without_end_tells_no_step() -> None:
    """It came out of a changed number, and ended the reader."""
    row = "{{'loss': 2.5, 'epoch': {}}}\n"
    found = events("".join(row.format(epoch) for epoch in (0.1, 0.2, "1e999", "nan", 0.3)).encode())
    assert len([event for event in found if isinstance(event, Metrics)]) == 5


NEEDLES = st.lists(st.text("abc=", min_size=1, max_size=5), min_size=1, max_size=6)
LINES = st.lists(st.text("abcdx= ", max_size=12), max_size=60)


@given(NEEDLES, LINES, LINES)
@settings(max_examples=300, deadline=None)
def test_rare_parts_find_every_line_that_a_needle_finds(
    needles: list[str], first: list[str], then: list[str]
) -> None:
    rare = RareParts(needle.encode() for needle in needles)
    for lines in (first, then):
        block = "".join(f"{line}\n" for line in lines).encode()
        rare.look(block)
        assert list(walked(block, rare)) == [
            line for line in lines if any(needle in line for needle in needles)
        ]


def walked(block: bytes, rare: RareParts) -> Iterator[str]:
    hits = Hits(block, rare.parts)
    while (start := hits.next()) >= 0:
        hits.place = block.index(b"\n", start) + 1
        line = block[start : hits.place - 1]
        if rare.holds(line):
            yield line.decode()
        else:
            rare.miss(line)
            hits.look_for(rare.parts)
