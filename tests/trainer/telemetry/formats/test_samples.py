"""Every format reads its own log, and nothing out of any other's."""

from collections.abc import Callable
from math import isclose

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trainer.telemetry.formats.samples import SAMPLES, Found, Sample
from tests.trainer.telemetry.formats.samples_blocks import BLOCKS
from tests.trainer.telemetry.formats.samples_further import FURTHER
from tests.trainer.telemetry.formats.samples_further_tables import FURTHER_TABLES
from tests.trainer.telemetry.formats.samples_more import MORE_SAMPLES
from tests.trainer.telemetry.formats.samples_variants import VARIANTS
from trainer.telemetry.events import Evaluation, Event, Metrics, Resume
from trainer.telemetry.formats.format import Format
from trainer.telemetry.formats.registry import FORMATS
from trainer.telemetry.recognise import FileRecogniser
from trainer.telemetry.recogniser import LogRecogniser

ALL = [*SAMPLES, *MORE_SAMPLES, *BLOCKS]
Row = Metrics | Evaluation


def rows(events: list[Event]) -> list[Row]:
    return [event for event in events if isinstance(event, Row)]


def holds(event: Row, wanted: Found) -> bool:
    kind, step, values = wanted
    if (kind == "eval") != isinstance(event, Evaluation) or event.step != step:
        return False
    for name, value in values.items():
        told = event.values.get(name, "absent")
        if value is None and told is not None:
            return False
        if value is not None and not (isinstance(told, float | int) and isclose(told, value, rel_tol=1e-9)):
            return False
    return True


@pytest.mark.parametrize(
    "sample", [*ALL, *FURTHER, *FURTHER_TABLES, *VARIANTS], ids=lambda sample: sample.name
)
def test_a_format_reads_its_own_log_and_nothing_beside(sample: Sample) -> None:
    file = FileRecogniser()
    found = file.feed(sample.text.encode())
    found += file.finish()
    assert file.name == sample.name
    told = rows(found)
    assert [(type(event).__name__, event.step) for event in told] == [
        ("Evaluation" if kind == "eval" else "Metrics", step) for kind, step, _ in sample.rows
    ]
    assert [event for event, wanted in zip(told, sample.rows, strict=True) if not holds(event, wanted)] == []
    assert tuple(event.attempt for event in told) == (sample.attempts or (1,) * len(told))
    assert len([event for event in found if isinstance(event, Resume)]) == max(sample.attempts or (1,)) - 1


@pytest.mark.parametrize("sample", ALL, ids=lambda sample: sample.name)
def test_a_log_cut_anywhere_tells_the_same(sample: Sample) -> None:
    data = sample.text.encode()
    whole = FileRecogniser()
    wanted = whole.feed(data) + whole.finish()
    for size in (1, 13):
        file = FileRecogniser()
        found = [
            event for place in range(0, len(data), size) for event in file.feed(data[place : place + size])
        ]
        assert found + file.finish() == wanted


@pytest.mark.parametrize("make", FORMATS, ids=lambda make: make.name)
def test_a_format_finds_nothing_in_the_logs_of_others(make: Callable[[], Format]) -> None:
    """Its own log is the control: the same reader alone does find that."""
    name = make().name
    for sample in [*ALL, *FURTHER, *FURTHER_TABLES, *VARIANTS]:
        if sample.name in ("trainer_state.json", "JSON history"):
            continue  # documents, and no lines
        log = LogRecogniser(formats=[make])
        found = rows(log.feed(sample.text.encode()) + log.finish())
        assert bool(found) == (sample.name == name), (sample.name, found)


@settings(max_examples=60)
@given(st.data())
def test_a_torn_or_damaged_log_breaks_nothing(data: st.DataObject) -> None:
    """What is left of it is still read by its own format, or by none."""
    sample = data.draw(st.sampled_from(ALL))
    raw = bytearray(sample.text.encode())
    for _ in range(data.draw(st.integers(0, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(raw[: data.draw(st.integers(0, len(raw)))])
    file = FileRecogniser()
    for event in file.feed(cut) + file.finish():
        assert event.step is None or 0 <= event.step <= 1 << 53
