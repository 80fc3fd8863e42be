"""Screens as they were: a run's past is played, moved through and left, and no key acts on it."""

from tests.tui.driving import picture, press, settle, toasts
from tests.tui.fake import WALL, Clock, FakeActs, FakeSession, cockpit, events, view
from tui.store.log_ring import LogRing
from tui.store.past.past_log import UNKNOWN, past_log

RUN = "demo-aaaaaa"
LATER = view("later-bbbbbb", created=WALL + 3600)


def steps(text: str) -> int:
    """The step in the head of the Run screen."""
    return int(text.partition(" step ")[2].partition(" /")[0].replace(",", ""))


async def test_a_run_is_played_moved_through_and_left_again() -> None:
    session, acts, clock = FakeSession(), FakeActs(), Clock()
    app = cockpit(session, acts=acts, clock=clock)
    async with app.run_test(size=(160, 50)) as pilot:
        session.connect(view(created=WALL - 100, since=WALL - 90), LATER)
        await settle(pilot, app)
        session.send(RUN, "events", events(range(0, 801, 5)))  # eight rows a second, from WALL - 60
        app.open_run(("local", RUN))
        await settle(pilot, app)
        session.send(RUN, "log", "".join(f"step {step} | loss\n" for step in range(0, 801, 5)))
        await settle(pilot, app)
        assert steps(picture(app)) == 800
        await press(pilot, app, "p")
        assert "replay" in picture(app)
        assert steps(picture(app)) == 0
        clock.passed = 10.0  # half of the twenty seconds that it has lasted: they pass as they did
        await settle(pilot, app)
        middle = picture(app)
        assert 350 < steps(middle) < 450
        assert f"step {steps(middle)} | loss" in middle
        assert "step 800 | loss" not in middle
        told = app.screen.shown.store.runs["local", RUN]  # type: ignore[attr-defined]
        assert told.evaluation.step in (300, 400)
        assert app.store.runs["local", RUN].evaluation.step == 800  # type: ignore[union-attr]
        await press(pilot, app, "comma")
        assert steps(picture(app)) < steps(middle)
        assert "paused" in picture(app)
        clock.passed = 15.0
        await settle(pilot, app)
        assert steps(picture(app)) < steps(middle)
        await press(pilot, app, "x")
        assert acts.done == []
        assert any("what is shown is the past" in toast for toast in toasts(app))
        await press(pilot, app, "1")
        assert "later-bbbbbb" not in picture(app)  # it was not there yet
        await press(pilot, app, "escape")
        assert "later-bbbbbb" in picture(app)
        assert "replay" not in picture(app).splitlines()[0]
        await press(pilot, app, "2")
        assert steps(picture(app)) == 800


async def test_from_now_it_goes_back_and_stands() -> None:
    session = FakeSession()
    app = cockpit(session)
    async with app.run_test(size=(100, 30)) as pilot:
        session.connect(view(created=WALL - 100))
        await settle(pilot, app)
        session.send(RUN, "events", events(range(0, 801, 5)))
        await press(pilot, app, "2", "comma")
        assert 770 < steps(picture(app)) < 800
        await press(pilot, app, "greater_than_sign", "full_stop")
        assert steps(picture(app)) == 800
        assert any("a second shows 2 s" in toast for toast in toasts(app))


async def test_where_no_times_are_known_it_says_so() -> None:
    session = FakeSession()
    app = cockpit(session)
    async with app.run_test(size=(100, 30)) as pilot:
        session.connect(view())
        await settle(pilot, app)
        await press(pilot, app, "2", "p")
        assert any("nothing to replay" in toast for toast in toasts(app))
        assert app.replay is None


def test_a_past_log_ends_by_times_by_steps_or_says_that_it_cannot_tell() -> None:
    ring = LogRing()
    ring.feed(b"no step\nstep 5 a\nstep 10 b\nafterwards\n", 1.0)
    assert past_log(ring, 50.0, 7, None).lines == ["no step", "step 5 a"]
    ring.feed(b"at sixty\n", 60.0)
    shown = past_log(ring, 50.0, None, None)
    assert shown.lines == [UNKNOWN]
    assert past_log(ring, 60.0, 7, shown) is shown
    assert shown.lines == ring.lines
