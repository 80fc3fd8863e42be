import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.telemetry.events import (
    Checkpoint,
    Evaluation,
    Hello,
    Metrics,
    Note,
    Phase,
    Resume,
    StepBack,
    Unknown,
)
from trainer.telemetry.flat import flatten
from trainer.telemetry.read import EventReader, decode


def line(**fields: object) -> bytes:
    return json.dumps({"seq": 1, "attempt": 1, "t": 5.0, **fields}).encode() + b"\n"


ROW = line(type="metrics", step=20, ce=2.5, reg=None, nonfinite=["reg"], u_stat="mean")


def test_a_row_keeps_every_number_and_names_what_was_not_finite() -> None:
    event = decode(ROW)
    assert isinstance(event, Metrics)
    assert (event.step, event.u_stat, event.nonfinite) == (20, "mean", ("reg",))
    assert event.values == {"ce": 2.5, "reg": None}


def test_a_decoded_row_equals_one_that_was_built() -> None:
    values = {"ce": 2.5, "reg": None}
    built = Metrics(seq=1, attempt=1, t=5.0, step=20, values=values, nonfinite=("reg",), u_stat="mean")
    assert decode(ROW) == built
    assert decode(ROW.replace(b"2.5", b"2.6")) != built


def test_each_type_becomes_its_own_value() -> None:
    assert isinstance(
        decode(line(type="hello", name="a", preset="p", max_steps=9, device="cpu", pid=3)), Hello
    )
    assert isinstance(decode(line(type="checkpoint", step=1, path="p", sha256="s", kind="best")), Checkpoint)
    assert isinstance(decode(line(type="state", phase="loading")), Phase)
    assert isinstance(decode(line(type="resume", step=400)), Resume)
    scores = decode(line(type="eval", step=100, val_ce=1.5, best=True))
    assert isinstance(scores, Evaluation)
    assert scores.best
    assert scores.values == {"val_ce": 1.5}


def test_a_step_back_is_read_and_a_reader_of_before_has_the_resume_beside_it() -> None:
    told = {"found": 85, "reason": "a spike", "checkpoint": "step-00000080", "times": 2, "most": 10}
    event = decode(line(type="step_back", step=80, **told, left_out=1, rate=0.8, until=110))
    assert isinstance(event, StepBack)
    assert (event.step, event.found, event.rate, event.until) == (80, 85, 0.8, 110)
    assert flatten(event)["type"] == "step_back"
    least = decode(line(type="step_back", step=0, found=3, reason="why"))
    assert isinstance(least, StepBack)
    assert (least.rate, least.until, least.most) == (1.0, 0, 0)
    assert decode(line(type="step_back", step=0, reason="why")) is None, "without the step it is none"
    before = [
        decode(row) for row in (line(type="resume", step=80), line(type="note", level="warning", message="m"))
    ]
    assert [type(one) for one in before] == [Resume, Note], "what a run of before told is read as ever"


def test_texts_and_flags_are_no_metrics() -> None:
    event = decode(line(type="metrics", step=1, ce=1.0, comment="hm", flag=True))
    assert isinstance(event, Metrics)
    assert event.values == {"ce": 1.0}


def test_a_type_of_a_later_version_is_kept_and_counted() -> None:
    reader = EventReader()
    (event,) = reader.feed(line(type="weather", sky="blue"))
    assert isinstance(event, Unknown)
    assert (event.type, event.data, reader.unknown) == ("weather", {"sky": "blue"}, 1)


def test_torn_and_foreign_lines_are_counted_and_skipped() -> None:
    reader = EventReader()
    torn = ROW[:-20] + b"\n"
    events = reader.feed(ROW + torn + b"[1, 2]\n" + line(type="metrics") + b"\n" + ROW)
    assert len(events) == 2
    assert (reader.torn, reader.malformed) == (1, 2)


@pytest.mark.parametrize(
    "wrong", [{"step": "5"}, {"step": True}, {"seq": 1.5}, {"t": "now"}, {"attempt": None}, {"step": [1]}]
)
def test_an_envelope_of_the_wrong_kind_is_malformed(wrong: dict[str, object]) -> None:
    reader = EventReader()
    for kind in ("metrics", "eval", "weather"):
        assert reader.feed(line(**{"type": kind, "step": 5, **wrong})) == []
    assert reader.malformed == 3


def test_whole_lines_are_never_counted_as_torn() -> None:
    reader = EventReader()
    assert len(reader.feed(ROW * 3)) == 3
    assert (reader.torn, reader.malformed, reader.unknown) == (0, 0, 0)


@settings(max_examples=60)
@given(st.lists(st.integers(1, 90), max_size=12))
def test_chunks_cut_anywhere_give_the_same_events(cuts: list[int]) -> None:
    data, reader, events = ROW * 5, EventReader(), []
    for cut in cuts:
        events += reader.feed(data[:cut])
        data = data[cut:]
    events += reader.feed(data)
    assert len(events) == 5
    assert reader.torn == 0


def test_an_unfinished_last_line_waits_and_then_counts() -> None:
    reader = EventReader()
    assert reader.feed(ROW[:30]) == []
    assert reader.finish() == []
    assert reader.torn == 1
    whole = EventReader()
    whole.feed(ROW.rstrip())
    assert len(whole.finish()) == 1


def test_a_stream_that_begins_in_mid_line_drops_only_that_line() -> None:
    reader = EventReader(mid_line=True)
    assert len(reader.feed(ROW[40:] + ROW)) == 1
    assert reader.torn == 0


def test_a_line_without_end_does_not_fill_the_memory() -> None:
    reader = EventReader()
    for _ in range(40):
        reader.feed(b"x" * 65536)
    assert reader.torn == 1
    assert len(reader.feed(b"tail\n" + ROW)) == 1


def test_flat_form_is_what_stands_on_the_line() -> None:
    event = decode(ROW)
    assert event is not None
    assert flatten(event) == json.loads(ROW)


@settings(max_examples=200)
@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    reader = EventReader()
    reader.feed(data)
    reader.finish()
    assert reader.feed(b"\n" + ROW)[-1] == decode(ROW)


@pytest.mark.parametrize("junk", [b'"\x80"', b"[" * 100_000, b"\x00" * 99, b'{"type":"metrics"'])
def test_junk_is_torn_and_its_neighbours_are_read(junk: bytes) -> None:
    reader = EventReader()
    assert len(reader.feed(ROW + junk + b"\n" + ROW)) == 2
    assert reader.torn == 1
    assert decode(junk) is None


def test_nan_is_not_json_and_counts_as_torn() -> None:
    reader = EventReader()
    text = json.dumps({"type": "metrics", "seq": 1, "attempt": 1, "t": 1, "step": 1, "ce": math.nan})
    assert reader.feed(text.encode() + b"\n") == []
    assert reader.torn == 1
