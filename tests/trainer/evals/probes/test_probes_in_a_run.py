"""Looks within a run: when, of which models, and that training goes its way as if nobody looked."""

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.trainer.loop.tiny import events, moments, run, weights
from trainer.loop import report
from trainer.telemetry.events import Probe
from trainer.telemetry.flat import flatten
from trainer.telemetry.read import decode


def test_with_and_without_looks_and_a_resume_the_weights_are_bit_equal(tmp_path: Path, text: Path) -> None:
    blind, seeing, resumed = tmp_path / "blind", tmp_path / "seeing", tmp_path / "resumed"
    sets = ["model.noise=0.1", "steps=4", "checkpoint.keep_last=2"]
    assert run(blind, text, sets=[*sets, "probe.every=0"]) == 0
    assert run(seeing, text, sets=[*sets, "probe.every=1", "checkpoint.every=0"]) == 0
    assert events(blind, "probe") == []
    assert [row["step"] for row in events(seeing, "probe")] == [1, 2, 3, 4]
    assert weights(blind, 4) == weights(seeing, 4)
    assert moments(blind, 4) == moments(seeing, 4)
    origin = str(blind / "checkpoints" / "step-00000002")
    assert run(resumed, text, "--from", origin, sets=[*sets, "probe.every=2", "checkpoint.every=0"]) == 0
    assert [row["step"] for row in events(resumed, "probe")] == [3, 4]
    assert weights(resumed, 4) == weights(blind, 4)


def test_a_probe_event_is_read_as_it_was_written(tmp_path: Path, text: Path) -> None:
    run(tmp_path / "run", text, sets=["steps=1", "checkpoint.every=0"])
    line = next(
        line for line in (tmp_path / "run" / "events.jsonl").read_bytes().splitlines() if b'"probe"' in line
    )
    event = decode(line)
    assert isinstance(event, Probe)
    assert event.step == 1
    assert set(event.values) == {"warfare_ratio", "warfare_cosine", "u_shuffled", "z"}
    assert len(event.layers["u"]) == 1
    flat = flatten(event)
    assert flat["type"] == "probe"
    assert flat["warfare_ratio"] == event.values["warfare_ratio"]


@pytest.mark.parametrize("kind", ["gpt", "gated"])
def test_controls_are_not_looked_into(tmp_path: Path, text: Path, kind: str) -> None:
    out = tmp_path / "run"
    sets = [
        f"model.kind={kind}",
        "model.heads=2",
        "probe.every=1",
        "steps=2",
        "checkpoint.every=0",
        "optim.decay_omega=true",
    ]
    assert run(out, text, sets=sets) == 0
    assert events(out, "probe") == []
    assert "R_predicted" not in events(out, "metrics")[-1]


def test_a_look_without_memory_for_it_is_the_last_and_the_run_goes_on(
    tmp_path: Path, text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cramped(*_: Any) -> None:
        raise torch.OutOfMemoryError("no room to look")

    monkeypatch.setattr(report, "probe", cramped)
    out = tmp_path / "run"
    assert run(out, text, sets=["probe.every=1", "steps=3", "checkpoint.every=0"]) == 0
    assert [row["message"] for row in events(out, "note") if "looks" in row["message"]] == [
        "out of memory: no more looks into the oscillators"
    ]
