"""A checkpoint is whole or absent, whatever the disk does."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import cast

import pytest
import torch

from tests.trainer.loop.tiny import events, last_word, run, weights
from tests.waiting import wait_until
from trainer.checkpoints.retain import prune
from trainer.checkpoints.save import LESS_IS_BETTER, bad_weights
from trainer.config.schema import CheckpointConfig
from trainer.run.checkpoints.manifest import list_checkpoints, newest_valid, verify
from trainer.step.state import TrainState

NO_WAIT = "checkpoint.disk_wait=0"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = os.geteuid() == 0 and shutil.which("mount")
    if not mounted or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place]).returncode:
        pytest.skip("a tmpfs needs root and the right to mount")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=True)


def test_full_disk_while_saving_leaves_the_earlier_checkpoints_valid(small_disk: Path, text: Path) -> None:
    out = small_disk / "run"
    assert run(out, text, sets=["steps=200", "model.dim=48", "checkpoint.keep_last=99", NO_WAIT]) == 1
    assert "disk is full" in last_word(out)["reason"]
    assert last_word(out)["outcome"] == "failed"
    found = newest_valid(out / "checkpoints")
    assert found is not None
    assert found.name == last_word(out)["checkpoint"]
    assert all(verify(info.path) for info in list_checkpoints(out / "checkpoints"))
    assert not list((out / "checkpoints").glob(".tmp-*"))


def test_a_run_waits_on_a_full_disk_and_goes_on_to_the_same_weights(
    small_disk: Path, tmp_path: Path, text: Path
) -> None:
    out, ballast = small_disk / "run", small_disk / "ballast"
    steps = ["steps=4", "optim.horizon=6"]
    assert run(tmp_path / "plain", text, sets=steps) == 0
    ballast.write_bytes(bytes((1 << 20) - (150 << 10)))
    waited: list[list[str]] = []

    def operate() -> None:
        wait_until(lambda: any(row["phase"] == "paused" for row in events(out, "state")), 60)
        waited.append([one.name for one in list_checkpoints(out / "checkpoints")])
        ballast.unlink()

    operator = Thread(target=operate)
    operator.start()
    assert run(out, text, sets=steps) == 0
    operator.join()
    assert waited == [[]]
    assert any("disk" in row["message"] and "free, needs" in row["message"] for row in events(out, "note"))
    assert weights(out, 4) == weights(tmp_path / "plain", 4)


@pytest.mark.parametrize(
    "at", ["trainer.checkpoints.draft.save_file", "trainer.checkpoints.draft.fsync_folder"]
)
def test_disk_that_refuses_fails_the_run_and_spares_what_was_there(
    tmp_path: Path, text: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    out = tmp_path / "run"
    run(out, text, sets=["steps=2", "optim.horizon=6"])

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(at, refuse)
        assert run(out, text, "--resume", sets=[NO_WAIT]) == 1
    word = last_word(out)
    assert "disk is full" in word["reason"]
    assert (word["checkpoint"], word["step"]) == ("step-00000002", 4)
    found = newest_valid(out / "checkpoints")
    assert found is not None
    assert found.step == 2
    assert not list((out / "checkpoints").glob(".tmp-*"))
    assert run(out, text, "--resume") == 0


def test_draft_of_a_killed_process_is_removed_by_the_next(tmp_path: Path, text: Path) -> None:
    out = tmp_path / "run"
    left = out / "checkpoints" / ".tmp-step-00000002-77"
    left.mkdir(parents=True)
    (left / "model.safetensors").write_bytes(b"half")
    assert run(out, text) == 0
    assert not left.exists()


def test_manifest_tells_what_a_resume_needs(tmp_path: Path, text: Path) -> None:
    out = tmp_path / "run"
    run(out, text, sets=["eval.every=3"])
    manifest = verify(out / "checkpoints" / "step-00000006")
    raw = manifest.raw
    assert (manifest.kind, manifest.parent, manifest.tokens) == ("final", "step-00000004", 6 * 64)
    assert (raw["threads"], raw["device"], raw["autocast"], raw["micro_batch"]) == (1, "cpu", "off", 4)
    assert raw["cursor"]["index"] == 6
    assert set(raw["generators"]) == {"python", "numpy", "torch", "noise"}
    directions = {name: one.get("direction") for name, one in raw["metrics"].items()}
    assert {name for name in directions if directions[name] == "min"} == LESS_IS_BETTER - {"val_ce_ema"}
    assert {name for name in directions if directions[name] is None} >= {"val_R", "val_coherence", "val_u"}
    assert set(manifest.metrics) == set(directions)
    unscored = verify(out / "checkpoints" / "step-00000004")
    assert unscored.score is None, "a score belongs to the step that was scored"
    assert manifest.score == pytest.approx(events(out, "eval")[-1]["val_ce"])


def test_retention_keeps_last_and_best(tmp_path: Path, text: Path) -> None:
    out = tmp_path / "run"
    sets = ["eval.every=2", "checkpoint.every=1", "checkpoint.keep_last=2", "optim.lr=1", "optim.clip=0"]
    assert run(out, text, sets=sets) == 0
    kept = [info.step for info in list_checkpoints(out / "checkpoints")]
    best = min(events(out, "eval"), key=lambda row: float(row["val_ce"]))["step"]
    assert kept == sorted({best, 5, 6})
    assert prune(out / "checkpoints", CheckpointConfig(keep_last=1), in_use=("step-00000005",)) == ()


def test_what_is_not_finite_is_named_and_what_only_sums_to_it_is_not() -> None:
    module = torch.nn.ParameterDict({name: torch.nn.Parameter(torch.ones(3)) for name in ("a", "b", "c")})
    state = SimpleNamespace(model=module)
    with torch.no_grad():
        module["b"][1], module["c"][:] = float("nan"), 3e38
    assert bad_weights(cast(TrainState, state)) == ["b"]
    with torch.no_grad():
        module["a"][0], module["a"][1] = float("inf"), float("-inf")
    assert bad_weights(cast(TrainState, state)) == ["a", "b"]
