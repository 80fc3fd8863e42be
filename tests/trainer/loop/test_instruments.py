"""What a run tells of its speed, a trace of one step, and bits that are the same again."""

import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.trainer.evals.trained import state_root
from tests.trainer.loop.tiny import events, run, weights, write_text
from trainer.device.device import Device
from trainer.job.environment import prepare_environment
from trainer.loop.speed_of_light import SpeedOfLight
from trainer.run.checkpoints.manifest import verify

SETS = ("model.kind=gpt", "model.heads=2", "checkpoint.every=3", "checkpoint.keep_last=1", "log.every=1")


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("instruments")
    with state_root(folder / "home"):
        yield write_text(folder / "text.txt")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory, text: Path) -> Path:
    out = tmp_path_factory.mktemp("plain") / "run"
    assert run(out, text, sets=(*SETS, "checkpoint.keep_best=0")) == 0
    return out


def test_a_row_tells_arithmetic_and_the_wait_for_data(plain: Path) -> None:
    for row in events(plain, "metrics"):
        assert row["tflops"] > 0
        assert "mfu" not in row, "nobody says what this processor could do"
        assert 0 < row["data_wait"] < 1
    assert SpeedOfLight(1e9, 4.0).values(1000.0) == {"tflops": 1.0, "mfu": 25.0}


def test_a_traced_step_lies_in_a_checkpoint_that_is_kept_and_changes_nothing(
    tmp_path: Path, text: Path, plain: Path
) -> None:
    out = tmp_path / "run"
    assert run(out, text, sets=(*SETS, "checkpoint.keep_best=0", "profile.at=2")) == 0
    kept = sorted(path.name for path in (out / "checkpoints").glob("step-*"))
    assert kept == ["step-00000002", "step-00000006"]
    manifest = verify(out / "checkpoints" / "step-00000002")
    assert "trace.json.gz" in manifest.files
    trace = json.loads(gzip.decompress((out / "checkpoints/step-00000002/trace.json.gz").read_bytes()))
    assert any("addmm" in str(one.get("name")) for one in trace["traceEvents"])
    assert "trace.json.gz" not in verify(out / "checkpoints" / "step-00000006").files
    assert weights(out, 6) == weights(plain, 6)
    assert any("ui.perfetto.dev" in row["message"] for row in events(out, "note"))


def test_deterministic_asks_torch_for_it_and_keeps_the_bits(
    tmp_path: Path, text: Path, plain: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", dict(os.environ))
    asked: list[bool] = []
    real = Device.set_deterministic

    def noted(self: Device, wanted: bool) -> None:
        asked.append(wanted)
        real(self, wanted)

    monkeypatch.setattr(Device, "set_deterministic", noted)
    try:
        assert run(tmp_path / "run", text, sets=(*SETS, "deterministic=on")) == 0
        assert torch.are_deterministic_algorithms_enabled()
    finally:
        torch.use_deterministic_algorithms(False)
    assert asked == [True]
    assert weights(tmp_path / "run", 6) == weights(plain, 6)
    env: dict[str, str] = {}
    prepare_environment(env, deterministic=True)
    assert env["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    prepare_environment(env := {})
    assert "CUBLAS_WORKSPACE_CONFIG" not in env
