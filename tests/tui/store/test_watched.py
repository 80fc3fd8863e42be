"""Watched runs in the store: metrics files, documents that are written anew, what is worth following."""

import json
import struct
from dataclasses import replace

from remote.session.updates import Bytes, RunsSeen, Update
from tests.tui.fake import START, WALL, view
from trainer.telemetry.formats.event_files.crc32c import masked_crc
from tui.store.facts import state_fact
from tui.store.store import Store
from tui.store.wanted import GLIMPSE, GLIMPSES, WATCHED_MAX, WHOLE, wanted

KEY = ("local", "hf/out")
WATCHED = view(
    "hf/out", kind="watched", state="writing", preset="watched files", max_steps=0, last_checkpoint=None
)


def tell(store: Store, *updates: Update) -> None:
    for update in updates:
        store.apply("local", update, START, WALL)


def stored(*runs: object) -> Store:
    made = Store(["local"])
    tell(made, RunsSeen(tuple(runs) or (WATCHED,), WALL))  # type: ignore[arg-type]
    return made


def piece(data: bytes | str, gen: int = 1, offset: int = 0) -> Bytes:
    raw = data.encode() if isinstance(data, str) else data
    return Bytes(1, "hf/out", "events", gen, offset, raw, "x", WALL)


def state(*steps: int, total: int = 100) -> str:
    rows = [{"step": step, "loss": 5.0 - step / 10, "epoch": 0.1} for step in steps]
    return json.dumps({"log_history": rows, "max_steps": total}, indent=1)


def steps(store: Store, name: str = "loss") -> list[int]:
    series = store.runs[KEY].series[name]
    return [int(step) for step in series.steps]


def record(data: bytes) -> bytes:
    head = struct.pack("<Q", len(data))
    return head + struct.pack("<I", masked_crc(head)) + data + struct.pack("<I", masked_crc(data))


def scalar(step: int, value: float, tag: bytes = b"loss") -> bytes:
    one = b"\x0a" + bytes([len(tag)]) + tag + b"\x15" + struct.pack("<f", value)
    summary = b"\x0a" + bytes([len(one)]) + one
    return record(
        b"\x09"
        + struct.pack("<d", WALL + step)
        + b"\x10"
        + bytes([step])
        + b"\x2a"
        + bytes([len(summary)])
        + summary
    )


def test_a_document_tells_its_rows_once_it_is_whole_and_is_read_anew_when_it_is_replaced() -> None:
    store = stored()
    text = state(10, 20)
    tell(store, piece(text[:50]))
    assert "loss" not in store.runs[KEY].series
    tell(store, piece(text[50:], offset=50))
    run = store.runs[KEY]
    assert (steps(store), run.step, run.max_steps, run.log_format) == (
        [10, 20],
        20,
        100,
        "trainer_state.json",
    )
    tell(store, piece(state(10, 15, 30), gen=2))
    assert (steps(store), run.step) == ([10, 15, 30], 30)


def test_event_files_follow_one_another_and_a_restart_takes_the_place_of_what_it_repeats() -> None:
    store = stored()
    tell(store, piece(scalar(1, 3.0) + scalar(2, 2.0) + scalar(3, 1.0)))
    assert steps(store) == [1, 2, 3]  # the last one too, though nothing came behind it
    tell(store, piece(scalar(3, 9.0) + scalar(4, 0.5), gen=1 << 24))
    assert steps(store) == [1, 2, 3, 4]
    assert store.runs[KEY].row["loss"] == 0.5
    assert store.runs[KEY].log_format == "TensorBoard"


def test_a_table_that_is_written_anew_is_told_once() -> None:
    store = stored()
    tell(store, piece("step,loss\n1,3.0\n2,2.0\n3,1.0\n"))
    tell(store, piece("step,loss\n1,3.0\n2,2.0\n3,1.0\n4,0.5\n", gen=2))
    assert steps(store) == [1, 2, 3, 4]


def test_our_own_events_beside_a_log_are_read_as_what_they_are() -> None:
    store = stored(replace(WATCHED, kind="trainer"))
    tell(store, piece('{"type":"metrics","seq":1,"attempt":1,"t":1.0,"step":5,"ce":2.0}\n'))
    assert store.runs[KEY].row == {"ce": 2.0}


def test_a_file_of_our_own_events_under_any_name_is_read_as_such_and_a_log_beside_it_as_a_log() -> None:
    store = stored(replace(WATCHED, kind="command"))
    line = '{"type":"metrics","seq":1,"attempt":1,"step":5,"ce":2.0}\n'
    tell(
        store,
        replace(piece(line), what="log"),
        replace(piece(line.replace("5", "6"), offset=len(line)), what="log"),
    )
    run = store.runs[KEY]
    assert (run.row, run.step, run.log_format, len(run.log)) == ({"ce": 2.0}, 6, "events", 2)
    other = stored(replace(WATCHED, kind="command"))
    tell(other, replace(piece('{"step":5,"ce":2.0}\n{"step":6,"ce":1.0}\n'), what="log"))
    assert (other.runs[KEY].step, other.runs[KEY].log_format) == (6, "JSON lines")


def test_what_is_written_is_read_whole_what_is_silent_to_its_end_and_what_is_promised_not_at_all() -> None:
    many = [replace(WATCHED, run_id=f"a/{n}", kind="command") for n in range(WATCHED_MAX + 5)]
    silent = [replace(WATCHED, run_id=f"b/{n}", kind="command", state="silent") for n in range(GLIMPSES + 5)]
    promised = replace(WATCHED, run_id="c/late", state="awaited")
    store = stored(*many, *silent, promised, view())
    want = wanted(store, None)
    assert list(want.values()).count(WHOLE) == WATCHED_MAX + 1  # and the run of the host
    assert list(want.values()).count(GLIMPSE) == GLIMPSES
    assert not any(run_id == "c/late" for _, run_id, _ in want)
    assert wanted(store, ("local", "b/16"))["local", "b/16", "log"] == WHOLE


def test_each_state_has_a_glyph_and_none_of_them_is_an_ending() -> None:
    store = stored()
    host = store.hosts["local"]
    run = store.runs[KEY]
    tell_states = ("awaited", "writing", "silent", "gone")
    host.link = replace(host.link, phase="connected")
    seen = []
    for seq, name in enumerate(tell_states, 10):
        run.see(replace(WATCHED, state=name, seq=seq), START)
        seen.append(state_fact(run, host))
        assert not run.view.is_terminal
        assert not run.view.has_failed
    assert [fact.word for fact in seen] == list(tell_states)
    assert len({fact.glyph for fact in seen} - {"?"}) == 4
    assert store.alerts == type(store.alerts)(maxlen=200)
