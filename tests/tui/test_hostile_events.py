"""Events as an enemy writes them: nothing steers the terminal, nothing ends the cockpit, and bounds hold."""

import json
from dataclasses import fields, is_dataclass
from typing import Any

import pytest

from remote.protocol.sanitise import steers
from remote.session import run_cache
from remote.session.updates import Bytes, RunChanged, RunsSeen, Update
from tests.tui import forged
from tests.tui.fake import START, WALL, FakeSession, cockpit, view
from trainer.telemetry.events import TYPE_NAMES
from trainer.telemetry.read import EventReader
from tui.commands.runs.summary import brief, brief_words
from tui.store import edge, log_ring
from tui.store.log_ring import LogRing
from tui.store.runs import RunRecord
from tui.store.store import Store
from tui.widgets.lines import line as line_of
from tui.widgets.panel import Panel

KEY = ("local", "demo-aaaaaa")
ROW = '{"type":"metrics","seq":%d,"attempt":1,"t":5.0,"step":%d,"ce":2.5,"R":0.4}\n'


def events(text: str) -> Bytes:
    return Bytes(1, KEY[1], "events", 1, 0, text.encode())


def told(*updates: Update) -> Store:
    store = Store(["local"])
    for update in (RunsSeen((view(),), WALL), *updates):
        store.apply("local", update, START, WALL)
    return store


