"""What is typed in one burst is acted on key by key, each by what the one before it led to."""

import time

import pytest
from textual.app import App
from textual.events import Key, Paste
from textual.pilot import Pilot
from textual.widgets import Input

from tests.tui.driving import front, settle
from tests.tui.fake import FakeSession, cockpit
from tests.tui.test_app import live
from tui import key_order
from tui.app import Cockpit
from tui.key_order import OrderedKeys, Passed
from tui.widgets.log.log_view import LogView

SLASH = Key("slash", "/")


def burst(text: str) -> list[Key]:
    return [Key(letter if letter.isalnum() else "colon", letter) for letter in text]


async def send(pilot: Pilot[str], app: Cockpit, *typed: Key | Paste) -> None:
    """All at once, as a terminal gives what was pasted."""
    for one in typed:
        app.post_message(one)
    await settle(pilot, app)
    await settle(pilot, app)


async def test_a_burst_goes_where_its_first_key_leads() -> None:
    session = FakeSession()
    app = cockpit(session)
    async with app.run_test(size=(100, 30)) as pilot:
        await live(pilot, app, session)
        await send(pilot, app, SLASH, *burst("state:xqsx"))
        assert app.screen.query_one("#filter", Input).value == "state:xqsx"
        assert front(app) == "Fleet"
        await send(pilot, app, Key("escape", None), Key("enter", None), Key("slash", "/"), *burst("needle"))
        assert front(app) == "RunScreen"
        assert app.screen.query_one("#search", Input).value == "needle"
        await send(pilot, app, Key("enter", None), Key("slash", "/"), Paste("hay"), *burst("s"))
        assert app.screen.query_one("#search", Input).value.endswith("hays")
        assert not isinstance(app.focused, LogView)


async def test_a_burst_into_a_dialog_is_typed_there() -> None:
    session = FakeSession()
    app = cockpit(session)
    async with app.run_test(size=(100, 30)) as pilot:
        await live(pilot, app, session)
        await send(pilot, app, Key("ctrl+p", None), *burst("quit"))
        (line,) = app.screen.query(Input)
        assert line.value == "quit"


async def test_control_textual_itself_gives_the_burst_to_what_had_the_focus(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(OrderedKeys, "on_event", App.on_event)
    session = FakeSession()
    app = cockpit(session)
    async with app.run_test(size=(100, 30)) as pilot:
        await live(pilot, app, session)
        await send(pilot, app, Key("enter", None), Key("slash", "/"), *burst("needle"))
        assert not any(line.value == "needle" for line in app.screen.query(Input))


@pytest.mark.parametrize("is_stuck", [False, True])
async def test_a_key_that_does_not_come_back_holds_nothing_up(
    is_stuck: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = FakeSession()
    app = cockpit(session)
    async with app.run_test(size=(100, 30)) as pilot:
        await live(pilot, app, session)
        app._on_its_way = (Passed(), app.screen if is_stuck else Input())
        app._handed_out = time.monotonic()
        await send(pilot, app, Key("slash", "/"), *burst("x"))
        assert app.screen.query_one("#filter", Input).value == ""
        if is_stuck:
            monkeypatch.setattr(key_order, "STUCK_S", 0.0)
        await app._look_after()
        await settle(pilot, app)
        assert app.screen.query_one("#filter", Input).value == "x"
