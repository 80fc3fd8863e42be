"""Looks into a model, from the line that a run writes to what an operator sees of them."""

import json
from typing import Any

import pytest

from remote.session.updates import LinkChanged, RunsSeen
from tests.tui.driving import picture, settle
from tests.tui.fake import WALL, FakeSession, cockpit, events, view
from tests.tui.store.test_store import KEY, UP, said, tell, words
from trainer.telemetry.bands import Bands
from trainer.telemetry.events import Evaluation
from trainer.telemetry.flat import flatten
from trainer.telemetry.judge import judge
from tui.app import Cockpit
from tui.commands.runs.summary import full, full_words
from tui.store.runs import RunRecord
from tui.store.store import Store
from tui.widgets.oscillators import MOST, rows
from tui.widgets.panel import Panel
from tui.widgets.run_head import head


@pytest.fixture
def store(bands: Bands) -> Store:
    made = Store(["local"], bands)
    tell(made, LinkChanged(UP), RunsSeen((view(),), WALL))
    return made


def probed(step: int = 300, layers: int = 4, **values: Any) -> str:
    """A line of events.jsonl."""
    told = {"warfare_ratio": 0.04, "warfare_cosine": -0.62, "u_shuffled": 0.0004, "z": 0.41, **values}
    columns = {
        "u": [0.1, *[1.25] * (layers - 1)], "u_low": [0.75] * layers, "u_high": [0.0] * layers,
        "coherence": [0.61] * layers, "R": [0.27] * layers, "z": [0.41] * layers,
    }  # fmt: skip
    head = {"type": "probe", "seq": 5000 + step, "attempt": 1, "t": WALL, "step": step}
    return json.dumps({**head, **told, "layers": columns}) + "\n"


def looked(store: Store, text: str) -> RunRecord:
    tell(store, said(events(range(300, 301)) + text))
    return store.runs[KEY]


def test_a_look_lights_its_lamps_and_outlives_the_rows_after_it(store: Store) -> None:
    run = looked(store, probed())
    tell(store, said(events(range(305, 306)), offset=9999))
    lit = words(store)
    assert (lit["warfare_ratio"], lit["warfare_cosine"], lit["u_shuffled"]) == (
        "quiet",
        "opposed",
        "no effect",
    )
    assert lit["coherence"] == "partial"
    assert run.numbers["ce"] == run.row["ce"]
    assert list(run.series["warfare_ratio"].steps) == [300]


def test_a_run_that_stepped_back_tells_its_story_while_it_trains(store: Store, bands: Bands) -> None:
    text = {"type": "step_back", "seq": 9000, "attempt": 1, "t": WALL, "step": 280, "found": 300,
            "reason": "a spike of the loss", "times": 1, "most": 10, "rate": 0.8, "until": 320}  # fmt: skip
    run = looked(store, "")
    host = store.hosts["local"]

    def facts() -> str:
        return head(run, host, 0.0, WALL, 160)[1].plain

    assert "stepped back" not in facts()
    tell(store, said(json.dumps(text) + "\n", offset=9999))
    assert "stepped back (1 of 10) from 300; 0.80 of the rate until step 320: a spike of the loss" in facts()
    assert full("local", run, bands)["step_back"] == {
        "step": 280, "found": 300, "reason": "a spike of the loss", "checkpoint": "", "times": 1, "most": 10,
        "left_out": 0, "rate": 0.8, "until": 320,
    }  # fmt: skip


def test_without_a_look_there_is_nothing_of_it(store: Store, bands: Bands) -> None:
    run = looked(store, "")
    assert not {"warfare_ratio", "warfare_cosine", "u_shuffled", "det"} & set(words(store))
    assert full("local", run, bands)["probe"] is None
    assert rows(run.probe, [], bands, 40) == []


def test_a_resume_from_before_a_look_takes_it_back(store: Store) -> None:
    run = looked(store, probed(200) + probed(300))
    resume = '{"type":"resume","seq":9990,"attempt":2,"t":1.0,"step":%d,"checkpoint":"c"}\n'
    tell(store, said(resume % 300, offset=99999))
    assert "warfare_ratio" in words(store)
    tell(store, said(resume % 250, offset=199999))
    assert "warfare_ratio" not in words(store)
    assert run.probe is None
    assert list(run.series["warfare_ratio"].steps) == [200]


def test_a_script_gets_numbers_lamps_and_layers(store: Store, bands: Bands) -> None:
    shown = full("local", looked(store, probed(warfare_ratio=None, nonfinite=["warfare_ratio"])), bands)
    assert shown["metrics"]["warfare_cosine"] == -0.62
    assert shown["metrics"]["warfare_ratio"] is None
    assert shown["health"]["warfare_cosine"]["word"] == "opposed"
    assert shown["probe"]["step"] == 300
    assert shown["probe"]["layers"]["u"] == [0.1, 1.25, 1.25, 1.25]
    json.dumps(shown["probe"], allow_nan=False)


