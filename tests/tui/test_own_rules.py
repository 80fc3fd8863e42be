"""An operator's own rules: the file, the engine, and both in a store."""

from pathlib import Path

import pytest

from remote.session.updates import Bytes, RunsSeen
from tests.tui.fake import START, WALL, view
from trainer.telemetry.alerts.own_rules import OwnRule
from trainer.telemetry.alerts.run_rules import RunRules
from tui.operator_files import read_into
from tui.own_rules import own_rules
from tui.store.store import Store


def steps_told(rule: OwnRule, *values: float) -> list[int | None]:
    rules = RunRules(None, [rule])
    found = [one for step, value in enumerate(values) for one in rules.row(step, {"gpu_temp": value})]
    return [one.step for one in found if one.rule == f"own.{rule.name}"]


def test_it_fires_after_so_many_rows_once_and_again_after_as_many_within() -> None:
    hot = OwnRule("hot", "gpu_temp", above=90, rows=3)
    assert steps_told(hot, 91, 91, 80, 91, 91, 90) == []
    assert steps_told(hot, 91, 92, 93, 94, 80, 91, 91, 91) == [2]
    assert steps_told(hot, *[91] * 5, *[80] * 3, *[91] * 3) == [2, 10]
    assert steps_told(OwnRule("cold", "gpu_temp", below=10), 10, 9, float("nan"), 9, 11, 9) == [1, 5]
    assert steps_told(OwnRule("other", "lr", above=0), 91, 91) == []


def test_scores_are_rows_of_their_own() -> None:
    rules = RunRules(None, [OwnRule("worse", "val_acc", below=0.5, level="error")])
    (one,) = rules.scores(10, {"val_acc": 0.4})
    assert (one.level, one.text) == ("error", "worse: val_acc is 0.4, below 0.5")


def test_a_rule_that_is_wrong_costs_itself_and_is_told(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    assert own_rules(path) == ([], [])
    path.write_text(
        "hot: {metric: gpu_temp, above: 90, rows: 3, level: error}\n"
        "a b: {metric: x, above: 1}\n"
        "none: {above: 1}\n"
        "lim: {metric: x}\n"
        "inf: {metric: x, above: .inf}\n"
        "row: {metric: x, above: 1, rows: 0}\n"
        "key: {metric: x, abov: 1, above: 1}\n"
        "txt: hello\n"
    )
    rules, faults = own_rules(path)
    assert rules == [OwnRule("hot", "gpu_temp", above=90, rows=3, level="error")]
    said = "\n".join(faults)
    for name in ("a b", "none", "lim", "inf", "row", "key", "txt"):
        assert f"rule {name!r}" in said
    assert "did you mean 'above'?" in said
    path.write_text("- hot")
    assert "must be a mapping" in own_rules(path)[1][0]
    path.write_text("hot: [")
    assert "not YAML" in own_rules(path)[1][0]


def test_it_is_in_force_in_a_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTINUS_HOME", str(tmp_path))
    path = tmp_path / "client" / "alerts" / "rules.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("hot: {metric: gpu_temp, above: 90}\nbad: 7\n")
    store = Store(["local"])
    assert ["'bad'" in text for text in read_into(store)] == [True]
    store.apply("local", RunsSeen((view(kind="command", max_steps=0),), WALL), START, WALL)
    log = b"step=1 loss=2.0 gpu_temp=80\nstep=2 loss=2.0 gpu_temp=95\n"
    store.apply("local", Bytes(1, "demo-aaaaaa", "log", 1, 0, log, "001.log", WALL), START, WALL)
    (alert,) = store.take_news()
    assert (alert.rule, alert.text) == ("own.hot", "demo: hot: gpu_temp is 95, above 90")
