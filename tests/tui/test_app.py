"""The real application, driven by keys, on sessions that say what the test tells them to."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from textual.binding import Binding
from textual.pilot import Pilot
from textual.widgets import Input, Select

from remote.actions import Outcome
from remote.protocol.results import Backfill, HostLoad
from remote.session.updates import RunsSeen, Telemetry
from tests.trials import trials
from tests.tui.driving import front, picture, settle, toasts
from tests.tui.fake import WALL, Clock, FakeActs, FakeSession, cockpit, events, view
from trainer.telemetry.bands import BandsError
from tui.app import Cockpit
from tui.keys import EVERYWHERE, LOGS, TABLE, Where, bindings, keys_of, markdown
from tui.screens.base import CockpitScreen
from tui.screens.dialogs.help import page
from tui.screens.dialogs.start import StartForm
from tui.screens.fleet import Fleet
from tui.screens.hosts import Hosts
from tui.screens.log import LogScreen
from tui.screens.processes import Processes
from tui.screens.run import RunScreen
from tui.widgets.bars import KeyBar
from tui.widgets.chart.chart import Chart
from tui.widgets.chart.chart_grid import ChartGrid
from tui.widgets.keyed_table import KeyedTable
from tui.widgets.log import log_content, log_search
from tui.widgets.log.log_view import LogView
from tui.widgets.panel import Panel

RUN = "demo-aaaaaa"
SIZES = [(160, 50), (100, 30), (80, 24), (60, 18)]
LOG = "".join(f"line {number} {'needle' if number % 50 == 0 else 'hay'}\n" for number in range(400))


async def live(pilot: Pilot[str], app: Cockpit, session: FakeSession, *, opened: bool = False) -> None:
    """A connected host with a running demo, and its first minutes of metrics."""
    session.connect(view())
    await settle(pilot, app)
    session.send(RUN, "events", events(range(0, 301, 5)))
    await settle(pilot, app)
    if opened:
        await pilot.press("enter")
        await settle(pilot, app)
        session.send(RUN, "log", LOG)
        await settle(pilot, app)


def follows(app: Cockpit) -> bool:
    """Whether the log follows its end."""
    return app.screen.query_one(LogView).follow


async def test_the_fleet_is_painted_before_any_host_is_asked() -> None:
    session = FakeSession()
    app = cockpit(session)
    async with app.run_test(size=(160, 50)) as pilot:
        await pilot.pause()
        assert front(app) == "Fleet"
        await settle(pilot, app)
        assert "connecting" in picture(app)
        assert session.started.wait(5)


async def test_an_empty_fleet_tells_what_to_press() -> None:
    session = FakeSession()
    app = cockpit(session)
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot, app)
        assert "No runs yet" not in picture(app)  # nobody has answered
        session.connect()
        await settle(pilot, app)
        assert "No runs yet" in picture(app)
        assert "s   start one" in picture(app)


async def test_the_fleet_shows_every_fact_of_a_run() -> None:
    session = FakeSession()
    app = cockpit(session)
    async with app.run_test(size=(160, 50)) as pilot:
        await live(pilot, app, session)
        shown = picture(app).splitlines()
        row = next(line for line in shown if RUN in line)
        for word in ("█", "▶ running", "300/3,000", "Intimacy", "now"):
            assert word in row, word
        assert any("local" in line and "● connected 1 ms" in line and "cpu 37 %" in line for line in shown)


async def test_rows_never_move_and_the_cursor_stays_while_cells_change() -> None:
    session = FakeSession()
    app = cockpit(session)
    async with app.run_test(size=(160, 50)) as pilot:
        session.connect(view(), view("other-bbbbbb", created=WALL - 90))
        await settle(pilot, app)
        await pilot.press("down")
        table = app.screen.query_one(KeyedTable)
        assert app.screen.target() == ("local", "other-bbbbbb")  # type: ignore[attr-defined]
        newest = view("newer-cccccc", created=WALL)
        session.say(RunsSeen((newest, view(seq=9, state="failed"), view("other-bbbbbb", seq=7)), WALL))
        await settle(pilot, app)
        assert app.screen.target() == ("local", "other-bbbbbb")  # type: ignore[attr-defined]
        assert len(table.row_names) == 4
        assert "✖ failed" in picture(app)


async def test_the_cursor_begins_on_a_live_run_and_then_belongs_to_the_operator() -> None:
    session = FakeSession()
    app = cockpit(session)
    async with app.run_test(size=(160, 50)) as pilot:
        session.change(view("over-bbbbbb", state="stopped"))  # heard of before the list
        await settle(pilot, app)
        session.connect(view("over-bbbbbb", state="stopped"), view())
        await settle(pilot, app)
        assert app.screen.target() == ("local", RUN)  # type: ignore[attr-defined]
        session.change(view(seq=9, state="failed"))
        session.change(view("newer-cccccc"))
        await settle(pilot, app)
        assert app.screen.target() == ("local", RUN)  # type: ignore[attr-defined]


@pytest.mark.parametrize("size", SIZES)
async def test_the_run_screen_works_at_every_size(size: tuple[int, int]) -> None:
    session = FakeSession()
    app = cockpit(session)
    async with app.run_test(size=size) as pilot:
        await live(pilot, app, session, opened=True)
        text = picture(app)
        for word in ("demo", "▶ running", "● connected", "step 300 / 3,000", "loss", "●", "? help", "q quit"):
            assert word in text, word
        assert ("Last checkpoint" in text) == (size[0] >= 100)
        assert ("grad norm" in text) == (size[0] >= 80)
        if size[0] >= 80:
            assert "line 399" in text
        else:
            await pilot.press("shift+tab")
            await settle(pilot, app)
            assert "line 399" in picture(app)
            assert "loss" not in picture(app)


async def test_the_run_screen_says_what_each_lamp_means() -> None:
    session = FakeSession()
    app = cockpit(session)
    async with app.run_test(size=(160, 50)) as pilot:
        await live(pilot, app, session, opened=True)
        lamps = " ".join(app.screen.query_one("#lamps", Panel).text.split())
        assert "● healthy" in lamps
        assert "(median) lies within 0.5 to 2" in lamps
        assert "4 % of positions at the low end" in lamps
        assert "beside unigram 3.07, bigram 2.43" in lamps
        text = picture(app)
        assert "134 ms/step" in text
        assert "15.2k tokens/s" in text
        assert "bigram 2.43" in text
        assert "step-00000200" in text
        assert "100 steps since then" in text


async def test_without_colour_every_lamp_still_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    session = FakeSession()
    app = cockpit(session)
    async with app.run_test(size=(160, 50)) as pilot:
        assert app.no_color
        await live(pilot, app, session, opened=True)
        bad = '"u_val":0.05,"grad_norm":300.0,"R":0.6}\n'
        bad = '{"type":"metrics","seq":900,"attempt":1,"t":1.0,"step":305,' + bad
        session.send(RUN, "events", bad, offset=99)
        await settle(pilot, app)
        text = picture(app)
        for word in ("▼ clamped low", "▲ exploding", "🌀 Mystery", "▶ running", "● connected"):
            assert word in text, word


async def test_a_lost_host_makes_the_run_unknown_and_acts_refuse_with_the_reason() -> None:
    session, acts, clock = FakeSession(), FakeActs(), Clock()
    app = cockpit(session, acts=acts, clock=clock)
    async with app.run_test(size=(160, 50)) as pilot:
        await live(pilot, app, session)
        assert not app.screen.query_one(KeyBar)._blocked & {"stop", "kill", "start"}
        clock.passed = 41.0
        session.lose()
        await settle(pilot, app)
        text = picture(app)
        assert "? unknown" in text
        assert "○ lost" in text
        assert "41 s ago" in text
        for key in ("x", "K", "r", "s"):
            await pilot.press(key)
            await pilot.pause()
            assert front(app) == "Fleet", key
        assert acts.done == []
        assert app.screen.query_one(KeyBar)._blocked >= {"stop", "kill", "start", "resume"}
        assert any("not reachable" in toast and "Press R" in toast for toast in toasts(app))


@pytest.mark.parametrize(("key", "verb", "other"), [("x", "stop", "K"), ("K", "kill", "x")])
async def test_the_same_key_again_does_it_and_nothing_else_does(key: str, verb: str, other: str) -> None:
    session, acts = FakeSession(), FakeActs()
    app = cockpit(session, acts=acts)
    async with app.run_test(size=(100, 30)) as pilot:
        await live(pilot, app, session)
        await pilot.press(key)
        await pilot.pause()
        assert front(app) == "Confirm"
        text = picture(app)
        for word in (RUN, "pid 4242", "local", "100 steps since step-00000200", "resumes it", f"{key} again"):
            assert word in text, word
        await pilot.press(other)
        await pilot.press("escape")
        await pilot.pause()
        assert acts.done == []
        await pilot.press(key, key)
        await pilot.pause()
        assert acts.done == [(verb, "local", RUN)]
        assert front(app) == "Fleet"


async def test_a_dialog_keeps_its_target_and_refuses_another_attempt() -> None:
    session, acts = FakeSession(), FakeActs()
    app = cockpit(session, acts=acts)
    async with app.run_test(size=(100, 30)) as pilot:
        session.connect(view(), view("other-bbbbbb", created=WALL - 90))
        await settle(pilot, app)
        await pilot.press("K")
        session.change(view(seq=9, attempt=2, pid=9999))
        await settle(pilot, app)
        await pilot.press("K")
        await pilot.pause()
        assert acts.done == []
        assert any("has changed" in toast for toast in toasts(app))


async def test_resume_is_one_key_and_says_why_not() -> None:
    session, acts = FakeSession(), FakeActs()
    acts.answer = lambda verb, run_id: Outcome(False, None, "device_busy", "cpu is held by x", "wait")
    app = cockpit(session, acts=acts)
    async with app.run_test(size=(100, 30)) as pilot:
        await live(pilot, app, session)
        await pilot.press("r")
        await pilot.pause()
        assert acts.done == []
        session.change(view(seq=9, state="stopped", resumable=True, why_not=""))
        await settle(pilot, app)
        await pilot.press("r")
        await pilot.pause()
        assert acts.done == [("resume", "local", RUN)]
        assert "cpu is held by x. wait" in toasts(app)


async def test_the_start_form_shows_what_will_run_and_what_is_wrong() -> None:
    session, acts = FakeSession(), FakeActs()
    app = cockpit(session, acts=acts)
    async with app.run_test(size=(160, 50)) as pilot:
        await live(pilot, app, session)
        await pilot.press("s")
        await pilot.pause()
        assert front(app) == "StartForm"
        assert "model.kind" in picture(app)
        field = app.screen.query_one("#overrides", Input)
        field.value = "stepz=500"
        await pilot.pause()
        assert "did you mean" in picture(app)
        await pilot.press("enter")
        await pilot.pause()
        assert front(app) == "StartForm"
        assert not acts.requests
        field.value = "steps=500"
        await pilot.pause()
        assert "500 steps." in picture(app)
        await pilot.press("enter")
        await pilot.pause()
        (request,) = acts.requests
        assert request.config["steps"] == 500
        assert request.origins["steps"] == "--set"
        assert request.preset == "kssm-v3-tiny"


@pytest.mark.parametrize(("host", "first"), [(None, "local"), ("box", "box"), ("gone", "local")])
async def test_the_start_form_begins_with_the_host_under_the_cursor(host: str | None, first: str) -> None:
    form = StartForm({"local": ("cpu",), "box": ("cuda-0",)}, host)
    app = cockpit(FakeSession())
    async with app.run_test(size=(100, 30)) as pilot:
        app.push_screen(form)
        await pilot.pause()
        assert form.query_one("#host", Select).value == first


async def test_the_start_form_can_be_left() -> None:
    session, acts = FakeSession(), FakeActs()
    app = cockpit(session, acts=acts)
    async with app.run_test(size=(80, 24)) as pilot:
        await live(pilot, app, session)
        await pilot.press("s")
        await pilot.pause()
        await pilot.press("escape")
        await pilot.pause()
        assert front(app) == "Fleet"
        assert not acts.requests


async def test_the_log_is_searched_and_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    session = FakeSession()
    app = cockpit(session)
    async with app.run_test(size=(160, 50)) as pilot:
        await live(pilot, app, session, opened=True)
        log = app.screen.query_one(LogView)
        monkeypatch.setattr(log_content, "SLICE_S", 60.0)
        assert follows(app)
        await pilot.press("slash")
        await pilot.press(*"needle", "enter")
        await pilot.pause()
        assert "line 350 needle" in picture(app)
        assert not follows(app)
        assert "match 8 of 8" in toasts(app)
        await pilot.press("N")
        await pilot.pause()
        assert "line 300 needle" in picture(app)
        await pilot.press("n", "n")
        await pilot.pause()
        assert "line 0 needle" in picture(app)
        place = log.scroll_offset.y
        session.send(RUN, "log", "more\n", offset=9000)
        await settle(pilot, app)
        assert log.scroll_offset.y == place
        await pilot.press("f")
        await pilot.pause()
        assert "more" in picture(app)
        monkeypatch.setattr(log_search, "LINE_S", 0.02)
        session.send(RUN, "log", "x" * 40 + "\n", offset=9005)
        await settle(pilot, app)
        await pilot.press("slash")
        app.screen.query_one("#search", Input).value = "(x|xx)+[yz]"
        await pilot.press("enter")
        await pilot.pause()
        assert "takes too long" in toasts(app)[-1]
        await pilot.press("n")
        assert "nothing is searched for" in toasts(app)[-1]
        await pilot.press("slash", *"more", "enter")
        await pilot.press("escape")
        assert log.searched is None
        assert front(app) == "RunScreen"
        await pilot.press("escape")
        await pilot.pause()
        assert front(app) == "Fleet"


async def test_markup_and_escapes_of_a_host_are_only_text() -> None:
    session = FakeSession()
    app = cockpit(session)
    async with app.run_test(size=(160, 50)) as pilot:
        session.connect(replace(view(), name="[red]x[/]", reason="[bold"))
        await settle(pilot, app)
        await pilot.press("enter")
        await settle(pilot, app)
        session.send(RUN, "log", "[bold]loud[/bold] \x1b[31mred\n")
        session.change(view(seq=9, state="failed", reason="[/oops]", name="[red]x[/]"))
        await settle(pilot, app)
        text = picture(app)
        assert "[bold]loud[/bold] red" in text
        assert "[red]x[/]" in text
        assert "[/oops]" in text


async def test_a_flood_is_drained_in_slices() -> None:
    session = FakeSession()
    app = cockpit(session)
    async with app.run_test(size=(100, 30)) as pilot:
        await live(pilot, app, session, opened=True)
        for number in range(3000):
            session.send(RUN, "log", f"flood {number}\n" * 20, offset=10_000)
        async with asyncio.timeout(20):
            while session.box:
                await settle(pilot, app)
        assert "flood 2999" in picture(app)


async def test_a_host_that_never_stops_talking_delays_no_other() -> None:
    loud, quiet = FakeSession("loud"), FakeSession("quiet")
    app = cockpit(loud, quiet)
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot, app)
        loud.connect()
        loud.drain = lambda limit=1000: [Telemetry(HostLoad(cpu_percent=1.0))] * limit  # type: ignore[method-assign]
        quiet.connect(view())
        await settle(pilot, app)
        assert ("quiet", RUN) in app.store.runs
        loud.drain = lambda limit=1000: []  # type: ignore[method-assign]


async def test_quit_says_that_the_run_goes_on_and_how_to_come_back() -> None:
    session = FakeSession()
    app = cockpit(session)
    async with app.run_test(size=(100, 30)) as pilot:
        await live(pilot, app, session)
        await pilot.press("q")
    assert app.return_value == f"{RUN} on local goes on without the cockpit. `photinus` brings you back."


async def test_quit_without_a_run_says_so() -> None:
    app = cockpit(FakeSession())
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("q")
    assert (app.return_value or "").startswith("No run is going on")


async def test_a_run_named_on_the_command_line_is_opened_when_it_is_heard_of() -> None:
    session = FakeSession()
    app = cockpit(session, focus=RUN)
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot, app)
        assert front(app) == "Fleet"
        session.connect(view())
        await settle(pilot, app)
        assert front(app) == "RunScreen"


# Every key of the table does something.

Watch = Callable[[Cockpit], object]


def chart_state(app: Cockpit) -> object:
    return [chart.view for chart in app.screen.query(Chart)]


def where_it_is(app: Cockpit) -> object:
    mover = app.screen.mover  # type: ignore[attr-defined]
    return mover.chosen if isinstance(mover, KeyedTable) else mover.scroll_offset


def replayed(app: Cockpit) -> object:
    """Which time is shown, and how it passes."""
    replay = app.replay
    return None if replay is None else (replay.at, replay.speed, replay.plays)


SIGNS: dict[str, Watch] = {
    "replay": lambda app: replayed(app),
    "replay_step(-1)": lambda app: replayed(app),
    "replay_step(1)": lambda app: replayed(app),
    "replay_speed(-1)": lambda app: replayed(app),
    "replay_speed(1)": lambda app: replayed(app),
    "smooth(1)": chart_state,
    "smooth(-1)": chart_state,
    "zoom(1)": chart_state,
    "zoom(-1)": chart_state,
    "log_y": chart_state,
    "pan(-1)": chart_state,
    "pan(1)": chart_state,
    "begin": chart_state,
    "robust": chart_state,
    "along": lambda app: app.screen.query_one(ChartGrid).along,
    "cursor(-1)": chart_state,
    "cursor(1)": chart_state,
    "reset": chart_state,
    "ground": lambda app: app.theme,
    "follow": lambda app: app.screen.query_one(LogView).follow,
    "search": lambda app: app.screen.query_one("#search", Input).has_class("-shown"),
    "next_panel": lambda app: app.focused,
    "previous_panel": lambda app: app.focused,
    "filter_log": lambda app: app.screen.query_one("#search", Input).has_class("-shown"),
    "aside(1)": lambda app: app.screen.query_one(LogView).render_line(0),
    "aside(-1)": lambda app: app.screen.query_one(LogView).render_line(0),
    "wrap": lambda app: app.screen.query_one(LogView).wraps,
    "times": lambda app: app.screen.query_one(LogView).timed,
    "level": lambda app: app.screen.query_one(LogView).content.filtered,
    "bookmark": lambda app: set(app.screen.query_one(LogView).content.marks),
    "next_bookmark": lambda app: app.screen.query_one(LogView).scroll_offset,
    "enlarge": lambda app: app.screen.maximized,
    "move(1)": lambda app: where_it_is(app),
    "move(-1)": lambda app: where_it_is(app),
    "far(1)": lambda app: where_it_is(app),
    "far(-1)": lambda app: where_it_is(app),
    "quit": lambda app: app.return_value,
    "filter": lambda app: app.screen.query_one("#filter", Input).has_class("-shown"),
    "mark": lambda app: set(app.screen.look.marks),  # type: ignore[attr-defined]
    "mark_all": lambda app: set(app.screen.look.marks),  # type: ignore[attr-defined]
    "sort_next": lambda app: app.screen.look.column,  # type: ignore[attr-defined]
}
ALREADY = {
    ("fleet", "next_panel"), ("fleet", "previous_panel"), ("run", "run"),
}  # fmt: skip
PREPARE = {
    "move(1)": ("k",),
    "far(1)": ("g",),
    "zoom(-1)": ("z",),
    "pan(-1)": ("z",),
    "pan(1)": ("z", "left_square_bracket"),
    "begin": ("left",),
    "aside(-1)": ("right",),
    "next_bookmark": ("B", "g"),
    "reset": ("y",),
    "smooth(-1)": ("plus",),
}

SCREENS: dict[Where, type[CockpitScreen]] = {
    "fleet": Fleet, "run": RunScreen, "log": LogScreen, "processes": Processes, "hosts": Hosts,
}  # fmt: skip
PRESSES = [
    (where, name, key.action)
    for where in SCREENS
    for key in keys_of(where)
    for name in key.keys.split(",")
    if not (where == "log" and "run" in key.where)  # one and the same there
    and (key.where != EVERYWHERE or where == ("run" if ("fleet", key.action) in ALREADY else "fleet"))
]


def acts_on_charts(action: str) -> bool:
    return SIGNS.get(action) is chart_state


def anything(app: Cockpit, acts: FakeActs) -> object:
    jobs = [host.job is not None for host in app.store.hosts.values()]
    return type(app.screen), len(toasts(app)), len(acts.done), jobs


async def test_every_key_of_the_charts_changes_them() -> None:
    session = FakeSession()
    app = cockpit(session)
    async with app.run_test(size=(160, 50)) as pilot:
        await live(pilot, app, session, opened=True)
        for name, action in ((name, action) for _, name, action in PRESSES if acts_on_charts(action)):
            await pilot.press("0", *PREPARE.get(action, ()))
            await pilot.pause()
            before = chart_state(app)
            await pilot.press(name)
            await pilot.pause()
            assert chart_state(app) != before, f"{name} is dead"


STAYS = {
    "start", "resume", "stop", "kill", "answer", "acknowledge", "alerts", "reconnect", "palette", "help",
    "next_match", "previous_match",
}  # fmt: skip
"""What opens a dialog above the screen, or says something: one app can be asked for all of them."""


@pytest.mark.parametrize("where", ["fleet", "run"])
async def test_every_key_that_opens_or_says_something_does(where: Where) -> None:
    session, acts = FakeSession(), FakeActs()
    app = cockpit(session, acts=acts)
    async with app.run_test(size=(160, 50)) as pilot:
        await live(pilot, app, session, opened=where in LOGS)
        front = app.screen
        for name in (name for place, name, action in PRESSES if place == where and action in STAYS):
            before = anything(app, acts)
            await pilot.press(name)
            await pilot.pause()
            assert anything(app, acts) != before, f"{name} is dead"
            while app.screen is not front:
                app.pop_screen()
            app.clear_notifications()
            await pilot.pause()


ALONE = [
    (where, name, action)
    for where, name, action in PRESSES
    if not acts_on_charts(action) and not (where in ("fleet", "run") and action in STAYS)
]


@pytest.mark.chaos
@pytest.mark.parametrize(("where", "name", "action"), ALONE[:: trials(2, 1)])
async def test_no_key_is_dead(where: Where, name: str, action: str) -> None:
    session, acts = FakeSession(), FakeActs()
    app = cockpit(session, acts=acts)
    async with app.run_test(size=(160, 50)) as pilot:
        await live(pilot, app, session, opened=where in LOGS)
        if where == "log":
            await pilot.press("3")
            await settle(pilot, app)
        if where in ("processes", "hosts"):
            app.show(where)
            await settle(pilot, app)
        await pilot.press(*PREPARE.get(action, ()))
        await pilot.pause()
        look = SIGNS.get(action)
        before, front = look(app) if look else anything(app, acts), app.screen
        await pilot.press(name)
        await pilot.pause()
        after = look(app) if look else anything(app, acts)
        if (where, action) in ALREADY:
            assert app.screen is front  # the one panel, the run itself: already there
        else:
            assert app.screen is not front or after != before


def test_one_table_drives_dispatch_help_and_readme() -> None:
    for where, screen in SCREENS.items():
        for binding in bindings(where):
            assert isinstance(binding, Binding)
            name = binding.action.partition("(")[0]
            assert hasattr(screen, f"action_{name}"), name
        first = [key.text for key in keys_of(where)]
        shown = page(where).plain
        assert max(shown.index(text) for text in first) < shown.index("Keys of other screens")
    told, table = page().plain, "\n".join(markdown())
    for key in TABLE:
        assert key.text in told
        assert f"`{key.shown}`" in table
    assert table in (Path(__file__).parents[2] / "README.md").read_text()


async def test_the_palette_does_what_the_key_does() -> None:
    session = FakeSession()
    app = cockpit(session)
    async with app.run_test(size=(100, 30)) as pilot:
        await live(pilot, app, session)
        (stop,) = [c for c in app.get_system_commands(app.screen) if c.title.startswith("stop")]
        stop.callback()
        await pilot.pause()
        await pilot.pause()
        assert front(app) == "Confirm"


async def test_another_width_keeps_rows_and_cursor() -> None:
    session = FakeSession()
    app = cockpit(session)
    async with app.run_test(size=(160, 50)) as pilot:
        session.connect(view(), view("other-bbbbbb", created=WALL - 90))
        await settle(pilot, app)
        await pilot.press("down")
        for width, shown in ((80, False), (100, False), (160, True)):
            await pilot.resize_terminal(width, 30)
            await settle(pilot, app)
            assert app.screen.target() == ("local", "other-bbbbbb")  # type: ignore[attr-defined]
            assert ("memory" in picture(app)) == shown
            assert RUN in picture(app)


async def test_a_started_run_is_opened_when_its_host_tells_of_it() -> None:
    session, acts = FakeSession(), FakeActs()
    acts.answer = lambda verb, run_id: Outcome(True, view("new-cccccc"), message="new-cccccc is running")
    app = cockpit(session, acts=acts)
    async with app.run_test(size=(100, 30)) as pilot:
        await live(pilot, app, session)
        await pilot.press("s")
        await pilot.pause()
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert front(app) == "Fleet"
        session.change(view("new-cccccc"))
        await settle(pilot, app)
        assert front(app) == "RunScreen"
        assert app.screen.target() == ("local", "new-cccccc")  # type: ignore[attr-defined]


async def test_a_run_that_vanishes_leads_back_to_the_fleet() -> None:
    session = FakeSession()
    app = cockpit(session)
    async with app.run_test(size=(100, 30)) as pilot:
        await live(pilot, app, session, opened=True)
        session.say(RunsSeen((), WALL))
        await settle(pilot, app)
        assert front(app) == "Fleet"


async def test_broken_bands_cost_only_the_lamps(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise BandsError("kssm.yaml: metric 'R' has no bands: give at least one")

    monkeypatch.setattr("tui.operator_files.health_bands", broken)
    session = FakeSession()
    app = cockpit(session)
    async with app.run_test(size=(160, 50)) as pilot:
        await live(pilot, app, session, opened=True)
        assert any("metric 'R' has no bands" in toast for toast in toasts(app))
        assert "step 300 / 3,000" in picture(app)


async def test_help_lists_the_keys_and_closes() -> None:
    app = cockpit(FakeSession())
    async with app.run_test(size=(100, 40)) as pilot:
        await pilot.press("question_mark")
        await pilot.pause()
        assert front(app) == "Help"
        assert "kill the very process shown" in picture(app)
        await pilot.press("escape")
        await pilot.pause()
        assert front(app) == "Fleet"


async def test_the_palette_offers_the_keys_of_the_screen_with_their_reasons() -> None:
    session = FakeSession()
    app = cockpit(session)
    async with app.run_test(size=(100, 30)) as pilot:
        await live(pilot, app, session)
        offered = {command.title: command.help for command in app.get_system_commands(app.screen)}
        assert any(title.startswith("stop") for title in offered)
        assert not any(title.startswith("search") for title in offered)
        (resume,) = [text for title, text in offered.items() if title.startswith("resume")]
        assert resume.startswith("not now: ")


async def test_the_palette_finds_runs_hosts_and_presets_by_name() -> None:
    session, box = FakeSession(), FakeSession("box")
    app = cockpit(session, box)
    async with app.run_test(size=(100, 30)) as pilot:
        await live(pilot, app, session)

        async def choose(title: str) -> None:
            (found,) = [one for one in app.get_system_commands(app.screen) if one.title == title]
            found.callback()
            await settle(pilot, app)
            await settle(pilot, app)

        await choose("host: box")
        assert isinstance(app.screen, Hosts)
        assert app.screen.chosen_host() == "box"
        await choose("run: demo")
        assert front(app) == "RunScreen"
        await choose("start: gpt-tiny")
        assert app.screen.query_one("#preset", Select).value == "gpt-tiny"


def test_the_footer_keeps_what_matters_when_it_is_narrow() -> None:
    for where in SCREENS:
        fitting = KeyBar(where).fitting(80)
        runs = {"s", "x", "K"}
        kept = {"fleet": runs, "run": runs, "log": runs, "processes": {"x"}, "hosts": {"n", "t", "D"}}
        assert {*kept[where], "?", "q"} <= {key.shown for key in fitting}
        assert sum(len(key.shown) + len(key.label) + 3 for key in fitting) < 80


async def test_the_cursor_reads_every_chart_at_one_step() -> None:
    session = FakeSession()
    app = cockpit(session)
    async with app.run_test(size=(160, 50)) as pilot:
        await live(pilot, app, session, opened=True)
        await pilot.press("left")
        await settle(pilot, app)
        assert picture(app).count("at step 300") == 4
        await pilot.press("left", "left", "tab", "left")
        await settle(pilot, app)
        charts = list(app.screen.query(Chart))
        (step,) = {chart.view.cursor for chart in charts}
        assert step is not None
        assert 200 < step < 300
        assert picture(app).count(f"at step {step}") == 4
        assert "◆ val" in picture(app)
        await pilot.press(*["right"] * 20)
        assert {chart.view.cursor for chart in charts} == {300}
        await pilot.press("escape")
        await settle(pilot, app)
        assert "at step" not in picture(app)
        assert front(app) == "RunScreen"


async def test_older_lines_come_when_somebody_scrolls_up_and_what_is_seen_stays() -> None:
    session, acts = FakeSession(), FakeActs()
    app = cockpit(session, acts=acts)
    async with app.run_test(size=(160, 50)) as pilot:
        await live(pilot, app, session)
        await pilot.press("enter")
        await settle(pilot, app)
        session.send(RUN, "log", "cut\n" + LOG, offset=5000)
        await settle(pilot, app)
        assert acts.asked == []
        acts.pieces = [
            Backfill(file="001.log", offset=700, data=b"old 0\nold 1\n", is_first=False),
            Backfill(file="001.log", offset=0, data=b"first\n", is_first=True),
        ]
        log = app.screen.query_one(LogView)
        await pilot.press("g")
        await settle(pilot, app)
        assert acts.asked == [("local", "older 001.log 5004")]
        assert "line 0 needle" in picture(app)
        assert log.scroll_offset.y == 2
        await pilot.press("k", "k")
        await settle(pilot, app)
        assert "old 0" in picture(app)
        assert acts.asked[1:] == [("local", "older 001.log 700")]
        await pilot.press("j", "g")
        await settle(pilot, app)
        assert "first" in picture(app)
        assert len(acts.asked) == 2


async def test_alerts_stay_until_they_are_acknowledged_and_are_kept_in_a_list() -> None:
    session, clock = FakeSession(), Clock()
    app = cockpit(session, clock=clock)
    async with app.run_test(size=(100, 30)) as pilot:
        await live(pilot, app, session)
        session.change(view(seq=9, state="failed", reason="code 1"))
        await settle(pilot, app)
        assert "demo failed: code 1" in picture(app)
        await pilot.press("a")
        await settle(pilot, app)
        app.clear_notifications()
        await settle(pilot, app)
        assert "demo failed: code 1" not in picture(app)
        clock.passed = 60.0
        await pilot.press("A")
        await settle(pilot, app)
        assert front(app) == "AlertList"
        assert "demo failed: code 1  1m 00s ago" in picture(app)
        await pilot.press("A")
        await settle(pilot, app)
        assert front(app) == "Fleet"
