"""A refused start: what was typed is still there, with the reason and a way on."""

from textual.widgets import Input, Select

from remote.actions import Outcome
from tests.tui.driving import front, picture, press, settle
from tests.tui.fake import FakeActs, FakeSession, cockpit, view


async def test_a_refused_start_comes_back_with_what_was_typed_and_can_wait_in_line() -> None:
    session, acts = FakeSession(), FakeActs()
    acts.answer = lambda verb, run_id: Outcome(False, None, "device_busy", "cpu is held by demo", "Wait")
    app = cockpit(session, acts=acts)
    async with app.run_test(size=(130, 50)) as pilot:
        session.connect(view(device="cuda-0"))
        await settle(pilot, app)
        await press(pilot, app, "s")
        assert "cuda-0 is held by demo-aaaaaa" in picture(app)
        app.screen.query_one("#overrides", Input).value = "steps=20"
        app.screen.query_one("#name", Input).value = "short"
        await press(pilot, app, "enter")
        assert front(app) == "StartForm"
        assert "cpu is held by demo. Wait." in picture(app)
        assert app.screen.query_one("#overrides", Input).value == "steps=20"
        acts.answer = lambda verb, run_id: Outcome(True, None, message="queued")
        app.screen.query_one("#when_busy", Select).value = "queue"
        await settle(pilot, app)
        await press(pilot, app, "enter")
        assert front(app) == "Fleet"
        assert [(one.name, one.queue, one.shared_device) for one in acts.requests] == [
            ("short", False, False),
            ("short", True, False),
        ]
        await press(pilot, app, "A")
        assert "cpu is held by demo. Wait" in picture(app)
