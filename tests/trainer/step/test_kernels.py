"""Which code works the inner loops: what is asked for, what this host can, and what is told of it."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from trainer.config.model import ModelConfig
from trainer.device.device import Device
from trainer.job.outcome import TrainingFailedError
from trainer.models import native
from trainer.step.kernels import Kernels, decide_kernels, follow_kernels

CPU = Device(torch.device("cpu"), 1)
OSCILLATORS, ATTENTION = ModelConfig(), ModelConfig(kind="gpt")


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainer.models.native.library._loaded", [])


def never() -> None:
    raise AssertionError("nothing was to be compiled")


def grant(monkeypatch: pytest.MonkeyPatch, compiled: bool) -> None:
    def enable(cache: Path, building: object) -> bool:
        return compiled

    monkeypatch.setattr(native, "enable", enable)


def test_torch_is_had_without_a_compiler_being_asked(tmp_path: Path) -> None:
    assert decide_kernels("torch", OSCILLATORS, CPU, never, tmp_path) == Kernels("torch", "kernels=torch")
    assert decide_kernels("native", ATTENTION, CPU, never, tmp_path).reason == "gpt on cpu has no native ones"
    elsewhere = decide_kernels("auto", OSCILLATORS, Device(torch.device("meta"), 1), never, tmp_path)
    assert elsewhere.name == "torch"


@pytest.mark.parametrize(("compiled", "told"), [(True, "compiled in 0.0 s"), (False, "compiled before")])
def test_native_ones_say_whether_they_were_compiled_now(
    compiled: bool, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    grant(monkeypatch, compiled)
    assert decide_kernels("auto", OSCILLATORS, CPU, never) == Kernels("native", told)


def test_a_host_without_a_compiler_trains_with_torch_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for wish in ("auto", "native"):
        made = decide_kernels(wish, OSCILLATORS, CPU, never, tmp_path)
        assert made.name == "torch"
        assert made.reason.startswith("no C++ compiler found")
    assert not native.enabled()


def test_on_cuda_triton_is_taken_where_it_agrees_and_torch_where_it_is_not_or_differs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cuda = Device(torch.device("cuda", 0), 1)
    assert decide_kernels("auto", ATTENTION, cuda, never).reason == "gpt on cuda has no native ones"
    monkeypatch.setitem(sys.modules, "trainer.models.native.gpu.launches", None)
    without = decide_kernels("auto", OSCILLATORS, cuda, never)
    assert without.name == "torch"
    assert without.reason.startswith("Triton cannot be imported")
    monkeypatch.setitem(sys.modules, "trainer.models.native.gpu.launches", SimpleNamespace(FORMS={}))
    demand_a_trial(monkeypatch, cuda, "Triton", "cuda:0")


def demand_a_trial(monkeypatch: pytest.MonkeyPatch, device: Device, language: str, place: str) -> None:
    """Kernels of a device are in use where they agree on it, and torch where they do not."""
    for error, name, reason in (
        (3e-7, "native", f"{language}, agrees with torch to 3e-07"),
        (0.5, "torch", f"{language} computes otherwise than torch on {place}: off by 0.5"),
        (float("nan"), "torch", f"{language} computes otherwise than torch on {place}: off by nan"),
    ):
        monkeypatch.setattr("trainer.models.native.agreement.largest_error", lambda *_, error=error: error)
        assert decide_kernels("auto", OSCILLATORS, device, never) == Kernels(name, reason)  # type: ignore[arg-type]
        assert native.enabled() == (name == "native")
    native.disable()


def test_on_a_mac_metal_is_taken_where_it_agrees_and_torch_where_it_cannot_compile_or_differs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mac = Device(torch.device("mps"), 1)
    assert decide_kernels("auto", ATTENTION, mac, never).reason == "gpt on mps has no native ones"

    def refused(*_: object) -> float:
        raise SyntaxError("program_source:12: error: unknown type name 'floot'")

    monkeypatch.setattr("trainer.models.native.agreement.largest_error", refused)
    without = decide_kernels("auto", OSCILLATORS, mac, never)
    assert without.name == "torch"
    assert without.reason.startswith("Metal failed on mps: program_source:12: error")
    demand_a_trial(monkeypatch, mac, "Metal", "mps")


def test_a_further_process_refuses_to_differ_from_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    follow_kernels(Kernels("torch", "as told"), OSCILLATORS, CPU)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(TrainingFailedError, match="kernels=torch does without"):
        follow_kernels(Kernels("native", "as told"), OSCILLATORS, CPU)
