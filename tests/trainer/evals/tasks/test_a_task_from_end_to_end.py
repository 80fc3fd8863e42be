"""A run on a task: trained, scored by its answers, resumed, evaluated beside its baselines."""

import json
from pathlib import Path

import pytest

from tests.trainer.loop.tiny import events, last_word, run, text_fixture, weights
from trainer import cli

__all__ = ["text_fixture"]
TASK = ("data.kv_pairs=2", "context=32", "model.kind=gated", "eval.tokens=640", "eval.every=3", "steps=6")


@pytest.mark.usefixtures("text")
def test_a_run_on_a_task_is_scored_by_its_answers_and_evaluated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainer.evals.tasks.task_evaluation.FITTED", 200)
    trained = tmp_path / "run"
    assert run(trained, Path("kv-recall"), sets=TASK) == 0
    assert last_word(trained)["outcome"] == "succeeded"
    said = capsys.readouterr().out
    assert "val: 20 sequences, 20 answers" in said
    assert "Val accuracy:" in said
    scores = events(trained, "eval")[-1]
    assert 0 <= scores["val_accuracy"] <= 1
    assert "val_bpb" not in scores
    assert cli.main(["evaluate", str(trained), "--sequences", "50", "--json"]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["accuracy"]["n"] == 50
    assert found["chance"] == pytest.approx(1 / 64)
    assert [one["name"] for one in found["baselines"]] == [
        "majority", "best stump", "bag of tokens", "last 4 tokens", "rule: the value that was stored last",
    ]  # fmt: skip
    assert cli.main(["evaluate", str(trained), "--sequences", "50"]) == 0
    page = capsys.readouterr().out
    assert "chance        0.016" in page
    assert "of the way from chance to 1" in page
    assert run(cut := tmp_path / "cut", Path("kv-recall"), sets=(*TASK, "steps=4", "optim.horizon=6")) == 0
    assert run(cut, Path("kv-recall"), "--resume", sets=(*TASK, "optim.horizon=6")) == 0
    assert weights(cut, 6) == weights(trained, 6)


def test_a_task_is_no_text(tmp_path: Path, text: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path / "short", Path("kv-recall"), sets=("context=16",)) == 2
    assert "give a context of at least 22" in capsys.readouterr().err
    assert run(tmp_path / "mixed", Path(f"mix:1*kv-recall,1*{text}")) == 2
    assert "kv-recall cannot be mixed" in capsys.readouterr().err
