"""A device that trains as the CPU does passes; of one that does not, the difference is named."""

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.trainer.device.strict import strict_device
from trainer import cli
from trainer.config.model import ModelConfig
from trainer.device.device import Device, open_device
from trainer.loop.checks import device_proof
from trainer.loop.checks.device_proof import TOLERANCES, TrainedFew, prove, train_few
from trainer.models.forms import small_kinds
from trainer.run.device_report import read_report, write_report

CPU = Device(torch.device("cpu"), 1)


@pytest.fixture(autouse=True)
def two_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A control and one whose noise is never off; all kinds are walked by the command itself."""
    some = {kind: model for kind, model in small_kinds().items() if kind in ("gpt", "kssm-v3-original")}
    monkeypatch.setattr(device_proof, "small_kinds", lambda: some)


@pytest.fixture(scope="module")
def trained() -> Callable[[ModelConfig, Device], TrainedFew]:
    """Three steps of each kind on the CPU, trained once."""
    done: dict[str, TrainedFew] = {}

    def train(model: ModelConfig, device: Device) -> TrainedFew:
        assert device == CPU
        if model.kind not in done:
            done[model.kind] = train_few(model, device)
        return done[model.kind]

    return train


def test_a_device_that_trains_as_the_cpu_does_passes(capsys: pytest.CaptureFixture[str]) -> None:
    with strict_device("mps"):
        assert cli.main(["selftest", "--device", "mps"]) == 0
        rows = capsys.readouterr().out.splitlines()
        assert cli.main(["selftest", "--json"]) == 0
        (found,) = json.loads(capsys.readouterr().out)["devices"]
    assert rows[1].split() == ["kind", *TOLERANCES]
    assert rows[-1].startswith("mps trains as the CPU does (2 kinds")
    assert (found["device"], found["is_good"]) == ("mps", True)
    assert [set(kind["errors"]) for kind in found["kinds"]] == [set(TOLERANCES)] * 2


def test_a_kept_result_is_answered_from_and_worked_again_only_where_asked(
    tmp_path: Path,
    trained: Callable[[ModelConfig, Device], TrainedFew],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setattr(device_proof, "train_few", lambda model, _: trained(model, CPU))
    words = ["selftest", "--device", "cpu", "--keep"]
    assert cli.main(words) == 0
    assert capsys.readouterr().out.splitlines()[1].startswith("kind")
    assert cli.main(words) == 0
    assert capsys.readouterr().out.startswith("cpu trains as the CPU does (torch")
    report = read_report("cpu")
    assert report is not None
    write_report(replace(report, is_good=False, wrong=("gpt: loss differs",)))
    assert cli.main([*words, "--json"]) == 1
    (kept,) = json.loads(capsys.readouterr().out)["kept"]
    assert (kept["device"], kept["is_good"], kept["wrong"]) == ("cpu", False, ["gpt: loss differs"])
    write_report(replace(report, is_good=False, torch="2.0"))
    assert cli.main(words) == 0, "another torch is tried anew"
    assert cli.main([*words, "--again"]) == 0
    assert capsys.readouterr().out.count("kind ") == 2


def scaled(few: TrainedFew, name: str) -> TrainedFew:
    """Have one thing come out otherwise."""
    value: Any = getattr(few, name)
    other: Any = (
        value + 0.5 * (few.weights - few.first_weights)
        if isinstance(value, torch.Tensor)
        else [one * 1.05 for one in value]
    )
    return replace(few, **{name: other})


@pytest.mark.parametrize(
    ("spoilt", "named"),
    [("loss", "loss"), ("gradient", "gradient"), ("weights", "weights"), ("resumed", "resume"),
     ("evaluation", "evaluation"), ("sample", "sample")],
)  # fmt: skip
def test_what_differs_is_named_with_a_remedy(
    spoilt: str,
    named: str,
    trained: Callable[[ModelConfig, Device], TrainedFew],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(device_proof, "train_few", trained)

    def wrong(model: ModelConfig, device: Device) -> TrainedFew:
        return scaled(trained(model, device), spoilt)

    (proof,) = [proof for proof in prove(CPU, wrong) if proof.kind == "gpt"]
    assert named in [one.what for one in proof.differences]
    assert all(one.remedy for one in proof.differences)
    assert not proof.is_good


def test_a_number_that_is_none_differs_and_so_does_an_operator_that_is_missing(
    trained: Callable[[ModelConfig, Device], TrainedFew], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(model: ModelConfig, device: Device) -> TrainedFew:
        return replace(trained(model, device), loss=[float("nan")] * 3)

    with monkeypatch.context() as patch:
        patch.setattr(device_proof, "train_few", trained)
        assert all("loss" in [one.what for one in proof.differences] for proof in prove(CPU, broken))
    with strict_device("mps") as rules:
        rules.missing = frozenset({"aten::gelu"})
        (proof, *_) = prove(open_device("mps", 1))
    assert proof.differences[0].what == "error"
    assert "aten::gelu" in proof.differences[0].detail
    assert "PYTORCH_ENABLE_MPS_FALLBACK=1" in proof.differences[0].detail
