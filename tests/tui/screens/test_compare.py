"""Screen 4: marked runs over one another, their configurations, a baseline; and what is not there says so."""

from typing import Any

import pytest

from tests.trials import trials
from tests.tui.driving import connected, front, picture, press, settle, toasts
from tests.tui.fake import WALL, FakeActs, cockpit, events, view
from tui.keys import EVERYWHERE, keys_of
from tui.widgets.compare.overlay_chart import OverlayChart

RUNS = ("demo-aaaaaa", "wide-bbbbbb")


def told(run_id: str, lr: float) -> dict[str, Any]:
    spec = {
        "config": {"optim": {"lr": lr}, "steps": 3000},
        "origins": {"optim.lr": "--set", "steps": "default"},
    }
    return {**view(run_id).to_json(), "wall": WALL, "spec": spec}


async def test_marked_runs_are_compared_with_each_other_and_with_what_was_published(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Any,
) -> None:
    monkeypatch.setenv("PHOTINUS_HOME", str(tmp_path / "home"))
    (local,), acts = connected(), FakeActs()
    for run_id, lr in zip(RUNS, (0.004, 0.002), strict=True):
        acts.results["local", f"details {run_id}"] = told(run_id, lr)
    app = cockpit(local, acts=acts)
    async with app.run_test(size=(160, 50)) as pilot:
        local.connect(*(view(run_id, name=run_id.split("-")[0]) for run_id in RUNS))
        await settle(pilot, app)
        await press(pilot, app, "asterisk", "4")
        assert front(app) == "Compare"
        assert "none of these has told its own loss yet" in picture(app)
        assert "1 of 3 keys differ" in picture(app)
        for run_id, end in zip(RUNS, (600, 300), strict=True):
            local.send(run_id, "events", events(range(0, end, 5)))
        await settle(pilot, app)
        text = picture(app)
        assert "at 295" in text, "held against each other where both have been"
        assert "optim.lr" in text
        assert " A on top" in text
        await press(pilot, app, "j", "p", "right")
        assert " B on top" in picture(app)
        await press(pilot, app, "n")
        assert front(app) == "Picker"
        await press(pilot, app, *"v3-pub", "enter")
        text = picture(app)
        assert "baseline" in text
        await press(pilot, app, "B")
        assert any("kept as wide-bbbbbb.csv" in said for said in toasts(app))
        await press(pilot, app, "m", "R", "enter")
        assert app.comparison.metric == "R"
        await press(pilot, app, "i")
        assert front(app) == "ConfigPage"
        await press(pilot, app, *"lr")
        text = picture(app)
        assert "optim.lr" in text
        assert "--set" in text
        assert "1 of 3 values, 1 chosen by hand" in text
        assert "steps " not in text.split("search")[-1]
        await press(pilot, app, "escape")
        for size in ((100, 30), (80, 24)):
            await pilot.resize_terminal(*size)
            await settle(pilot, app)
            assert "demo" in picture(app)
        await press(pilot, app, "d")
        assert "keys differ" in picture(app), "on a small terminal d shows them in place of the curves"
        await press(pilot, app, "delete", "delete", "delete")
        assert "Nothing is compared yet" in picture(app)


async def test_a_host_that_is_away_says_why_there_is_no_configuration() -> None:
    (local,), acts = connected(), FakeActs()
    app = cockpit(local, acts=acts)
    async with app.run_test(size=(100, 30)) as pilot:
        local.connect(view())
        await settle(pilot, app)
        local.lose()
        await settle(pilot, app)
        await press(pilot, app, "4")
        assert "local is not reachable" in picture(app)
        assert ("local", "details demo-aaaaaa") not in acts.asked


@pytest.mark.chaos
async def test_no_key_of_the_screen_is_dead(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("PHOTINUS_HOME", str(tmp_path / "home"))
    (local,) = connected()
    app = cockpit(local)
    before: dict[str, tuple[str, ...]] = {"Z": ("z",), "0": ("y",), "p": ("j",)}
    async with app.run_test(size=(100, 30)) as pilot:
        local.connect(*(view(run_id) for run_id in RUNS))
        await settle(pilot, app)
        for run_id, end in zip(RUNS, (600, 300), strict=True):
            local.send(run_id, "events", events(range(0, end, 5)))
        await settle(pilot, app)
        here = [key for key in keys_of("compare") if key.where != EVERYWHERE]
        for key in here[:: trials(4, 1)]:
            app.comparison.take([("local", run_id) for run_id in RUNS])
            if front(app) != "Compare":
                app.compare((), None)
                await settle(pilot, app)
            app.screen.query_one(OverlayChart).reset()
            await press(pilot, app, "g", *before.get(key.keys, ()))
            app.clear_notifications()
            was = picture(app), front(app), toasts(app)
            await press(pilot, app, key.keys)
            assert (picture(app), front(app), toasts(app)) != was, f"{key.keys} is dead"
            while front(app) not in ("Compare", "Fleet", "RunScreen"):
                app.pop_screen()
