"""The Run screen of other people's runs: what it shows, and metrics that are put onto charts."""

from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.tui.driving import front, picture, press, settle
from tests.tui.fake import FakeSession, cockpit, view
from tests.tui.store.test_foreign_runs import EPOCH, HF, HF_ROWS
from tui.app import Cockpit
from tui.widgets.chart.chart import Chart
from tui.widgets.chart.chart_grid import ChartGrid
from tui.widgets.log.log_view import LogView

RUN = "demo-aaaaaa"
SCORES = "{'eval_loss': 1.5, 'eval_accuracy': 0.25, 'epoch': 1.2}\n"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PHOTINUS_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


async def opened(pilot: Pilot[str], app: Cockpit, session: FakeSession, text: str) -> None:
    """A connected host with a command whose log says this; its screen is in front."""
    session.connect(view(kind="command", max_steps=0, preset="", last_checkpoint=None))
    await settle(pilot, app)
    session.send(RUN, "log", text)
    await settle(pilot, app)
    assert ("R zone" in picture(app)) == ("loss" not in text)  # no column for what no run tells
    await press(pilot, app, "enter")


def metrics(app: Cockpit) -> list[str]:
    """What is on the charts that can be seen."""
    shown = [chart for chart in app.screen.query(Chart) if chart.size.height]
    assert shown == app.screen.query_one(ChartGrid).shown
    return [plan.metric for plan in app.screen.query_one(ChartGrid).plans]


def keyboard(app: Cockpit) -> object:
    """What has it."""
    return app.screen.focused


async def test_a_trainers_run_shows_what_it_tells_and_nothing_dead() -> None:
    session = FakeSession()
    app = cockpit(session)
    async with app.run_test(size=(160, 50)) as pilot:
        await opened(pilot, app, session, HF + "".join(HF_ROWS) + SCORES)
        shown = picture(app)
        assert metrics(app) == ["loss", "grad_norm", "eval_accuracy", "lr"]
        assert "log: HF Trainer" in shown.splitlines()[3]
        assert "step 120 / 500  ━" in shown
        assert "◆ val 1.500" in shown  # beside the loss
        for dead in ("u_val", "penalty", "no values yet", "none yet", "n/a"):
            assert dead not in shown


async def test_epochs_are_called_epochs() -> None:
    session = FakeSession()
    app = cockpit(session)
    async with app.run_test(size=(160, 50)) as pilot:
        await opened(pilot, app, session, "".join(EPOCH.format(n=n) for n in (1, 2, 3)))
        shown = picture(app)
        assert metrics(app) == ["loss", "accuracy"]
        assert "epoch 3 / 7" in shown
        assert "step" not in shown.replace("step_ms", "").replace("/step", "").replace(
            "stepping", ""
        ).replace("last step", "")
        assert "step_ms                   44.00 ms" in shown


async def test_a_metric_is_put_onto_a_chart_by_a_key_and_is_there_after_a_restart() -> None:
    session = FakeSession()
    app = cockpit(session)
    async with app.run_test(size=(160, 50)) as pilot:
        await opened(pilot, app, session, HF + "".join(HF_ROWS))
        assert metrics(app) == ["loss", "grad_norm", "lr"]
        await press(pilot, app, "tab", "m")
        assert front(app) == "MetricPicker"
        assert "the chart of grad norm" in picture(app)
        await press(pilot, app, "z")
        assert "no metric of this run has these letters" in picture(app)
        await press(pilot, app, "enter")
        assert front(app) == "MetricPicker"  # there is nothing to choose
        await pilot.press("backspace", *"epoc", "enter")
        await settle(pilot, app)
        assert metrics(app) == ["loss", "epoch", "lr"]

    again, fresh = FakeSession(), FakeSession()
    for session, text, wanted in (
        (again, HF + "".join(HF_ROWS), ["loss", "epoch", "lr"]),
        (fresh, "".join(EPOCH.format(n=n) for n in (1, 2, 3)), ["loss", "accuracy"]),  # of another kind
    ):
        app = cockpit(session)
        async with app.run_test(size=(160, 50)) as pilot:
            await opened(pilot, app, session, text)
            assert metrics(app) == wanted
            if session is again:
                await pilot.press("m", "up", "enter")  # the last line: as at first
                await settle(pilot, app)
                assert metrics(app) == ["loss", "grad_norm", "lr"]


async def test_a_log_without_numbers_has_the_screen_until_it_tells_some() -> None:
    session = FakeSession()
    app = cockpit(session)
    async with app.run_test(size=(100, 40)) as pilot:
        await opened(pilot, app, session, "it turns\n" * 10)
        assert metrics(app) == []
        assert "step=10 loss=2.31" not in picture(app)
        session.send(RUN, "log", "it turns\n" * 100, offset=90)
        await settle(pilot, app)
        shown = picture(app)
        assert "No known metrics in this log so far" in shown
        assert "photinus formats try FILE" in shown
        assert shown.count("it turns") >= 24
        assert keyboard(app) is app.screen.query_one(LogView)
        await pilot.press("tab", "left", "m", "enter", "enter", "z", "0")  # no key does harm there
        await settle(pilot, app)
        assert front(app) == "RunScreen"
        session.send(RUN, "log", "step=10 loss=2.31\nstep=20 loss=2.25\n", offset=990)
        await settle(pilot, app)
        await settle(pilot, app)
        assert metrics(app) == ["loss"]
        assert "No known metrics" not in picture(app)
        assert keyboard(app) in app.screen.query_one(ChartGrid).shown
