"""What `x` and `K` ask on each host, and read-only."""

import pytest

from tests.tui.driving import front, picture, press, settle, toasts
from tests.tui.fake import FakeActs, FakeSession, cockpit, view
from tui.keys import TABLE
from tui.screens.base import CockpitScreen


@pytest.mark.parametrize(("key", "verb"), [("x", "stop"), ("K", "kill")])
async def test_each_host_says_what_its_keys_ask(key: str, verb: str) -> None:
    quick, careful = FakeSession("quick", confirm="none"), FakeSession("careful", confirm="name")
    acts = FakeActs()
    app = cockpit(quick, careful, acts=acts)
    async with app.run_test(size=(100, 30)) as pilot:
        quick.connect(view("one-aaaaaa", name="one"))
        careful.connect(view("two-bbbbbb", name="two"))
        await settle(pilot, app)
        await press(pilot, app, key)
        assert acts.done == [(verb, "quick", "one-aaaaaa")]  # `none`: one press
        acts.done.clear()
        await press(pilot, app, "down", "down", key)
        assert front(app) == "Confirm"
        await press(pilot, app, key, "enter")
        assert (front(app), acts.done) == ("Confirm", [])  # the key is only a letter here
        await press(pilot, app, "backspace", *"tw", "enter")
        assert (front(app), acts.done) == ("Confirm", [])
        assert any("not its name" in toast for toast in toasts(app))
        await press(pilot, app, "o", "enter")
        assert (front(app), acts.done) == ("Fleet", [(verb, "careful", "two-bbbbbb")])


async def test_read_only_is_shown_and_stops_every_acting_key() -> None:
    session, acts = FakeSession(), FakeActs()
    session.read_only = True  # photinus --read-only
    app = cockpit(session, acts=acts)
    async with app.run_test(size=(100, 30)) as pilot:
        session.connect(view(), view("over-bbbbbb", state="stopped", resumable=True, why_not=""))
        await settle(pilot, app)
        assert "read-only" in picture(app).splitlines()[0]
        for key in (key for key in TABLE if key.acts and "fleet" in key.where):
            before = len(toasts(app))
            await press(pilot, app, key.keys)
            assert (front(app), acts.done) == ("Fleet", []), key.shown
            assert len(toasts(app)) == before + 1
            screen = app.screen
            assert isinstance(screen, CockpitScreen)
            assert "ctrl+r" in screen.why_not(key.action)
        await press(pilot, app, "ctrl+r")
        assert not session.read_only
        assert "read-only" not in picture(app).splitlines()[0]
        await press(pilot, app, "x", "x")
        assert acts.done == [("stop", "local", "demo-aaaaaa")]
        await press(pilot, app, "ctrl+r")
        assert session.read_only
