"""The Fleet under an operator's hands: filter, order, marks, and no act on another row than the one shown."""

import random

from textual.pilot import Pilot
from textual.widgets import Input

from remote.session.updates import RunsSeen
from tests.tui.driving import connected, front, picture, press, settle, toasts
from tests.tui.fake import WALL, Clock, FakeActs, FakeSession, cockpit, view
from tui.app import Cockpit
from tui.screens.fleet import Fleet

LIVE = [view(f"lr{n}-aaaaa{n}", name=f"lr{n}", created=WALL - n) for n in range(4)]
BROKEN = view("bad-bbbbbb", name="bad", state="failed", reason="CUDA out of memory", since=WALL - 7200)


async def opened(pilot: Pilot[str], app: Cockpit, session: FakeSession) -> Fleet:
    session.connect(*LIVE, BROKEN)
    await settle(pilot, app)
    screen = app.screen
    assert isinstance(screen, Fleet)
    return screen


async def test_a_filter_a_mark_and_one_dialog() -> None:
    session, acts = FakeSession(), FakeActs()
    app = cockpit(session, acts=acts, clock=Clock())
    async with app.run_test(size=(160, 40)) as pilot:
        fleet = await opened(pilot, app, session)
        row = next(line for line in picture(app).splitlines() if "bad-bbbbbb" in line)
        assert "CUDA out of memory" in row
        assert "2h 00m ago" in row
        await press(pilot, app, "slash", *"lr")
        assert "4 of 5 runs" in picture(app)
        assert "bad-bbbbbb" not in picture(app)
        await press(pilot, app, "enter", "g", "j", "space", "space")
        assert front(app) == "Fleet"
        assert "2 marked" in picture(app)
        await press(pilot, app, "x")
        dialog = picture(app)
        assert front(app) == "Confirm"
        assert "Stop 2 runs?" in dialog
        assert "lr0-aaaaa0 on local" in dialog
        session.say(RunsSeen((view("lr0-aaaaa0", attempt=2, seq=9), *LIVE[1:], BROKEN), WALL))
        await settle(pilot, app)
        await press(pilot, app, "x")
        assert acts.done == [("stop", "local", "lr1-aaaaa1")]
        assert any("lr0-aaaaa0 has changed" in toast for toast in toasts(app))
        await press(pilot, app, "asterisk")
        assert len(fleet.marked()) == 4
        await press(pilot, app, "escape", "slash", *"bad", "enter")
        assert fleet.marked() == []  # hidden ones are not acted on
        await press(pilot, app, "escape", "escape", "asterisk", "x")
        assert "bad-bbbbbb on local is left alone" in picture(app)
        await press(pilot, app, "escape")
        assert len(acts.done) == 1


async def test_a_title_orders_and_its_second_press_reverses() -> None:
    session = FakeSession()
    app = cockpit(session)
    async with app.run_test(size=(160, 40)) as pilot:
        fleet = await opened(pilot, app, session)
        await press(pilot, app, "o")
        assert fleet.table.row_names[1] == "local/bad-bbbbbb"
        assert "host and run ▼" in picture(app)
        await pilot.click("#fleet", offset=(4, 0))
        await settle(pilot, app)
        assert fleet.table.row_names[-1] == "local/bad-bbbbbb"
        assert "host and run ▲" in picture(app)


async def test_whatever_happens_the_cursor_stays_on_its_run_or_on_none() -> None:
    """Sorts, filters, folds, marks, and runs that come, end and go: a key never meets another row."""
    dice, sessions = random.Random(16), connected("box")
    app = cockpit(*sessions)
    async with app.run_test(size=(120, 20)) as pilot:
        known = {session.host.name: {one.run_id: one for one in LIVE} for session in sessions}
        for session in sessions:
            session.connect(*LIVE)
        await settle(pilot, app)
        fleet = app.screen
        assert isinstance(fleet, Fleet)
        typed, seq = fleet.query_one("#filter", Input), 10
        for turn in range(150):
            fleet.table.action_move(dice.choice((-3, -1, 1, 2)))
            before = fleet.table.chosen
            session = dice.choice(sessions)
            runs = known[session.host.name]
            seq += 1
            match dice.randrange(6):
                case 0:
                    fleet.action_sort(1)
                case 1:
                    fleet.action_reverse()
                case 2:
                    typed.value = dice.choice(("", "lr", "!lr1", "state:failed", "host:box", "new"))
                case 3:
                    runs[f"new{turn}-cccccc"] = view(f"new{turn}-cccccc", created=WALL + turn)
                case 4 if runs:
                    name = dice.choice(sorted(runs))
                    runs[name] = view(name, state="failed", seq=seq, since=WALL + turn, reason="killed")
                case _ if runs:
                    del runs[dice.choice(sorted(runs))]
            session.say(RunsSeen(tuple(runs.values()), WALL))
            app.tick()
            await pilot.pause()
            assert fleet.table.chosen in (before, None), (turn, before, fleet.table.chosen)
            assert fleet.target() is None or fleet.target() in app.store.runs
