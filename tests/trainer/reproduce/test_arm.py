"""Arms: stopped and taken up again, and known by what they are."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from trainer.device.device import open_device
from trainer.job.outcome import StoppedError
from trainer.job.stop import Stop
from trainer.reproduce.arm import Arm, Row, carry_out, scaled_down
from trainer.reproduce.bench import Bench, Ticker, windows
from trainer.step.state import TrainState

TOKENS = np.random.default_rng(0).integers(32, size=2000).astype(np.uint16)


class StopAt(Stop):
    """Asks for a stop once it was polled so often."""

    def __init__(self, polls: int) -> None:
        super().__init__()
        self.polls = polls

    def requested(self) -> bool:
        self.polls -= 1
        return self.polls < 0


def bench(out: Path | None, polls: int = 10**9) -> Bench:
    ticker = Ticker("test", to=io.StringIO())
    return Bench(open_device("cpu", 1), "python-docs", StopAt(polls), ticker, out)


def arm(steps: int = 8, *more: str) -> Arm:
    sizes = ("model.dim=16", "model.layers=1", "model.oscillators=8", "model.group=8", "model.positions=16")
    config = scaled_down("kssm-v2-original", *sizes, "batch=2", "context=16", f"steps={steps}", *more, seed=3)
    return Arm("small", config, (2, 5, 8), "text")


def look(state: TrainState) -> Row:
    return {"first": float(next(state.model.parameters()).detach().flatten()[0])}


def test_an_arm_that_was_stopped_ends_as_one_that_was_not(tmp_path: Path) -> None:
    whole, rows = carry_out(arm(), TOKENS, 32, bench(None), look)
    with pytest.raises(StoppedError, match="step 3"):
        carry_out(arm(), TOKENS, 32, bench(tmp_path, polls=3), look)
    resumed, resumed_rows = carry_out(arm(), TOKENS, 32, bench(tmp_path), look)
    assert [row["step"] for row in rows] == [2, 5, 8]
    assert resumed_rows == rows
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name]), name
    again, _ = carry_out(arm(), TOKENS, 32, bench(tmp_path, polls=0), look)
    assert again.step == 8


def test_another_arm_is_not_taken_up(tmp_path: Path) -> None:
    carry_out(arm(), TOKENS, 32, bench(tmp_path), look)
    with pytest.raises(StoppedError, match="step 0"):
        carry_out(arm(8, "optim.lr=0.001"), TOKENS, 32, bench(tmp_path, polls=0), look)
    assert arm().fingerprint != replace(arm(), text="another").fingerprint
    assert arm().fingerprint == arm().fingerprint


def test_the_time_left_counts_what_this_attempt_did() -> None:
    now, said = 0.0, io.StringIO()
    ticker = Ticker("test", to=said, clock=lambda: now)
    ticker.plan([100, 100])
    ticker.skip(50)
    now = 10.0
    ticker.beat("first", 60, 100)
    assert "first, step 60 of 100; 2 min 20 s left" in said.getvalue()  # 10 steps in 10 s, 140 to go
    now = 11.0
    ticker.beat("first", 61, 100)
    assert "step 61" not in said.getvalue()
    ticker.beat("first", 100, 100)
    assert "step 100 of 100" in said.getvalue()


def test_windows_of_a_text_shorter_than_one_still_make_one() -> None:
    inputs, targets = windows(np.arange(5, dtype=np.uint16), 8, 4)
    assert inputs.shape == targets.shape == (1, 8)
    inputs, targets = windows(np.arange(100, dtype=np.uint16), 8, 4)
    assert inputs.shape == (4, 8)
    assert (targets - inputs == 1).all()
