"""First steps: one hint at a time, each gone once it was done; esc ends them for good."""

from pathlib import Path

import pytest

from remote.hosts.client_state import client_folder
from tests.tui.driving import connected, picture, press, settle
from tests.tui.fake import START, cockpit, view
from tui.keys import TABLE
from tui.operator_files import TOUR, first_steps
from tui.store.fleet.tour import HINTS, STEPS, Tour
from tui.store.runs import RunRecord
from tui.store.store import Store


def store_of(runs: int, *, heard: bool = True) -> Store:
    store = Store(["local"])
    store.hosts["local"].runs_seen = heard
    for number in range(runs):
        store.runs["local", f"r{number}"] = RunRecord("local", view(f"r{number}"), START)
    return store


def step(tour: Tour, store: Store) -> str | None:
    hint = tour.next(store)
    return hint.step if hint is not None else None


def test_what_comes_next_is_what_was_not_done_and_can_be() -> None:
    tour = Tour()
    assert step(tour, store_of(0, heard=False)) is None, "nothing is said before a host has told its runs"
    assert step(tour, store_of(0)) == "start"
    assert step(tour, store_of(1)) == "run"
    tour.did("run", "fleet")
    assert step(tour, store_of(1)) == "help"
    tour.did("help", "checkpoints")
    assert step(tour, store_of(1)) == "hosts", "one run is not compared"
    assert step(tour, store_of(2)) == "compare"
    assert tour.end()
    assert step(tour, store_of(2)) is None
    assert not tour.end()


def test_every_hint_names_a_key_of_the_table() -> None:
    shown = {key.shown for key in TABLE}
    assert {hint.key for hint in HINTS} <= shown


def test_what_was_done_is_kept_and_a_damaged_file_asks_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PHOTINUS_HOME", str(tmp_path / "home"))
    first_steps().did("run")
    assert step(first_steps(), store_of(1)) == "help"
    client_folder(TOUR).write_text("{", encoding="utf-8")
    assert step(first_steps(), store_of(1)) is None


async def test_the_fleet_says_it_and_escape_ends_it() -> None:
    (local,) = connected()
    app = cockpit(local)
    kept: list[frozenset[str]] = []
    app.tour = Tour(keep=kept.append)
    async with app.run_test(size=(100, 30)) as pilot:
        local.connect()
        await settle(pilot, app)
        assert "next  s starts a run" in picture(app)
        local.connect(view())
        await settle(pilot, app)
        await press(pilot, app, "question_mark", "escape")
        assert "help" in kept[-1]
        await press(pilot, app, "2", "1")
        assert "next  6 shows what a run has saved" in picture(app)
        await press(pilot, app, "escape")
        assert "next  " not in picture(app)
        assert kept[-1] == STEPS
