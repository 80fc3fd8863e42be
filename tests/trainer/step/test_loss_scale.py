"""fp16 with loss scaling: where a gradient overflows the scale falls and the step is skipped."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.trainer.device.strict import strict_device
from tests.trainer.loop.tiny import events, last_word, run, text_fixture, weights
from trainer.device.device import Device
from trainer.step.loss_scale import FIRST, LossScale
from trainer.step.precision import decide_precision

__all__ = ["text_fixture"]
FP16 = ("optim.amp=fp16", "model.kind=gpt", "model.heads=2", "checkpoint.every=1")


def scale_at(out: Path, step: int) -> list[float]:
    raw = json.loads((out / "checkpoints" / f"step-{step:08d}" / "state.json").read_text())
    assert raw["autocast"] == "fp16"
    found: list[float] = raw["loss_scale"]
    return found


def test_a_scale_that_is_too_large_falls_and_costs_its_step_alone(
    tmp_path: Path, text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainer.step.loss_scale.FIRST", 2.0**40)
    out = tmp_path / "run"
    with strict_device("cuda"):  # which refuses to wait inside a step
        assert run(out, text, sets=(*FP16, "device=cuda", "steps=2")) == 0, last_word(out)
    assert [row["message"] for row in events(out, "note") if "skipped" in row["message"]]
    assert scale_at(out, 1)[0] == 2.0**39
    assert weights(out, 1) == weights(out, 2)


def test_a_run_in_fp16_resumes_to_the_same_bits(tmp_path: Path, text: Path) -> None:
    assert run(tmp_path / "whole", text, sets=(*FP16, "steps=4")) == 0
    assert run(tmp_path / "parts", text, sets=(*FP16, "steps=2", "optim.horizon=4")) == 0
    assert run(tmp_path / "parts", text, "--resume", sets=(*FP16, "steps=4", "optim.horizon=4")) == 0
    assert weights(tmp_path / "whole", 4) == weights(tmp_path / "parts", 4) != weights(tmp_path / "whole", 3)
    assert scale_at(tmp_path / "parts", 4) == [FIRST, 4.0]
    assert all(row["ce"] > 0 for row in events(tmp_path / "whole", "metrics"))


def test_what_is_unscaled_is_what_went_in_and_infinity_is_found() -> None:
    scale = LossScale(torch.device("cpu"))
    gradient = torch.tensor([1.0, -2.0]) * FIRST
    assert float(scale.unscale([gradient])) == 0
    assert gradient.tolist() == [1.0, -2.0]
    found = scale.unscale([torch.tensor([torch.inf])])
    scale.update(found)
    assert (float(found), scale.state()) == (1.0, [FIRST / 2, 0.0])


@pytest.mark.parametrize(("units", "chosen"), [(True, "bf16"), (False, "off")])
def test_a_gpu_with_bf16_units_is_not_judged_by_eager_passes(
    units: bool, chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: Any = iter([(100.0, 5.0, 1.0), (130.0, 5.0, 1.0)])
    monkeypatch.setattr("trainer.step.precision._probe", lambda *_: next(answers))
    tokens = torch.zeros(1, 8, dtype=torch.int64)
    with strict_device("cuda"):
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: units)
        device = Device(torch.device("cuda:0"), 1)
        assert decide_precision("auto", None, device, tokens, tokens).autocast == chosen  # type: ignore[arg-type]


@pytest.mark.parametrize(("wanted", "set_to"), [(True, "high"), (False, "highest")])
def test_tf32_is_of_cuda_alone(wanted: bool, set_to: str, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(torch, "set_float32_matmul_precision", said.append)
    for place in ("cpu", "mps", "cuda:0"):
        Device(torch.device(place), 1).set_tf32(wanted)
    assert said == [set_to]