@pytest.mark.parametrize(
    ("metric", "value", "word", "severity"),
    [
        ("warfare_ratio", 0.099, "quiet", "ok"),
        ("warfare_ratio", 0.1, "audible", "info"),
        ("warfare_ratio", 0.5, "loud", "warn"),
        ("warfare_ratio", 1.0, "dominating", "bad"),
        ("warfare_cosine", -0.51, "opposed", "info"),
        ("warfare_cosine", -0.5, "leans against", "info"),
        ("warfare_cosine", 0.1, "unrelated", "info"),
        ("warfare_cosine", 0.11, "same way", "info"),
        ("u_shuffled", -0.011, "better without", "warn"),
        ("u_shuffled", -0.0011, "slightly against", "info"),
        ("u_shuffled", 0.001, "no effect", "info"),
        ("u_shuffled", 0.01, "slight", "info"),
        ("u_shuffled", 0.011, "u matters", "ok"),
        ("coherence", 0.3, "partial", "info"),
    ],
)
def test_bands_of_a_look_at_their_borders(
    bands: Bands, metric: str, value: float, word: str, severity: str
) -> None:
    verdict = judge(bands, metric, value, {})
    assert (verdict.word, verdict.severity) == (word, severity)


def test_the_table_has_a_row_a_layer_and_says_where_u_is_clamped(store: Store, bands: Bands) -> None:
    run = looked(store, probed(layers=3))
    made = [row.plain for row in rows(run.probe, [], bands, 43)]
    assert made[0] == "at step 300"
    assert made[1].split() == ["#", "u", "low", "high", "coh", "R", "|z|"]
    assert made[2].split() == ["1", "▼", "0.10", "75", "%", "0", "%", "0.61", "0.27", "0.41"]
    assert made[3].split()[:3] == ["2", "◐", "1.25"]
    assert all(len(row) <= 43 for row in made)


def test_of_many_layers_the_first_are_shown_and_the_others_counted(store: Store, bands: Bands) -> None:
    made = [row.plain for row in rows(looked(store, probed(layers=12)).probe, [], bands, 43)]
    assert len(made) == 2 + MOST
    assert made[-1].strip() == "5 more layers: photinus show --json"


def test_what_a_layer_does_not_tell_is_na_and_what_none_tells_has_no_column(
    store: Store, bands: Bands
) -> None:
    line = '{"type":"probe","seq":1,"attempt":1,"t":1.0,"step":5,"layers":{"R":[0.1,null],"det":[0.9]}}\n'
    tell(store, said(line))
    made = [row.plain.split() for row in rows(store.runs[KEY].probe, [], bands, 43)]
    assert made[1:] == [["#", "R", "|Δ|"], ["1", "0.10", "0.90"], ["2", "n/a", "n/a"]]


def test_a_look_that_is_malformed_is_counted_and_breaks_nothing(store: Store) -> None:
    tell(store, said('{"type":"probe","seq":1,"attempt":1,"t":1.0,"step":5,"layers":{"R":"x"}}\n'))
    assert store.runs[KEY].probe is None


async def on_screen(size: tuple[int, int], more: str) -> tuple[str, bool]:
    """What the Run screen shows after these lines, and whether the panel is there."""
    session = FakeSession()
    app: Cockpit = cockpit(session)
    async with app.run_test(size=size) as pilot:
        session.connect(view())
        await settle(pilot, app)
        session.send(KEY[1], "events", events(range(0, 301, 5), R_predicted=0.2) + more)
        await settle(pilot, app)
        await pilot.press("enter")
        await settle(pilot, app)
        await settle(pilot, app)
        return picture(app), app.screen.query_one("#oscillators", Panel).display


async def test_the_run_screen_shows_the_look_and_the_prediction(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    text, there = await on_screen((160, 50), probed(warfare_ratio=0.7))
    assert there
    for word in ("Oscillators", "at step 300", "▼ 0.10", "△ loud", "⇄ opposed", "∅ no effect", "◐ partial"):
        assert word in text, word
    assert "lower model.reg" in " ".join(text.split())
    assert "○ weight decay 0.2000" in text


async def test_on_a_short_screen_its_lamps_stand_among_the_others() -> None:
    text, there = await on_screen((110, 30), probed(warfare_ratio=0.7))
    assert not there
    assert "△ loud" in text


async def test_a_run_that_never_looks_has_no_panel_for_it() -> None:
    text, there = await on_screen((160, 50), "")
    assert not there
    assert "Oscillators" not in text
    assert "warfare" not in text


def test_scores_are_told_under_the_names_that_a_run_has_for_them(store: Store, bands: Bands) -> None:
    run = looked(store, "")
    for seq, values in ((9100, {"val_loss": 2.5, "val_acc": 0.4}), (9101, {"val_ce": 1.25, "val_loss": 2.5})):
        scores = Evaluation(seq=seq, attempt=1, t=WALL, step=280, values=values)
        tell(store, said(json.dumps(flatten(scores)) + "\n", offset=seq * 1000))
    assert "  validation   CE 1.25 at step 280" in full_words(full("local", run, bands))
    shown = full("local", run, bands) | {"eval": {"step": 280, "val_loss": 2.5, "val_acc": 0.4}}
    assert "  validation   val_loss 2.5, val_acc 0.4 at step 280" in full_words(shown)
    assert "  validation   no finite score at step 280" in full_words(
        shown | {"eval": {"step": 280, "val_loss": None}}
    )
