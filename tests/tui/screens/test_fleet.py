"""The Fleet by its keys and the mouse: filter, order, marks, and one act on many."""

from textual.widgets import Input, Select

from remote.actions import Outcome
from tests.tui.driving import front, picture, press, settle, toasts
from tests.tui.fake import WALL, FakeActs, FakeSession, cockpit, view
from tui.screens.fleet import Fleet
from tui.widgets.keyed_table import KeyedTable

RUNS = (
    view("aa-aaaaaa", name="aa", tags=("paper",)),
    view("bb-bbbbbb", name="bb", created=WALL - 90),
    view("cc-cccccc", name="cc", state="succeeded", pid=None),
    view("dd-dddddd", name="dd", state="failed", reason="code 1", pid=None),
)


def shown(screen: Fleet) -> list[str]:
    return [row.rpartition("/")[2][:2] for row in screen.table.row_names if "/" in row]


async def test_the_filter_holds_as_one_types_is_shown_and_goes_with_escape() -> None:
    session = FakeSession()
    app = cockpit(session)
    async with app.run_test(size=(140, 40)) as pilot:
        session.connect(*RUNS)
        await settle(pilot, app)
        fleet = app.screen
        assert isinstance(fleet, Fleet)
        assert "2 runs going on, 1 failed and not seen yet (a: seen), 1 over" in picture(app)
        await press(pilot, app, "slash", *"state:o")
        assert shown(fleet) == ["dd", "cc"]
        await press(pilot, app, *["backspace"] * 7, *"!tag:paper", "space", *"live")
        assert shown(fleet) == []  # a bare word is looked for in names
        assert fleet.targets() == ()
        await press(pilot, app, *["backspace"] * 4, *"state:live", "enter")
        assert shown(fleet) == ["bb"]
        assert "filter !tag:paper state:live shows 1 of 4, esc clears it" in picture(app)
        assert isinstance(app.focused, KeyedTable)
        assert fleet.target() == ("local", "bb-bbbbbb")
        await press(pilot, app, "escape")
        assert shown(fleet) == ["aa", "bb", "dd", "cc"]
        assert "filter" not in picture(app).splitlines()[1]
        assert fleet.target() == ("local", "bb-bbbbbb")
        await press(pilot, app, "slash", *"age:soon")
        assert "say age:<2h" in picture(app)
        await press(pilot, app, "escape")
        assert app.screen.query_one("#filter", Input).value == ""


async def test_titles_sort_by_key_and_by_click() -> None:
    session = FakeSession()
    app = cockpit(session)
    async with app.run_test(size=(140, 40)) as pilot:
        session.connect(*RUNS)
        await settle(pilot, app)
        fleet = app.screen
        assert isinstance(fleet, Fleet)
        chosen = fleet.target()
        await press(pilot, app, "o", "O")
        assert (shown(fleet), fleet.target()) == (["dd", "cc", "bb", "aa"], chosen)
        assert "↑" in picture(app)
        state = picture(app).splitlines()[2].index("state")
        for order in (["dd", "aa", "bb", "cc"], ["cc", "aa", "bb", "dd"], ["aa", "bb", "dd", "cc"]):
            await pilot.click(KeyedTable, offset=(state, 0))
            await settle(pilot, app)
            assert shown(fleet) == order
        assert fleet.target() == chosen


async def test_an_act_on_marks_lists_each_and_leaves_alone_what_it_cannot_be_done_to() -> None:
    session, acts = FakeSession(), FakeActs()
    app = cockpit(session, acts=acts)
    async with app.run_test(size=(140, 40)) as pilot:
        session.connect(*RUNS)
        await settle(pilot, app)
        await press(pilot, app, "asterisk", "g", "x")
        assert front(app) == "Confirm"
        said = picture(app)
        assert "Stop 2 runs?" in said
        assert "aa-aaaaaa (running, pid 4242) on local" in said
        assert "left alone: cc-cccccc is over" in said
        session.change(view("aa-aaaaaa", name="aa", attempt=2, seq=9))
        await settle(pilot, app)
        await press(pilot, app, "x")
        assert acts.done == [("stop", "local", "bb-bbbbbb")]
        assert "aa-aaaaaa has changed since you looked: nothing was done" in toasts(app)
        assert "stop: 1 of 2 runs" in toasts(app)
        await press(pilot, app, "escape")  # the marks go
        assert "marked" not in picture(app)


async def test_archive_and_trash_want_a_run_that_is_over_and_ask() -> None:
    session, acts = FakeSession(), FakeActs()
    acts.answer = lambda verb, run_id: Outcome(True, None, message=f"{run_id} went: {verb}")
    app = cockpit(session, acts=acts)
    async with app.run_test(size=(140, 40)) as pilot:
        session.connect(*RUNS)
        await settle(pilot, app)
        await press(pilot, app, "w")
        assert any("only a run that is over" in text for text in toasts(app))
        await press(pilot, app, "G", "space", "k", "space", "w")
        assert "Archive 2 runs?" in picture(app)
        await press(pilot, app, "delete")  # the other key does nothing
        assert acts.done == []
        await press(pilot, app, "w")
        assert acts.done == [("archive", "local", "cc-cccccc"), ("archive", "local", "dd-dddddd")]
        await press(pilot, app, "escape", "delete", "delete")
        assert acts.done[-1] == ("trash", "local", "dd-dddddd")


async def test_on_a_host_that_wants_names_many_runs_want_their_number_and_a_host_row_is_no_run() -> None:
    session, acts = FakeSession(confirm="name"), FakeActs()
    app = cockpit(session, acts=acts)
    async with app.run_test(size=(140, 40)) as pilot:
        session.connect(*RUNS)
        await settle(pilot, app)
        await press(pilot, app, "g", "K")
        assert front(app) == "Fleet"
        assert "no run is chosen" in toasts(app)
        await press(pilot, app, "space", "K")  # all runs of the host
        assert "after its number, 2" in picture(app)
        await press(pilot, app, "3", "enter")
        assert acts.done == []
        await press(pilot, app, "backspace", "2", "enter")
        assert [done[0] for done in acts.done] == ["kill", "kill"]


async def test_a_start_that_is_refused_keeps_the_form_and_its_remedy_is_a_key() -> None:
    session, acts = FakeSession(), FakeActs()
    acts.answer = lambda *_: Outcome(False, None, "device_busy", "cpu is held by run x", "wait, or --queue")
    app = cockpit(session, acts=acts)
    async with app.run_test(size=(140, 50)) as pilot:
        session.connect(*RUNS)
        await settle(pilot, app)
        await press(pilot, app, "s")
        field = app.screen.query_one("#overrides", Input)
        field.value = "stepz=5 optim.lrr=1 steps=20"
        await settle(pilot, app)
        assert {"stepz=5:", "optim.lrr=1:"} <= set(picture(app).split())  # all that is wrong, at once
        field.value = "steps=20"
        await settle(pilot, app)
        await press(pilot, app, "ctrl+s")
        assert front(app) == "StartForm"
        assert field.value == "steps=20"
        assert "not started: cpu is held by run x" in picture(app)
        assert "--queue" not in picture(app)
        acts.answer = lambda *_: Outcome(True, None, message="in line")
        app.screen.query_one("#restart", Select).value = "on-failure"
        await settle(pilot, app)
        await press(pilot, app, "ctrl+l")
        assert front(app) == "Fleet"
        refused, queued = acts.requests
        assert (refused.restart.policy, queued.restart.policy) == ("never", "on-failure")
        assert (refused.queue, queued.queue, queued.config["steps"]) == (False, True, 20)
        assert refused.start_id != queued.start_id
