"""Continuing exactly: the killed run and the uninterrupted one end in the same bits."""

import random
import shutil
from pathlib import Path

import pytest

from tests.trainer.loop.tiny import events, last_word, moments, run, spawn, weights
from tests.trials import trials
from tests.waiting import BUSY, wait_until
from trainer.checkpoints.origin import NEWEST, find_origin
from trainer.run.checkpoints.manifest import list_checkpoints
from trainer.run.layout import RunDir
from trainer.run.run_errors import CheckpointError

STEPS = 300
LONG = [f"steps={STEPS}", "checkpoint.every=25", "eval.every=50", "model.noise=0.1", "log.every=1"]


def killed_on_its_way(out: Path, text: Path, rng: random.Random) -> bool:
    """A run that is killed at a random step; False where it was over before."""
    after = rng.randrange(1, STEPS // 2)
    process = spawn(out, text, sets=LONG)
    try:
        wait_until(lambda: any(row["step"] >= after for row in events(out, "metrics")), 40, f"step {after}")
    finally:
        process.kill()
        process.communicate()
    return not (out / "checkpoints" / f"step-{STEPS:08d}").exists()


@pytest.mark.chaos
@pytest.mark.parametrize("trial", range(trials(0, 20)))
def test_killed_and_resumed_run_ends_in_the_same_bits(tmp_path: Path, text: Path, trial: int) -> None:
    rng, whole = random.Random(trial), tmp_path / "whole"
    assert run(whole, text, sets=LONG) == 0
    killed = next(place for n in range(5) if killed_on_its_way(place := tmp_path / f"killed{n}", text, rng))
    resumed = spawn(killed, text, "--resume", sets=LONG)
    said, _ = resumed.communicate(timeout=50 * BUSY)
    assert resumed.returncode == 0, said
    assert last_word(killed)["steps_done"] + events(killed, "resume")[-1]["step"] == STEPS
    assert weights(killed, STEPS) == weights(whole, STEPS)
    assert moments(killed, STEPS) == moments(whole, STEPS)


@pytest.mark.parametrize("lost", ["generators", "moments", "cursor"])
def test_resume_that_forgot_something_would_not_end_in_the_same_bits(
    tmp_path: Path, text: Path, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    """Negative control of the comparison above: each part of the state shows."""
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    sets = ["model.noise=0.1"]
    run(whole, text, sets=sets)
    shutil.copytree(whole, broken)
    for step in (4, 6):
        shutil.rmtree(broken / "checkpoints" / f"step-{step:08d}")
    with monkeypatch.context() as patch:
        if lost == "generators":
            patch.setattr("trainer.checkpoints.generators.restore", lambda *_: None)
        elif lost == "moments":
            patch.setattr("trainer.checkpoints.restore.set_moments", lambda *_: None)
        else:
            real = __import__("trainer.data", fromlist=["Batches"]).Batches.batch_at
            patch.setattr("trainer.data.Batches.batch_at", lambda self, index: real(self, index - 2))
        run(broken, text, "--resume", sets=sets)
    assert weights(broken, 6) != weights(whole, 6)
    shutil.rmtree(broken / "checkpoints" / "step-00000006")
    shutil.rmtree(broken / "checkpoints" / "step-00000004")
    run(broken, text, "--resume", sets=sets)
    assert weights(broken, 6) == weights(whole, 6)


def test_resume_without_preset_takes_the_stored_configuration(tmp_path: Path, text: Path) -> None:
    from tests.trainer.loop.tiny import signals_restored
    from trainer import cli

    out = tmp_path / "run"
    run(out, text, sets=["steps=4"])
    with signals_restored():
        assert cli.main(["run", "--out", str(out), "--resume", "--set", "steps=6"]) == 0
    assert last_word(out)["step"] == 6


def test_flipped_byte_sends_the_resume_to_the_checkpoint_before(
    tmp_path: Path, text: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, whole = tmp_path / "run", tmp_path / "whole"
    run(whole, text)
    run(out, text, sets=["steps=4", "optim.horizon=6"])
    spoilt = out / "checkpoints" / "step-00000004" / "model.safetensors"
    data = bytearray(spoilt.read_bytes())
    data[-3] ^= 1
    spoilt.write_bytes(data)
    assert run(out, text, "--resume") == 0
    assert "passed over: step-00000004" in capsys.readouterr().out
    assert events(out, "resume")[-1]["step"] == 2
    assert weights(out, 6) == weights(whole, 6)


def test_named_checkpoint_is_continued_and_later_ones_are_set_aside(tmp_path: Path, text: Path) -> None:
    out = tmp_path / "run"
    run(out, text)
    assert run(out, text, "--from", "step-00000002", sets=["steps=4"]) == 0
    assert [info.step for info in list_checkpoints(out / "checkpoints")] == [2, 4]
    newest = list_checkpoints(out / "checkpoints")[-1].manifest
    assert newest is not None
    assert newest.parent == "step-00000002"


def test_checkpoint_of_another_run_becomes_the_parent(tmp_path: Path, text: Path) -> None:
    first, branch = tmp_path / "first", tmp_path / "branch"
    run(first, text, sets=["steps=4"])
    source = first / "checkpoints" / "step-00000004"
    assert run(branch, text, "--from", str(source)) == 0
    [only] = list_checkpoints(branch / "checkpoints")
    assert only.manifest is not None
    assert only.manifest.parent == "first/step-00000004"


def test_named_checkpoint_that_is_not_there_is_an_error_not_a_fresh_start(
    tmp_path: Path, text: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path / "run", text, "--from", "step-00000077") == 2
    assert "step-00000077" in capfd.readouterr().err
    assert not list((tmp_path / "run").glob("checkpoints/*"))
    with pytest.raises(CheckpointError):
        find_origin(RunDir(tmp_path / "run"), "step-00000077", print)
    assert find_origin(RunDir(tmp_path / "run"), NEWEST, print) is None
