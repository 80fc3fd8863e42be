"""A page that is loaded again goes where it was."""

import os
from pathlib import Path

import pytest

from tests.tui.driving import front, press, settle
from tests.tui.fake import FakeSession, cockpit, view
from tui.remembered.kept_place import PAGE_VARIABLE, CockpitPlace, KeptPlace, page_place


@pytest.fixture
def kept(tmp_path: Path) -> KeptPlace:
    return KeptPlace(tmp_path / "place.json")


@pytest.mark.parametrize(
    ("keys", "screen"),
    [(("2",), "RunScreen"), (("2", "3"), "LogScreen"), (("8",), "Hosts"), (("2", "1"), "Fleet")],
)
async def test_a_cockpit_that_is_opened_again_shows_the_same_screen_and_run(
    kept: KeptPlace, keys: tuple[str, ...], screen: str
) -> None:
    runs = (view("other-aaaaaa"), view("demo-bbbbbb"))
    session = FakeSession()
    app = cockpit(session)
    app.kept_place = kept
    async with app.run_test(size=(120, 30)) as pilot:
        session.connect(*runs)
        await settle(pilot, app)
        app.open_run(("local", "demo-bbbbbb"))
        await press(pilot, app, "1", *keys)
        assert front(app) == screen
    session = FakeSession()
    again = cockpit(session)
    again.kept_place, again.return_to = kept, kept.read()
    async with again.run_test(size=(120, 30)) as pilot:
        await settle(pilot, again)
        session.connect(*runs)
        await settle(pilot, again)
        await settle(pilot, again)
        assert front(again) == screen
        assert again._opened == ("local", "demo-bbbbbb")


async def test_who_was_quicker_is_left_where_he_is(kept: KeptPlace) -> None:
    kept.keep(CockpitPlace("run", "local", "demo-aaaaaa"))
    session = FakeSession()
    app = cockpit(session)
    app.kept_place, app.return_to = kept, kept.read()
    async with app.run_test(size=(120, 30)) as pilot:
        await press(pilot, app, "8")
        session.connect(view("demo-aaaaaa"))
        await settle(pilot, app)
        assert front(app) == "Hosts"
        assert kept.read() == CockpitPlace("hosts", "local", "demo-aaaaaa")


@pytest.mark.parametrize(
    "text", ["", "nonsense", "[]", '{"version": 2, "where": "run"}', "{" * 5000, '{"version": 1, "where": 7}']
)
async def test_what_is_no_place_costs_nothing(tmp_path: Path, text: str) -> None:
    path = tmp_path / "place.json"
    path.write_text(text)
    kept = KeptPlace(path)
    session = FakeSession()
    app = cockpit(session)
    app.kept_place, app.return_to = kept, kept.read()
    async with app.run_test(size=(120, 30)) as pilot:
        session.connect(view())
        await settle(pilot, app)
        assert front(app) == "Fleet"


def test_runs_inherit_nothing_of_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(PAGE_VARIABLE, str(tmp_path / "place.json"))
    assert page_place() is not None
    assert PAGE_VARIABLE not in os.environ
    assert page_place() is None
