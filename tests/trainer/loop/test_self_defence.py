"""A run that nobody watches: what is not finite is skipped and told, and ends it at last."""

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.trainer.device.strict import strict_device
from tests.trainer.loop.tiny import events, last_word, moments, run, weights
from trainer.models import LanguageModel, LossOutput
from trainer.step import optimizer_step


def poisoned(steps: set[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Have one parameter's gradient be no number in these steps (counted from 1)."""
    real = optimizer_step.accumulate

    def accumulate(state: Any, *rest: Any) -> torch.Tensor:
        means = real(state, *rest)
        if state.step + 1 in steps:
            gradient = list(state.model.parameters())[3].grad
            assert gradient is not None
            gradient.view(-1)[0] = torch.nan
        return means

    monkeypatch.setattr(optimizer_step, "accumulate", accumulate)


def notes(out: Path) -> list[str]:
    return [row["message"] for row in events(out, "note") if "finite" in row["message"]]


@pytest.mark.parametrize("place", ["cpu", "mps", "cuda"])
def test_a_gradient_that_is_no_number_costs_its_step_alone(
    place: str, tmp_path: Path, text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    poisoned({3}, monkeypatch)
    sets = ("checkpoint.every=1", "steps=4", f"device={place}", "model.kind=gpt")
    if place == "cpu":
        assert run(tmp_path / "run", text, sets=sets) == 0
    else:
        with strict_device(place):  # which refuses to wait inside a step
            assert run(tmp_path / "run", text, sets=sets) == 0, last_word(tmp_path / "run")
    assert notes(tmp_path / "run") == ["1 of 2 steps skipped: loss or gradient was not finite"]
    assert weights(tmp_path / "run", 2) == weights(tmp_path / "run", 3) != weights(tmp_path / "run", 4)
    assert moments(tmp_path / "run", 2) == moments(tmp_path / "run", 3)
    rows = events(tmp_path / "run", "metrics")
    assert all(row["ce"] > 0 and row["grad_norm"] > 0 for row in rows)


def test_a_skipped_step_is_skipped_again_after_a_resume(
    tmp_path: Path, text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    poisoned({3}, monkeypatch)
    assert run(tmp_path / "whole", text, sets=("checkpoint.every=2",)) == 0
    assert run(tmp_path / "parts", text, sets=("checkpoint.every=2", "steps=2", "optim.horizon=6")) == 0
    assert run(tmp_path / "parts", text, "--resume", sets=("checkpoint.every=2", "optim.horizon=6")) == 0
    assert weights(tmp_path / "whole", 6) == weights(tmp_path / "parts", 6)


def test_too_many_in_a_row_end_the_run_with_its_last_good_checkpoint(
    tmp_path: Path, text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    poisoned({3, 4, 5, 6}, monkeypatch)
    out = tmp_path / "run"
    sets = ("guard.skips=3", "guard.rollbacks=0", "log.every=1", "checkpoint.every=2", "steps=9")
    assert run(out, text, sets=sets) == 1
    reason = last_word(out)["reason"]
    assert "3 steps in a row, up to step 5; resume from step-00000002" in reason
    assert len(notes(out)) == 3 + 2  # each step, then the reason as a note and as the last word


def test_separate_bad_steps_are_no_row(tmp_path: Path, text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    poisoned({2, 4}, monkeypatch)
    assert run(tmp_path / "run", text, sets=("guard.skips=2", "log.every=1")) == 0
    assert len(notes(tmp_path / "run")) == 2


def test_a_run_that_only_skips_has_failed(
    tmp_path: Path, text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = LanguageModel.loss

    def bad(self: Any, *asked: Any) -> LossOutput:
        found = real(self, *asked)
        found.total.detach().fill_(torch.nan)
        return found

    monkeypatch.setattr(LanguageModel, "loss", bad)
    assert run(tmp_path / "run", text, sets=("steps=2", "guard.rollbacks=0")) == 1
    assert "not finite" in last_word(tmp_path / "run")["reason"]


def test_what_is_finite_skips_nothing(tmp_path: Path, text: Path) -> None:
    assert run(tmp_path / "run", text, sets=("steps=2",)) == 0
    assert not notes(tmp_path / "run")
