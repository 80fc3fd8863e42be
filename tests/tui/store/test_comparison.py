"""What is compared: letters that stay, values at one step, differences of configurations, baselines."""

import math
from pathlib import Path

import pytest

from remote.protocol.values import read_as
from remote.protocol.views import RunDetails
from tests.tui.fake import START, WALL, view
from trainer.config.locate import configs_dir
from trainer.reproduce import published_claims
from trainer.telemetry.events import Metrics
from tui.baselines import Baselines, file_name
from tui.store.compare.baseline_file import ROWS_MAX, Baseline, baseline_text, parse_baseline
from tui.store.compare.comparison import LETTERS, Comparison, common_step, metrics_of
from tui.store.compare.config_sheet import AGAIN_S, ConfigSheets
from tui.store.compare.config_values import config_values, diff_rows
from tui.store.metrics.series import Series
from tui.store.runs import RunRecord
from tui.store.store import RunKey, Store
from tui.store.wanted import GLIMPSE, WHOLE, wanted


def run_of(run_id: str, values: dict[int, float], metric: str = "ce") -> RunRecord:
    run = RunRecord(host="local", view=view(run_id, name=run_id), received_at=START)
    for step, value in values.items():
        run.apply(Metrics(seq=1, attempt=1, t=WALL, step=step, values={metric: value}), START)
    return run


def store_of(*runs: RunRecord) -> Store:
    store = Store(["local"])
    store.runs = {("local", run.run_id): run for run in runs}
    return store


def key(run_id: str) -> RunKey:
    return "local", run_id


def test_a_letter_stays_with_its_run_and_the_seventh_finds_none() -> None:
    comparison = Comparison()
    assert comparison.take([key(f"r{number}") for number in range(7)]) == 1
    comparison.remove(key("r1"))
    store = store_of(*(run_of(f"r{number}", {1: 1.0}) for number in range(7)))
    assert [one.letter for one in comparison.contenders(store, {})] == ["A", "C", "D", "E", "F"]
    assert comparison.add("a baseline")
    found = comparison.contenders(store, {"a baseline": Baseline("a baseline")})
    assert [(one.letter, one.member) for one in found][1] == ("B", "a baseline")
    comparison.take([key("r5")])
    assert comparison.members == ("a baseline", key("r5")), "baselines stay, letters too"
    assert len(LETTERS) == 6


def test_the_pinned_one_stays_pinned_until_it_goes() -> None:
    comparison = Comparison()
    comparison.take([key("a"), key("b")])
    assert comparison.pinned == "A"
    comparison.pin(key("b"))
    comparison.remove(key("a"))
    assert comparison.pinned == "B"
    comparison.remove(key("b"))
    assert comparison.pinned == ""
    comparison.take([key("gone")])
    comparison.drop_gone(store_of())
    assert comparison.runs == ()


def test_each_one_is_compared_by_its_own_loss_at_a_step_that_all_have_reached() -> None:
    ours, command = run_of("ours", {0: 5.0, 10: 3.0, 20: 2.0}), run_of("mine", {5: 4.0, 15: 1.5}, "loss")
    silent = run_of("silent", {})
    comparison = Comparison()
    comparison.take([key("ours"), key("mine"), key("silent")])
    found = comparison.contenders(store_of(ours, command, silent), {})
    assert [one.metric for one in found] == ["ce", "loss", ""]
    assert common_step(found) == 15
    assert [one.at(15) for one in found] == [3.0, 1.5, None]
    assert found[1].at(4) is None, "nothing is said before its first step"
    assert metrics_of(found) == {"ce": 1, "loss": 1}
    comparison.metric = "ce"
    assert [one.metric for one in comparison.contenders(store_of(ours, command, silent), {})][1] == ""
    apart = run_of("late", {100: 1.0})
    comparison.take([key("ours"), key("late")])
    assert common_step(comparison.contenders(store_of(ours, apart), {})) is None


def test_changed_keys_come_first_and_what_is_not_known_is_no_difference() -> None:
    rows = diff_rows([{"lr": "1", "dim": "64", "seed": "3"}, {"lr": "2", "dim": "64"}, None])
    assert [(row.key, row.differs, row.is_partly) for row in rows] == [
        ("lr", True, False),
        ("seed", False, True),
        ("dim", False, False),
    ]
    assert rows[0].texts == ("1", "2", None)


def details(**changes: object) -> RunDetails:
    spec = {"config": {"optim": {"lr": 0.004}, "steps": 30, "compile": False}, "device": "cpu"}
    told = {**view().to_json(), "wall": WALL, "spec": {**spec, **changes}}
    return read_as(RunDetails, told)


