"""The precision is decided once, by what was asked for or measured, and then kept."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.trainer.loop.tiny import run
from trainer.config.resolve import resolve
from trainer.device.device import Device
from trainer.loop.setup import build_state
from trainer.step import precision
from trainer.step.precision import Precision, decide_precision

CPU = Device(torch.device("cpu"), 1)


def decide(
    monkeypatch: pytest.MonkeyPatch, plain: tuple[float, float, float], cast: tuple[float, float, float]
) -> str:
    """What `auto` decides where the two probes measure (ms, loss, gradient norm) as given."""
    answers = iter([plain, cast])
    monkeypatch.setattr(precision, "cpu_has_bf16", lambda: True)
    monkeypatch.setattr(precision, "_probe", lambda *_: next(answers))
    state = build_state(resolve(None, overrides=["model.dim=16", "model.layers=1"]).config, CPU, 8, 0)
    tokens = torch.zeros(1, 8, dtype=torch.int64)
    return decide_precision("auto", state.model, CPU, tokens, tokens).autocast


def test_bf16_is_taken_only_where_it_is_faster_and_right(monkeypatch: pytest.MonkeyPatch) -> None:
    assert decide(monkeypatch, (100, 5.0, 1.0), (50, 5.001, 1.01)) == "bf16"
    assert decide(monkeypatch, (100, 5.0, 1.0), (95, 5.001, 1.01)) == "off"
    assert decide(monkeypatch, (100, 5.0, 1.0), (50, 5.2, 1.01)) == "off"
    assert decide(monkeypatch, (100, 5.0, 1.0), (50, 5.001, float("nan"))) == "off"


def test_probe_leaves_weights_gradients_and_generators_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "cpu_has_bf16", lambda: True)
    config = resolve(None, overrides=["model.dim=16", "model.layers=1", "model.noise=0.1"]).config
    state = build_state(config, CPU, 8, 0)
    before = [one.clone() for one in state.model.parameters()]
    generators = torch.get_rng_state(), state.noise.get_state()
    tokens = torch.zeros(2, 8, dtype=torch.int64)
    assert decide_precision("auto", state.model, CPU, tokens, tokens).reason
    assert all(torch.equal(one, two) for one, two in zip(before, state.model.parameters(), strict=True))
    assert all(one.grad is None for one in state.model.parameters())
    assert torch.equal(torch.get_rng_state(), generators[0])
    assert torch.equal(state.noise.get_state(), generators[1])
    assert state.model.training


@pytest.mark.parametrize(("kind", "probed"), [("cpu", 2), ("cuda", 5)])
def test_probe_of_a_cpu_takes_two_sequences(monkeypatch: pytest.MonkeyPatch, kind: str, probed: int) -> None:
    sizes: list[int] = []

    def measure(*given: Any) -> tuple[float, float, float]:
        sizes.extend(one.shape[0] for one in given[-2:])
        return 1.0, 1.0, 1.0

    monkeypatch.setattr(precision, "cpu_has_bf16", lambda: True)
    monkeypatch.setattr(precision, "_probe", measure)
    state = build_state(resolve(None, overrides=["model.dim=16", "model.layers=1"]).config, CPU, 8, 0)
    tokens = torch.zeros(5, 8, dtype=torch.int64)
    decide_precision("auto", state.model, Device(torch.device(kind), 1), tokens, tokens)
    assert set(sizes) == {probed}


def test_cpu_without_bf16_is_not_probed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "cpu_has_bf16", lambda: False)
    monkeypatch.setattr(precision, "_probe", lambda *_: pytest.fail("it was probed"))
    state = build_state(resolve(None, overrides=["model.dim=16", "model.layers=1"]).config, CPU, 8, 0)
    tokens = torch.zeros(1, 8, dtype=torch.int64)
    assert decide_precision("auto", state.model, CPU, tokens, tokens) == Precision(
        "off", "this CPU has no bf16 arithmetic"
    )


def test_resume_keeps_the_precision_of_its_run(
    tmp_path: Path, text: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    assert run(out, text, sets=["steps=2", "optim.amp=bf16"]) == 0
    assert run(out, text, "--resume", sets=["steps=4", "optim.amp=off"]) == 3
    assert "optim.amp: 'bf16' in the checkpoint" in capsys.readouterr().err
    assert run(out, text, "--resume", sets=["steps=4", "optim.amp=auto"]) == 0
    manifest = json.loads((out / "checkpoints" / "step-00000004" / "state.json").read_text())
    assert manifest["autocast"] == "bf16"


def test_resume_keeps_the_kernels_of_its_run(
    tmp_path: Path, text: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    assert run(out, text, sets=["steps=2", "kernels=torch"]) == 0
    assert run(out, text, "--resume", sets=["steps=4", "kernels=native"]) == 3
    assert "kernels: 'torch' in the checkpoint, 'native' now" in capsys.readouterr().err
    assert run(out, text, "--resume", sets=["steps=4", "kernels=auto"]) == 0
    assert "Kernels: torch" in capsys.readouterr().out
    manifest = json.loads((out / "checkpoints" / "step-00000004" / "state.json").read_text())
    assert manifest["kernels"] == "torch"
