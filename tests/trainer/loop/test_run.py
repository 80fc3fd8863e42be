"""Whole runs, in this process: what they say, what they leave, what they refuse."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from tests.trainer.loop.tiny import events, last_word, moments, run, signals_restored, weights
from trainer import cli
from trainer.loop import train
from trainer.loop.context import Training
from trainer.run.checkpoints.manifest import list_checkpoints, verify
from trainer.run.locks import Flock


def test_run_ends_with_everything_that_was_promised(
    tmp_path: Path, text: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    assert run(out, text, sets=["eval.every=3"]) == 0
    word = last_word(out)
    assert (word["outcome"], word["step"], word["steps_done"]) == ("succeeded", 6, 6)
    assert word["checkpoint"] == "step-00000006"
    verify(out / "checkpoints" / "step-00000006", word["sha256"])
    assert [row["step"] for row in events(out, "metrics")] == [1, 2, 4, 6]
    assert [row["step"] for row in events(out, "eval")] == [3, 6]
    assert {row["kind"] for row in events(out, "checkpoint")} >= {"periodic", "final"}
    assert events(out, "floors")[0]["bigram"] < events(out, "floors")[0]["unigram"]
    stored = json.loads((out / "config.json").read_text())
    assert stored["origins"]["steps"] == "--set"
    assert stored["origins"]["model.kind"] == "preset kssm-v3-tiny"
    assert stored["values"]["steps"] == 6
    said = capsys.readouterr().out
    assert "  Step |   Total |      CE |" in said
    assert "EVALUATION @ Step 3" in said
    assert "💾 Checkpoint @ Step 6" in said
    assert said.rstrip().endswith("Training Finished.")


def test_total_is_ce_plus_lambda_times_the_penalty(tmp_path: Path, text: Path) -> None:
    run(tmp_path / "run", text, sets=["model.reg=0.5", "checkpoint.every=0"])
    for row in events(tmp_path / "run", "metrics"):
        assert row["total"] == pytest.approx(row["ce"] + 0.5 * row["reg"], rel=1e-5)
        assert row["reg"] > 0.001  # with lambda = 1, the line above would fail


def test_metrics_carry_every_name_that_charts_and_lamps_use(tmp_path: Path, text: Path) -> None:
    run(tmp_path / "run", text, sets=["checkpoint.every=0"])
    names = (
        "total ce reg R coherence u_val u_low u_high grad_norm lr tokens tokens_per_s step_ms eta_s overhead"
    )
    row = events(tmp_path / "run", "metrics")[-1]
    assert set(names.split()) <= set(row)
    assert row["u_stat"] == "median"
    assert row["tokens"] == 6 * 4 * 16
    assert 0 <= row["overhead"] <= 1


def test_control_has_no_order_parameters_and_says_no_nonsense(tmp_path: Path, text: Path) -> None:
    out = tmp_path / "run"
    assert run(out, text, sets=["model.kind=gpt", "model.heads=2", "eval.every=3"]) == 0
    row = events(out, "metrics")[-1]
    assert "R" not in row
    assert "nonfinite" not in row
    assert row["reg"] == 0


def test_existing_checkpoints_are_neither_overwritten_nor_continued_unasked(
    tmp_path: Path, text: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    run(out, text)
    before = weights(out, 6)
    assert run(out, text) == 3
    assert "--resume" in capsys.readouterr().err
    assert weights(out, 6) == before


def test_fresh_moves_old_checkpoints_to_the_trash(tmp_path: Path, text: Path) -> None:
    out = tmp_path / "run"
    run(out, text)
    assert run(out, text, "--fresh", sets=["steps=2"]) == 0
    assert [info.step for info in list_checkpoints(out / "checkpoints")] == [2]
    assert len(list((out / "trash").glob("*/step-*"))) == 3
    assert events(out, "resume")[-1]["step"] == 0


def test_resume_with_no_checkpoint_starts_at_zero_and_says_so(
    tmp_path: Path, text: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path / "run", text, "--resume") == 0
    assert "no checkpoint to resume from: starting at step 0" in capsys.readouterr().out
    assert last_word(tmp_path / "run")["steps_done"] == 6


def test_resume_at_its_last_step_is_refused_never_succeeded(
    tmp_path: Path, text: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    run(out, text)
    assert run(out, text, "--resume") == 3
    assert "no step is left to do" in capsys.readouterr().err
    word = last_word(out)
    assert (word["outcome"], word["steps_done"], word["attempt"]) == ("failed", 0, 2)
    assert "--set steps=N" in word["reason"]


def test_resume_under_another_configuration_lists_the_differing_keys(
    tmp_path: Path, text: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    run(out, text, sets=["steps=2"])
    assert (
        run(out, text, "--resume", sets=["model.dim=24", "optim.beta1=0.8", "eval.every=1", "optim.lr=0.001"])
        == 3
    )
    said = capsys.readouterr().err
    assert "model.dim: 16 in the checkpoint, 24 now" in said
    assert "optim.beta1" in said
    assert "optim.lr" not in said, "asked for by name, it may be another one from here on"
    assert "eval.every" not in said


def test_resume_on_other_text_is_refused(
    tmp_path: Path, text: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    run(out, text, sets=["steps=2"])
    text.write_text(text.read_text().replace("firefly", "glow-worm"))
    assert run(out, text, "--resume") == 3
    assert "data_fingerprint" in capsys.readouterr().err


def test_a_text_under_another_suffix_of_plain_text_is_the_same(
    tmp_path: Path, text: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    run(out, text, sets=["steps=2"])
    renamed = text.rename(text.with_suffix(".bak"))
    assert run(out, renamed, "--resume", sets=["steps=3"]) == 0
    assert last_word(out)["steps_done"] == 1
    back = renamed.rename(text.with_suffix(".md"))
    assert run(out, back, "--resume", sets=["steps=4"]) == 0, "also of a checkpoint under a suffix of no kind"
    back.write_text(back.read_text().replace("firefly", "glow-worm"))
    assert run(out, back, "--resume", sets=["steps=5"]) == 3
    assert "data_fingerprint" in capsys.readouterr().err


def test_more_steps_continue_under_the_schedule_that_the_run_began_with(
    tmp_path: Path, text: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    run(out, text)
    assert run(out, text, "--resume", sets=["steps=8"]) == 0
    assert "8 steps under a schedule that spans 6" in capsys.readouterr().out
    rates = {row["step"]: row["lr"] for row in events(out, "metrics")}
    assert rates[8] == pytest.approx(0.006 * 0.1)
    assert rates[8] < rates[6] < rates[4]


def test_horizon_is_reshaped_only_when_it_is_said(tmp_path: Path, text: Path) -> None:
    out = tmp_path / "run"
    run(out, text)
    assert run(out, text, "--resume", sets=["steps=8", "optim.horizon=100"]) == 0
    assert events(out, "metrics")[-1]["lr"] > 0.9 * 0.004


def test_evaluating_and_sampling_do_not_disturb_training(tmp_path: Path, text: Path) -> None:
    quiet, busy = tmp_path / "quiet", tmp_path / "busy"
    run(quiet, text, sets=["model.noise=0.1"])
    run(busy, text, sets=["model.noise=0.1", "eval.every=1", "eval.sample_tokens=9", "log.every=1"])
    assert weights(quiet, 6) == weights(busy, 6)
    assert moments(quiet, 6) == moments(busy, 6)
    other = tmp_path / "other"  # negative control: another seed must show in the same comparison
    run(other, text, sets=["model.noise=0.1", "seed=99"])
    assert weights(other, 6) != weights(quiet, 6)


def test_locked_folder_is_busy_and_says_who(
    tmp_path: Path, text: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    out.mkdir()
    with Flock(out / "trainer.lock") as lock:
        assert lock.take()
        assert run(out, text) == 4
    assert "is being trained by" in capsys.readouterr().err
    assert run(out, text) == 0


def test_cross_entropy_that_is_not_finite_fails_the_run(
    tmp_path: Path, text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def poison(run: Training) -> None:
        real_step(run)
        if run.state.step == 3:
            with torch.no_grad():
                next(run.state.model.parameters()).fill_(float("nan"))

    real_step = train.step
    monkeypatch.setattr(train, "step", poison)
    out = tmp_path / "run"
    assert run(out, text, sets=["checkpoint.every=1", "log.every=2", "guard.rollbacks=2"]) == 1
    assert [row["checkpoint"] for row in events(out, "resume")] == ["step-00000002"] * 2
    word = last_word(out)
    assert word["outcome"] == "failed"
    assert "non-finite weights at step 3" in word["reason"]
    assert [info.step for info in list_checkpoints(out / "checkpoints")] == [1, 2]
    out = tmp_path / "no-save"
    assert run(out, text, sets=["checkpoint.every=0", "log.every=2", "guard.rollbacks=0"]) == 1
    assert "cross-entropy is not finite at step 4" in last_word(out)["reason"]
    assert last_word(out)["hopeless"] is True
    assert events(out, "metrics")[-1]["nonfinite"]
    assert [row["level"] for row in events(out, "note")] == ["error", "error"]


def test_unexpected_error_is_a_failure_with_its_own_words(
    tmp_path: Path, text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Training) -> None:
        raise TypeError("a bolt came loose")

    monkeypatch.setattr(train, "step", broken)
    assert run(tmp_path / "run", text) == 1
    assert last_word(tmp_path / "run")["reason"] == "TypeError: a bolt came loose"


@pytest.mark.parametrize("wrong", ["batch=3", "data.tokenizer=bpe", "device=cuda:99"])
def test_refused_resume_leaves_the_stored_configuration_as_it_was(
    tmp_path: Path, text: Path, wrong: str
) -> None:
    """Refused for its keys, for its tokens, for its device: before torch, and late."""
    out = tmp_path / "run"
    run(out, text, sets=["steps=2"])
    before = (out / "config.json").read_bytes()
    assert resume(out, wrong, "steps=4", "data.vocab=512") == 3
    assert (out / "config.json").read_bytes() == before
    assert resume(out, "steps=4") == 0
    assert json.loads((out / "config.json").read_text())["values"]["steps"] == 4


def resume(out: Path, *sets: str) -> int:
    """Continue with what is stored."""
    with signals_restored():
        return cli.main(["run", "--out", str(out), "--resume", *(f"--set={one}" for one in sets)])


def test_text_that_went_away_with_its_tokens_is_told_before_a_step(
    tmp_path: Path, text: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    run(out, text, sets=["steps=2"])
    text.rename(tmp_path / "elsewhere.txt")
    assert resume(out, "steps=3") == 0  # its tokens are in the cache still
    shutil.rmtree(tmp_path / "home" / "cache")
    capsys.readouterr()
    assert resume(out, "steps=4") == 2
    said = capsys.readouterr().err
    assert str(text) in said
    assert last_word(out)["steps_done"] == 0


def test_run_ends_with_its_save_in_the_order_of_its_phases(tmp_path: Path, text: Path) -> None:
    out = tmp_path / "run"
    assert run(out, text, sets=["steps=3", "eval.every=2", "checkpoint.every=2"]) == 0
    phases = [row["phase"] for row in events(out, "state")]
    assert phases[phases.index("training") :] == [
        *("training", "evaluating", "sampling", "training", "saving", "training"),
        *("evaluating", "sampling", "saving", "finished"),
    ]
