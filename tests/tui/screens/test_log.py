"""Screen 3 in the real application: filtering, wrapping, marks, the clipboard, and the way back."""

import base64

import pytest

from tests.tui.driving import front, picture, press, settle, toasts
from tests.tui.fake import Clock, FakeActs, FakeSession, cockpit, view
from tui.widgets.log import log_content
from tui.widgets.log.log_view import LogView

RUN = view().run_id
LONG = "x" * 150 + "the end of it"


async def test_the_log_alone_on_the_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_content, "SLICE_S", 60.0)
    monkeypatch.setenv("TMUX", "/tmp/tmux-0/default")
    session = FakeSession()
    app = cockpit(session)
    sent: list[str] = []
    app.to_terminal = sent.append  # type: ignore[method-assign, assignment]
    async with app.run_test(size=(80, 24)) as pilot:
        session.connect(view())
        await settle(pilot, app)
        await press(pilot, app, "3")
        assert front(app) == "LogScreen"
        text = "".join(f"line {n}{' Error' * (n % 40 == 7)}\n" for n in range(200)) + LONG + "\n"
        session.send(RUN, "log", text)
        await settle(pilot, app)
        shown = picture(app)
        assert "demo" in shown
        assert "201 lines   following" in shown
        assert "›" in shown
        assert "the end of it" not in shown
        await press(pilot, app, *["right"] * 5)
        assert "the end of it" in picture(app)
        await press(pilot, app, "w")
        assert "the end\nof it" in picture(app)
        assert "line 190" in picture(app)
        await press(pilot, app, "F")
        await pilot.press(*"!line", "enter")
        await settle(pilot, app)
        assert "1 of 201 lines  |!line" in picture(app)
        await press(pilot, app, "escape", "L", "L")
        assert front(app) == "LogScreen"
        assert "5 of 201 lines  errors" in picture(app)
        await press(pilot, app, "B", "c")
        assert "1 line sent to the terminal" in toasts(app)[-1]
        assert "allow-passthrough" in toasts(app)[-1]
        assert base64.b64encode(b"line 7 Error").decode() in sent[-1]
        await press(pilot, app, "L", "apostrophe")
        assert "◆ line 7 Error" in picture(app)
        await press(pilot, app, "slash")
        await pilot.press(*"[bad", "enter")
        await settle(pilot, app)
        assert any("is no regular expression" in one for one in toasts(app))
        assert app.screen.query_one(LogView).searched is not None
        await press(pilot, app, "escape", "escape")
        assert front(app) == "Fleet"


async def test_filter_level_and_wrap_are_remembered_for_runs_of_that_kind() -> None:
    other, foreign = view("other-bbbbbb"), view("third-cccccc", preset="another")

    async def shown(*keys: str, run: str = RUN) -> str:
        session = FakeSession()
        app = cockpit(session)
        async with app.run_test(size=(80, 24)) as pilot:
            session.connect(view(), other, foreign)
            await settle(pilot, app)
            app.open_log(("local", run))
            await settle(pilot, app)
            session.send(run, "log", "one\nError: two\nError: three\n" + LONG)
            await settle(pilot, app)
            await press(pilot, app, *keys)
            return picture(app)

    await shown("F", *"!three", "enter", "L", "w")
    again = await shown(run="other-bbbbbb")
    assert "1 of 4 lines  |!three, warnings" in again
    assert "wrapped" in again
    assert "4 lines   following" in await shown(run="third-cccccc")
    assert "4 lines   following   wrapped" in await shown("escape")
    assert "4 lines   following   wrapped" in await shown(run="other-bbbbbb")


async def test_logs_of_marked_runs_are_one_by_time_and_no_key_acts_on_them() -> None:
    session, acts, clock = FakeSession(), FakeActs(), Clock()
    app = cockpit(session, acts=acts, clock=clock)
    async with app.run_test(size=(100, 30)) as pilot:
        session.connect(view(), view("other-bbbbbb", name="other"))
        await settle(pilot, app)
        await press(pilot, app, "asterisk", "3")
        assert front(app) == "LogScreen"
        for run, text in ((RUN, "old of demo\n"), ("other-bbbbbb", "old of other\n")):
            session.send(run, "log", text)
        await settle(pilot, app)
        for passed, run in ((5.0, RUN), (6.0, "other-bbbbbb"), (7.0, RUN)):
            clock.passed = passed
            session.send(run, "log", f"after {passed:.0f} s\n", offset=99)
            await settle(pilot, app)
        shown = [part for part in picture(app).splitlines() if "│" in part]
        assert [part.split("│")[1].strip() for part in shown] == [
            "old of demo", "old of other", "after 5 s", "after 6 s", "after 7 s",
        ]  # fmt: skip
        assert [part.split()[1] for part in shown] == ["demo", "other", "demo", "other", "demo"]
        assert [part.split()[0] for part in shown[:2]] == ["unknown", "unknown"]
        assert "2 logs by time: demo, other" in picture(app)
        await press(pilot, app, "x")
        assert (front(app), acts.done) == ("LogScreen", [])
        await press(pilot, app, "escape", "escape", "3")  # no mark is left: one log again
        assert "2 logs by time" not in picture(app)
