"""What happens when memory runs out, and that accumulation does not change the gradient."""

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.trainer.device.strict import strict_device
from tests.trainer.loop.tiny import events, last_word, run
from trainer.config.resolve import resolve
from trainer.device.device import Device, is_out_of_memory
from trainer.device.out_of_memory import within_memory
from trainer.loop.setup import build_state
from trainer.models import LanguageModel, LossOutput
from trainer.step.compile import Compiled
from trainer.step.optimizer_step import Batch, accumulate, clip, train_step_within_memory
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

    def cramped(self: LanguageModel[Any], tokens: torch.Tensor, *wanted: Any) -> LossOutput:
        if tokens.shape[0] > 1:
            raise torch.OutOfMemoryError("no room for more than one sequence")
        return real(self, tokens, *wanted)

    monkeypatch.setattr(LanguageModel, "loss", cramped)
    out = tmp_path / "run"
    assert run(out, text) == 0
    notes = [row["message"] for row in events(out, "note")]
    assert [note for note in notes if "halved" in note] == [
        "out of memory: micro-batch halved to 2, 2 passes a step from here on",
        "out of memory: micro-batch halved to 1, 4 passes a step from here on",
    ]
    assert last_word(out)["steps_done"] == 6


def refuse(of_training: bool, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have memory run out above so many sequences, while the model trains or while it is only asked."""
    real = LanguageModel.loss

    def cramped(self: LanguageModel[Any], tokens: torch.Tensor, *wanted: Any) -> LossOutput:
        if tokens.shape[0] > most and self.training == of_training:
            raise torch.OutOfMemoryError("no room")
        return real(self, tokens, *wanted)

    monkeypatch.setattr(LanguageModel, "loss", cramped)


def notes_of(out: Path) -> list[str]:
    return [row["message"] for row in events(out, "note") if "memory" in row["message"]]


def test_memory_that_runs_out_before_the_first_step_halves_the_micro_batch(
    tmp_path: Path, text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(False, 2, monkeypatch)  # the probe of the precision asks the model in evaluation mode
    with strict_device("cuda"):
        sets = ("optim.amp=auto", "device=auto", "steps=1", "model.kind=gpt")
        assert run(tmp_path / "run", text, sets=sets) == 0, last_word(tmp_path / "run")
    assert notes_of(tmp_path / "run") == ["out of memory before the first step: micro-batch halved to 2"]


def test_memory_that_runs_out_in_an_evaluation_scores_fewer_at_a_time(
    tmp_path: Path, text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sets = ("steps=2", "eval.every=1")
    assert run(tmp_path / "roomy", text, sets=sets) == 0
    refuse(False, 1, monkeypatch)
    assert run(tmp_path / "run", text, sets=sets) == 0
    assert notes_of(tmp_path / "run") == [
        f"out of memory: {rows} sequences scored at a time" for rows in (2, 1)
    ]
    scores = [events(tmp_path / name, "eval")[-1]["val_ce"] for name in ("roomy", "run")]
    assert scores[0] == pytest.approx(scores[1], rel=1e-6)


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("trainer.loop.report.speak_sample", "no sample"),
        ("trainer.loop.train.decay_prediction", "no prediction of R"),
    ],
)
def test_what_a_run_can_do_without_does_not_end_it(
    place: str, said: str, tmp_path: Path, text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise RuntimeError("MPS backend out of memory (MPS allocated: 1 GB)")

    monkeypatch.setattr(place, full)
    assert run(tmp_path / "run", text, sets=("steps=1", "optim.decay_omega=true")) == 0
    assert [said in note for note in notes_of(tmp_path / "run")] == [True]


def test_compiling_without_memory_halves_and_tries_again(
    tmp_path: Path, text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def compiles(_: object, __: object, ___: object, inputs: torch.Tensor, ____: object) -> Compiled:
        if len(inputs) > 2:
            raise torch.OutOfMemoryError("no room")
        return Compiled(None, "tried")

    monkeypatch.setattr("trainer.loop.setup.compile_step", compiles)
    assert run(tmp_path / "run", text, sets=("steps=1", "compile=on")) == 0
    assert notes_of(tmp_path / "run") == ["out of memory before the first step: micro-batch halved to 2"]


def test_an_error_that_is_none_of_memory_is_not_tried_again() -> None:
    tries: list[int] = []

    def work(rows: int) -> None:
        tries.append(rows)
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="shapes"):
        within_memory(work, 8, Device(torch.device("cpu"), 1), lambda _: pytest.fail("halved"))
    assert tries == [8]


def test_moments_that_do_not_fit_leave_the_first_step_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    config = resolve(None, overrides=[*SMALL, "micro_batch=1"]).config
    device, told = Device(torch.device("cpu"), 1), list[str]()
    tokens = torch.randint(32, (6, 17), generator=torch.Generator().manual_seed(3))
    batch = Batch(tokens[:, :-1], tokens[:, 1:])
    state, twin = build_state(config, device, 32, 0), build_state(config, device, 32, 0)
    twin.micro_batch = 2  # halved to what `state` has
    train_step_within_memory(state, config, device, batch, told.append)
    real, made = torch.zeros_like, iter([*[False] * 6, True])

    def zeros(*given: Any, **more: Any) -> torch.Tensor:
        if "memory_format" in more and next(made, False):
            raise torch.OutOfMemoryError("no room for a moment")
        return real(*given, **more)

    monkeypatch.setattr(torch, "zeros_like", zeros)
    train_step_within_memory(twin, config, device, batch, told.append)
    assert len(told) == 1
    for one, other in zip(state.model.parameters(), twin.model.parameters(), strict=True):
        assert torch.equal(one, other)
        assert torch.equal(state.optimizer.state[one]["step"], twin.optimizer.state[other]["step"])


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
