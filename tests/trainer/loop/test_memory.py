"""What happens when memory runs out, and that accumulation does not change the gradient."""

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.trainer.loop.tiny import events, last_word, run
from trainer.config.resolve import resolve
from trainer.device.device import Device, is_out_of_memory
from trainer.loop.setup import build_state
from trainer.models import LanguageModel, LossOutput
from trainer.step.optimizer_step import Batch, accumulate, clip
from trainer.step.state import TrainState

SMALL = ["model.dim=16", "model.layers=1", "model.oscillators=8", "model.harmonics=1", "batch=6"]


def gradients(micro_batch: int) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Mean metrics and gradients of one fixed batch, accumulated `micro_batch` sequences at a time."""
    config = resolve(None, overrides=SMALL).config
    device = Device(torch.device("cpu"), 1)
    state: TrainState = build_state(config, device, 32, 0)
    state.micro_batch = micro_batch
    draw = torch.Generator().manual_seed(3)
    tokens = torch.randint(32, (6, 17), generator=draw)
    means = accumulate(state, device, Batch(tokens[:, :-1], tokens[:, 1:]))
    found = [one.grad for one in state.model.parameters() if one.grad is not None]
    assert float(clip(state, 0.0)) > 0
    return means, found


@pytest.mark.parametrize("micro_batch", [1, 2, 4])
def test_accumulated_gradient_is_that_of_the_whole_batch(micro_batch: int) -> None:
    whole, grads = gradients(6)
    parts, others = gradients(micro_batch)
    assert torch.allclose(whole[:5], parts[:5], atol=1e-5)
    for one, other in zip(grads, others, strict=True):
        assert torch.allclose(one, other, atol=1e-6)


def test_out_of_memory_halves_the_micro_batch_and_says_so(
    tmp_path: Path, text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = LanguageModel.loss

    def cramped(self: LanguageModel[Any], tokens: torch.Tensor, targets: torch.Tensor) -> LossOutput:
        if tokens.shape[0] > 1:
            raise torch.OutOfMemoryError("no room for more than one sequence")
        return real(self, tokens, targets)

    monkeypatch.setattr(LanguageModel, "loss", cramped)
    out = tmp_path / "run"
    assert run(out, text) == 0
    notes = [row["message"] for row in events(out, "note")]
    assert [note for note in notes if "halved" in note] == [
        "out of memory: micro-batch halved to 2, 2 passes a step from here on",
        "out of memory: micro-batch halved to 1, 4 passes a step from here on",
    ]
    assert last_word(out)["steps_done"] == 6


def test_single_sequence_that_does_not_fit_fails_with_a_remedy(
    tmp_path: Path, text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> LossOutput:
        raise torch.OutOfMemoryError("no room at all")

    monkeypatch.setattr(LanguageModel, "loss", full)
    assert run(tmp_path / "run", text) == 1
    assert "lower context or model.dim" in last_word(tmp_path / "run")["reason"]


def test_only_want_of_memory_is_taken_for_it() -> None:
    assert is_out_of_memory(torch.OutOfMemoryError("x"))
    assert is_out_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried ..."))
    assert not is_out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
