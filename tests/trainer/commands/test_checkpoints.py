"""`photinus-train checkpoints`, on folders that no torch has written; an older one among them."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.trainer.run.checkpoints.test_manifest import make
from trainer import cli
from trainer.job.outcome import ExitCode
from trainer.run.checkpoints.manifest import checkpoint_name, list_checkpoints
from trainer.run.layout import RunDir


@pytest.fixture(name="run")
def run_fixture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunDir:
    """A run of five checkpoints, the second one the best; its configuration knows none of the newer keys."""
    monkeypatch.setenv("PHOTINUS_HOME", str(tmp_path / "home"))
    run = RunDir(tmp_path / "run").create()
    parent = "base-abcdef/step-00000900"
    for step, ce in ((9, 3.0), (15, 1.0), (100, 2.0), (200, None), (300, 2.5)):
        metrics = {} if ce is None else {"val_ce": {"value": ce, "direction": "min"}}
        config = {"optim": {"lr": 0.1 if step < 100 else 0.01}}
        make(run.checkpoints, step, metrics=metrics, parent=parent, config=config)
        parent = checkpoint_name(step)
    old = {
        "checkpoint": {
            "every": 200,
            "keep_last": 2,
            "keep_best": 1,
            "keep_every": 0,
            "max_gb": 0.0,
            "pins": "9",
        }
    }
    (run.path / "config.json").write_text(json.dumps({"values": old, "origins": {}, "preset": ""}))
    return run


def ask(capsys: pytest.CaptureFixture[str], run: RunDir, verb: str, *more: str, code: int = 0) -> Any:
    """Return what a verb says with --json; of a refusal what stderr says."""
    assert cli.main(["checkpoints", verb, str(run.path), *more, "--json"]) == code
    told = capsys.readouterr()
    return json.loads(told.out) if told.out else told.err


def test_list_ranks_by_the_primary_metric_and_marks(run: RunDir, capsys: pytest.CaptureFixture[str]) -> None:
    rows = ask(capsys, run, "list")["checkpoints"]
    assert [row["step"] for row in rows] == [9, 15, 100, 200, 300]
    assert [row["rank"] for row in rows] == [4, 1, 2, None, 3]
    assert [row["marks"] for row in rows] == [[], ["best"], [], [], ["latest"]]
    assert cli.main(["checkpoints", "list", str(run.path)]) == 0
    assert "val_ce 1" in capsys.readouterr().out


def test_show_and_diff_read_manifests_alone(run: RunDir, capsys: pytest.CaptureFixture[str]) -> None:
    for info in list_checkpoints(run.checkpoints):
        (info.path / "model.safetensors").unlink()  # not a tensor is looked at
    assert ask(capsys, run, "show", "best")["step"] == 15
    rows = ask(capsys, run, "diff", "15", "latest")["differences"]
    assert ["config.optim.lr", 0.1, 0.01] in rows
    assert ["metrics.val_ce.value", 1.0, 2.5] in rows
    assert not [row for row in rows if row[0].startswith("files")]


def test_verify_names_what_does_not_hold(run: RunDir, capsys: pytest.CaptureFixture[str]) -> None:
    assert set(ask(capsys, run, "verify").values()) == {"ok"}
    (run.checkpoints / checkpoint_name(100) / "model.safetensors").write_bytes(b"torn")
    told = ask(capsys, run, "verify", code=1)
    assert "it is torn" in told.pop(checkpoint_name(100))
    assert set(told.values()) == {"ok"}


def test_retain_plans_first_then_acts_and_is_undone(run: RunDir, capsys: pytest.CaptureFixture[str]) -> None:
    ask(capsys, run, "pin", "100")
    plan = ask(capsys, run, "retain", "--plan", "--keep-last", "1")
    named = plan.pop("plan")
    assert plan == {
        "keep": {
            checkpoint_name(9): "pinned", checkpoint_name(15): "best", checkpoint_name(100): "pinned",
            checkpoint_name(300): "latest",
        },
        "remove": [checkpoint_name(200)], "done": False,
    }  # fmt: skip
    assert len(list_checkpoints(run.checkpoints)) == 5
    ask(capsys, run, "unpin", "100")  # two would go now: not what was planned
    words = ("retain", "--keep-last", "1", "--as-planned", named)
    ask(capsys, run, *words, code=ExitCode.REFUSED)
    assert len(list_checkpoints(run.checkpoints)) == 5
    ask(capsys, run, "pin", "100")
    assert ask(capsys, run, *words)["done"]
    assert [info.step for info in list_checkpoints(run.checkpoints)] == [9, 15, 100, 300]
    assert ask(capsys, run, "list")["trash"] == [checkpoint_name(200)]
    assert ask(capsys, run, "restore")["restored"] == [checkpoint_name(200)]
    assert len(list_checkpoints(run.checkpoints)) == 5
    ask(capsys, run, "unpin", "100")
    assert checkpoint_name(100) in ask(capsys, run, "retain", "--plan", "--keep-last", "1")["remove"]


def test_every_rule_can_be_said(run: RunDir, capsys: pytest.CaptureFixture[str]) -> None:
    def kept(*words: str) -> list[int]:
        return [int(name[5:]) for name in ask(capsys, run, "retain", "--plan", *words)["keep"]]

    assert sorted(kept()) == [9, 15, 200, 300]
    assert sorted(kept("--keep-last", "1", "--keep-best", "3")) == [9, 15, 100, 300]
    assert sorted(kept("--keep-last", "1", "--keep-every", "100")) == [9, 15, 100, 200, 300]
    assert sorted(kept("--keep-last", "5", "--max-gb", "0.000000001")) == [9, 15, 300]


def test_lineage_names_the_parent_that_is_elsewhere(run: RunDir, capsys: pytest.CaptureFixture[str]) -> None:
    make(run.checkpoints, 150, parent=checkpoint_name(100))
    rows = ask(capsys, run, "lineage")
    assert (rows[0]["name"], rows[0]["here"]) == ("base-abcdef/step-00000900", False)
    depth = {row["name"]: row["depth"] for row in rows}
    assert depth[checkpoint_name(150)] == depth[checkpoint_name(200)] == depth[checkpoint_name(100)] + 1


def test_what_is_not_there_is_named(run: RunDir, capsys: pytest.CaptureFixture[str]) -> None:
    assert "there are step-00000009 to step-00000300" in ask(capsys, run, "show", "7", code=2)
    assert "is not in the trash" in ask(capsys, run, "restore", "7", code=3)
    assert cli.main(["checkpoints", "list", "nowhere"]) == 2


def test_words_of_a_manifest_reach_no_terminal(run: RunDir, capsys: pytest.CaptureFixture[str]) -> None:
    make(run.checkpoints, 400, kind="\x1b[2J", parent="\x9b31m")
    assert cli.main(["checkpoints", "list", str(run.path)]) == 0
    assert not {"\x1b", "\x9b"} & set(capsys.readouterr().out)