def test_every_value_has_its_origin_and_hands_stand_out() -> None:
    values = config_values(details(origins={"optim.lr": "--set", "steps": "preset kssm-v3-tiny"}))
    told = {one.key: (one.text, one.origin, one.is_chosen) for one in values}
    assert told["optim.lr"] == ("0.004", "--set", True)
    assert told["steps"] == ("30", "preset kssm-v3-tiny", False)
    assert told["compile"] == ("false", "", False)
    assert told["preset"][0] == "kssm-v3-tiny"
    hostile = config_values(details(config={"a": "x\x1b]0;t\x07\ny"}, origins=3))
    assert next(one.text for one in hostile if one.key == "a").isprintable()
    argv = {"argv": ["python", "t.py"], "env": {"A": 1}}
    command = read_as(RunDetails, {**details().to_json(), "kind": "command", "spec": argv})
    assert {one.key: one.text for one in config_values(command)}["argv"] == "python t.py"


def test_a_host_is_asked_once_an_attempt_and_again_after_a_refusal() -> None:
    sheets = ConfigSheets()
    assert sheets.is_wanted(key("a"), 1, 0.0)
    sheets.ask(key("a"), 1, 0.0)
    assert not sheets.is_wanted(key("a"), 1, 0.0)
    sheets.take(key("a"), config_values(details()))
    assert not sheets.is_wanted(key("a"), 1, 99.0)
    assert sheets.is_wanted(key("a"), 2, 99.0), "a resume may have changed it"
    sheets.ask(key("a"), 2, 99.0)
    sheets.take(key("a"), None, "away")
    assert sheets.of(key("a"), 2).values is not None, "what was told stands"
    assert not sheets.is_wanted(key("a"), 2, 99.0)
    assert sheets.is_wanted(key("a"), 2, 99.0 + AGAIN_S)


def test_a_run_kept_as_a_baseline_comes_back_with_its_gaps(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PHOTINUS_HOME", str(tmp_path / "home"))
    run = run_of("mine", {0: 5.0, 10: math.nan, 20: 2.5})
    run.apply(Metrics(seq=1, attempt=1, t=WALL, step=20, values={"val,odd": 3.0}), START)
    kept = Baselines()
    kept.keep("mine", baseline_text("of me", run.series, {"optim.lr": "0.1"}))
    (found,) = kept.of(("mine",)).values()
    assert list(found.series["ce"].steps) == [0, 10, 20]
    assert list(found.series["ce"].gaps) == [10]
    assert found.series["val,odd"].last == 3.0
    assert (found.note, found.config) == ("of me", {"optim.lr": "0.1"})
    assert kept.names()[0] == "mine"
    assert kept.of(("away",))["away"].trouble == "its file is gone"
    assert file_name("../x y") == "x-y"


@pytest.mark.parametrize(
    ("text", "trouble"),
    [("", "no column"), ("a,b\nx,y\n", "no column"), ("step,ce\n" + "1,1\n" * (ROWS_MAX + 1), "more than")],
)
def test_what_is_no_table_says_so(text: str, trouble: str) -> None:
    assert trouble in parse_baseline("b", text).trouble


def test_a_foreign_table_counts_its_rows_where_it_has_no_steps() -> None:
    found = parse_baseline("b", "# note: mine\nloss,word\n3.0,a\n2.0,b\n")
    assert list(found.series) == ["loss"]
    assert list(found.series["loss"].steps) == [0, 1]
    epochs = parse_baseline("b", "epoch,loss\n1,3\n1,4\n2,2\n")
    assert list(epochs.series["loss"].steps) == [1, 2], "a step that does not grow takes nothing back"


def test_the_published_figures_that_ship_are_those_that_are_rerun(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PHOTINUS_HOME", str(tmp_path))
    names = tuple(path.stem for path in (configs_dir() / "baselines").glob("*.csv"))
    shipped = Baselines().of(names)
    assert len(shipped) == 3
    assert not any(one.trouble for one in shipped.values())
    told = dict(zip(("", "bistable-", "monostable-"), published_claims.PUBLISHED_RUNS, strict=False))
    for kind, run in told.items():
        tone = shipped[f"kssm-v3-{kind}published"].series["R"]
        for step, value in run.observed:
            index = tone.index_at(step)
            assert index is not None
            assert tone.steps[index] == step
            assert tone.tree.values[index] == pytest.approx(value, abs=5e-5)
    losses = [
        shipped[f"kssm-v3-{kind}published"].series["val_loss"].last for kind in ("bistable-", "monostable-")
    ]
    assert losses == [published_claims.BISTABLE_VAL_LOSS, published_claims.MONOSTABLE_VAL_LOSS]


def test_a_run_that_is_compared_is_heard_from_its_beginning() -> None:
    over = RunRecord(host="local", view=view("over", state="succeeded"), received_at=START)
    store = store_of(over)
    assert wanted(store, None) == {("local", "over", "events"): GLIMPSE}
    assert wanted(store, None, [key("over")]) == {("local", "over", "events"): WHOLE}


def test_a_series_without_rows_is_no_baseline() -> None:
    with pytest.raises(ValueError, match="no metric"):
        baseline_text("", {"ce": Series()}, {})