def texts(value: Any) -> list[str]:
    """Every text in there, however deep."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for pair in value.items() for one in pair for text in texts(one)]
    if isinstance(value, list | tuple | set) or type(value).__name__ == "deque":
        return [text for one in value for text in texts(one)]
    if is_dataclass(value):
        return [text for item in fields(value) for text in texts(getattr(value, item.name))]
    return []


def test_no_text_of_any_event_reaches_a_record_or_an_alert_uncleaned() -> None:
    said = "".join(f"{line}\n" for line in forged.lines())
    raw = EventReader().feed(said.encode())
    assert {type(event) for event in raw} >= set(TYPE_NAMES), "the control: they are events"
    assert all(any(map(steers, texts(event))) for event in raw), "the control: each of them is hostile"
    store = told(*(events(f"{line}\n") for line in said.splitlines()))
    run = store.runs[KEY]
    kept = texts(run) + texts(list(store.alerts))
    assert len([text for text in kept if "checkpoint." in text]) >= 2, kept
    assert [text for text in kept if steers(text)] == []


@pytest.mark.parametrize("kind", TYPE_NAMES)
def test_every_field_that_can_hold_a_text_is_forged(kind: type) -> None:
    """So that a field that is added to an event is tried without a line here."""
    event = forged.forged(TYPE_NAMES[kind], kind, forged.PAYLOADS[0])
    said = json.dumps(event)
    assert all(f"{TYPE_NAMES[kind]}.{name}" in said for name in forged.texts_of(kind))


def test_a_line_with_an_absurd_number_costs_itself_alone() -> None:
    said = "".join(f"{line}\n" for line in forged.absurd())
    reader = EventReader()
    reader.feed(said.encode())
    assert reader.malformed + reader.torn > 100
    store = told(events(said), events(ROW % (1, 61)))
    run = store.runs[KEY]
    assert run.step == 61
    assert len(brief_words(brief("local", run))) < 200
    assert run.eta_s is None or run.eta_s < 1e300


async def test_the_cockpit_lives_through_all_of_it_and_shows_the_other_run() -> None:
    session = FakeSession()
    app = cockpit(session)
    async with app.run_test(size=(200, 50)) as pilot:
        session.connect(view(), view("fine-bbbbbb", name="fine"))
        app.tick()
        app.open_run(KEY)
        for line in (*forged.lines(), *forged.absurd(), (ROW % (10, 62)).strip()):
            session.send(KEY[1], "events", f"{line}\n")
            app.tick()
        await pilot.pause()
        shown = "".join(panel.text for panel in app.screen.query(Panel))
        notes = [note.message for note in app._notifications]
        await pilot.press("1")
        app.tick()
        await pilot.pause()
        assert "fine-bbbbbb" in "".join(app.store.runs[key].run_id for key in app.store.runs)
    assert app.return_code in (None, 0)
    assert "step 62" in shown
    assert [text for text in (shown, *notes) if steers(text)] == []
    assert not any("could not be" in note for note in notes), notes


async def test_what_one_run_does_to_a_panel_is_told_there_and_ends_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object) -> list[object]:
        raise OverflowError("int too large")

    monkeypatch.setattr("tui.screens.run.head", broken)
    session = FakeSession()
    app = cockpit(session)
    async with app.run_test(size=(200, 50)) as pilot:
        session.connect(view())
        app.tick()
        app.open_run(KEY)
        app.tick()
        await pilot.pause()
        app.tick()
        panels = {panel.id: panel.text for panel in app.screen.query(Panel)}
    assert "cannot be shown" in panels["head"]
    assert not [name for name, text in panels.items() if "cannot be shown" in text and name != "head"]
    assert app.return_code in (None, 0)


def test_a_fault_of_the_store_is_told_once_and_the_next_event_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = told()
    monkeypatch.setattr(RunRecord, "_look", lambda *_: next(iter(())))
    bad = '{"type":"eval","seq":1,"attempt":1,"t":5.0,"step":1,"val_ce":1.0}\n'
    store.apply("local", events(bad + bad + ROW % (2, 63)), START, WALL)
    assert store.runs[KEY].step == 63
    assert [alert.text.count("could not be taken") for alert in store.alerts] == [1]


def test_the_second_wall_is_there_for_a_text_that_came_by_another_door() -> None:
    assert line_of(("a\x1b]52;c;x\x07b", "")).plain == "ab"  # type: ignore[arg-type]
    assert line_of(("plain ● text", "")).plain == "plain ● text"  # type: ignore[arg-type]


def test_metrics_runs_and_logs_are_bounded_and_what_is_left_out_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tui.store.runs.NAMES_MAX", 50)
    row = {"type": "metrics", "seq": 1, "attempt": 1, "t": 5.0, "step": 1}
    store = told(events(json.dumps(row | {f"m{n}": 1.0 for n in range(40)}) + "\n"))
    assert not store.alerts, "the control: so many are kept without a word"
    store.apply("local", events(json.dumps(row | {f"n{n}": 1.0 for n in range(40)}) + "\n"), START, WALL)
    assert len(store.runs[KEY].series) == 50
    assert [alert.text for alert in store.alerts if "metrics" in alert.text]

    monkeypatch.setattr("tui.store.store.RUNS_MAX", 5)
    for number in range(9):
        store.apply("local", RunChanged(view(f"more{number}-aaaaaa")), START, WALL)
    assert len(store.runs) == 5
    assert len([alert for alert in store.alerts if "runs" in alert.text]) == 1
    store.apply("local", RunsSeen((view("more9-aaaaaa"),), WALL), START, WALL)
    assert ("local", "more9-aaaaaa") in store.runs, "room is made by those that went"


def test_an_event_with_more_names_than_a_run_may_have_is_cut() -> None:
    names = {f"name{n}": 1.0 for n in range(edge.NAMES_MAX + 500)}
    row = {"type": "eval", "seq": 1, "attempt": 1, "t": 5.0, "step": 1, **names, "x" * 5000: 2.0}
    (event,) = EventReader().feed(json.dumps(row).encode() + b"\n")
    kept = edge.cleaned(event).values  # type: ignore[union-attr]
    assert len(kept) == edge.NAMES_MAX
    assert max(map(len, kept)) <= edge.NAME_MAX


def test_a_log_without_newlines_is_kept_by_its_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_ring, "BYTES_MAX", 1 << 20)
    ring = LogRing()
    for _ in range(40):
        ring.feed(b"x" * (128 << 10))
    assert sum(map(len, ring.lines)) <= 1 << 20
    assert ring.dropped > 0
    few = LogRing()
    few.feed(b"line\n" * 1000)
    assert (len(few.lines), few.dropped) == (1000, 0), "the control: a log of lines loses none"


def test_a_board_keeps_so_many_runs_and_takes_news_of_those(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_cache, "RUNS_MAX", 3)
    kept = run_cache.RunCache()
    kept.put_all([view(f"run{n}-aaaaaa") for n in range(9)])
    assert len(kept.all() or ()) == 3
    assert kept.put(view("run1-aaaaaa", seq=9, state="stopped")) is not None
    assert kept.put(view("run8-aaaaaa", seq=9)) is None


def test_the_fast_way_through_the_edge_takes_what_is_clean_only() -> None:
    clean = EventReader().feed((ROW % (1, 1)).encode())[0]
    assert edge.cleaned(clean) is clean
    foul = EventReader().feed(b'{"type":"metrics","seq":1,"attempt":1,"t":5.0,"step":1,"a\\u001b[2J":1}\n')[0]
    assert not any(map(steers, texts(edge.cleaned(foul))))
