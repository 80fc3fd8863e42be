"""What a step can be told beyond its default: each option does what it says, and nothing where it is off."""

import dataclasses
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from trainer.checkpoints.restore import restore
from trainer.checkpoints.save import Surroundings, save
from trainer.config.model import ModelConfig
from trainer.config.schema import OptimConfig, RunConfig
from trainer.device.device import open_device
from trainer.loop.setup import build_state
from trainer.models.forms import SMALL, small_forms, small_kinds
from trainer.run.checkpoints.manifest import verify
from trainer.step import recompute
from trainer.step.lr_schedule import schedule_for
from trainer.step.optimizer_step import Batch, accumulate, train_step
from trainer.step.optimizers import orthogonalised
from trainer.step.state import TrainState

VOCAB = 16
DEVICE = open_device("cpu", 1)
NOISY = {"noisy": small_forms()["noisy"]}


def model_of(kind: str, **fields: Any) -> ModelConfig:
    return msgspec.convert({**SMALL, "kind": kind, **fields}, ModelConfig)


def config_of(model: ModelConfig, recomputes: bool = False, **optim: Any) -> RunConfig:
    return RunConfig(
        model=model, optim=OptimConfig(warmup=0, **optim), batch=4, context=12, recompute=recomputes
    )


def batch_of(seed: int = 0) -> Batch:
    tokens = torch.randint(VOCAB, (4, 13), generator=torch.Generator().manual_seed(seed))
    return Batch(tokens[:, :-1].contiguous(), tokens[:, 1:].contiguous())


def trained(config: RunConfig, steps: int = 3, state: TrainState | None = None) -> TrainState:
    state = state or build_state(config, DEVICE, VOCAB, 0)
    for _ in range(steps):
        train_step(state, config, DEVICE, batch_of(state.step))
    return state


def flat(state: TrainState) -> Tensor:
    return torch.cat([one.detach().flatten() for one in state.model.parameters()])


def gradients(config: RunConfig) -> Tensor:
    state = build_state(config, DEVICE, VOCAB, 0)
    accumulate(state, DEVICE, batch_of())
    return torch.cat([one.grad.flatten() for one in state.model.parameters() if one.grad is not None])


def test_the_oscillators_of_bolted_take_noise_from_the_runs_generator() -> None:
    config = config_of(model_of("bolted", noise=0.2))
    assert torch.equal(flat(trained(config)), flat(trained(config)))
    assert not torch.equal(flat(trained(config)), flat(trained(config_of(model_of("bolted")))))


@pytest.mark.parametrize(
    ("shape", "rates"),
    [
        ("constant", [1.0, 1.0, 1.0, 1.0, 1.0]),
        ("linear", [1.0, 0.775, 0.55, 0.325, 0.1]),
        ("wsd", [1.0, 1.0, 1.0, 0.55, 0.1]),
    ],
)
def test_the_rate_follows_its_schedule(shape: Any, rates: list[float]) -> None:
    optim = OptimConfig(lr=1.0, min_lr_ratio=0.1, warmup=10, schedule=shape, decay=50 / 110)
    schedule = schedule_for(optim, steps=110)
    assert schedule.rate(4) == pytest.approx(0.5)
    assert [schedule.rate(step) for step in (10, 35, 60, 85, 110)] == pytest.approx(rates)
    assert schedule.rate(1000) == pytest.approx(rates[-1])


@pytest.mark.parametrize("kind", ["gpt", "kssm-v1-original"])
def test_z_loss_and_soft_cap_are_what_their_formulas_say(kind: str) -> None:
    plain = model_of(kind)
    loss = {}
    for name, fields in {"off": {}, "z": {"z_loss": 0.3}, "cap": {"soft_cap": 0.5}}.items():
        state = build_state(config_of(model_of(kind, **fields)), DEVICE, VOCAB, 0)
        with torch.no_grad():
            state.model.embedding.weight.mul_(30.0)
        batch = batch_of()
        loss[name] = state.model.loss(batch.inputs, batch.targets)
        logits = state.model(batch.inputs).logits
        if name == "cap":
            assert float(logits.detach().abs().max()) <= 0.5
            expected = torch.nn.functional.cross_entropy(logits.flatten(0, 1), batch.targets.flatten())
            assert float(loss[name].ce) == pytest.approx(float(expected), rel=1e-6)
        if name == "z":
            z = logits.logsumexp(-1).square().mean()
            expected = (loss["off"].total + 0.3 * z).detach()
            assert float(loss["z"].total.detach()) == pytest.approx(float(expected), rel=1e-5)
            [one] = torch.autograd.grad(loss["z"].total, state.model.embedding.weight, retain_graph=True)
            again = state.model.loss(batch.inputs, batch.targets).ce  # detached: only z is derived below
            assert float(again) == pytest.approx(float(loss["off"].ce), rel=1e-6)
            assert one.isfinite().all()
    assert plain.z_loss == plain.soft_cap == 0


@pytest.mark.parametrize("kind", [*sorted(small_kinds()), *NOISY])
def test_recomputed_blocks_give_the_same_gradients_bit_for_bit(kind: str) -> None:
    model = {**small_kinds(), **NOISY}[kind]
    assert torch.equal(gradients(config_of(model)), gradients(config_of(model, recomputes=True)))


def test_recomputing_with_other_noise_would_show(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: a block that is worked again must draw what it drew."""

    def forgetful(forward: Any, noise: Any) -> Any:
        return lambda *inputs: checkpoint(forward, *inputs, use_reentrant=False)

    expected = gradients(config_of(NOISY["noisy"]))
    monkeypatch.setattr(recompute, "_recomputed", forgetful)
    assert not torch.equal(expected, gradients(config_of(NOISY["noisy"], recomputes=True)))


def test_an_orthogonalised_matrix_has_singular_values_around_one() -> None:
    for shape in ((16, 16), (8, 32), (32, 8)):
        matrix = torch.randn(shape, generator=torch.Generator().manual_seed(1))
        values = torch.linalg.svdvals(orthogonalised(matrix))
        assert 0.5 < float(values.min()) <= float(values.max()) < 1.3
        assert float(torch.linalg.svdvals(matrix).max()) > 2


@pytest.mark.parametrize("kind", ["kssm-v3", "gpt", "kssm-v3-original"])
def test_muon_learns_and_skips_what_is_not_finite(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    config = config_of(model_of(kind), name="muon", lr=0.01)
    state = build_state(config, DEVICE, VOCAB, 0)
    losses = [
        float(train_step(state, config, DEVICE, batch_of())[0][1])
        for _ in range(12)  # one batch, by heart
    ]
    assert losses[-1] < 0.9 * losses[0]
    before = flat(state)
    held = [{name: value.clone() for name, value in one.items()} for one in state.optimizer.state.values()]
    real = state.model.loss

    def poisoned(tokens: Tensor, targets: Tensor) -> Any:
        out = real(tokens, targets)
        return dataclasses.replace(out, total=out.total * torch.nan)

    monkeypatch.setattr(state.model, "loss", poisoned)
    train_step(state, config, DEVICE, batch_of())
    assert torch.equal(flat(state), before)
    for one, other in zip(held, state.optimizer.state.values(), strict=True):
        assert all(torch.equal(value, other[name]) for name, value in one.items())


@pytest.mark.parametrize("optim", [{"name": "muon"}, {"ema": 0.9}])
def test_what_an_option_adds_to_the_state_is_in_its_checkpoints(
    optim: dict[str, Any], tmp_path: Path
) -> None:
    config = config_of(small_kinds()["kssm-v3"], **optim)
    state = trained(config)
    name = save(tmp_path, state, Surroundings(config, DEVICE, "a-text", VOCAB), "periodic").name
    again = build_state(config, DEVICE, VOCAB, 0)
    restore(again, tmp_path / name, verify(tmp_path / name), DEVICE)
    assert torch.equal(flat(trained(config, 3, again)), flat(trained(config, 3, state)))
    if state.average and again.average:
        assert all(torch.equal(one, again.average.values[key]) for key, one in state.average.values.items())


def test_averaged_weights_are_the_exponential_average() -> None:
    config = config_of(small_kinds()["gpt"], ema=0.75)
    state = build_state(config, DEVICE, VOCAB, 0)
    expected = flat(state)
    for _ in range(4):
        train_step(state, config, DEVICE, batch_of(state.step))
        expected = 0.75 * expected + 0.25 * flat(state)
    assert state.average is not None
    found = torch.cat([one.flatten() for one in state.average.values.values()])
    assert float((found - expected).abs().max()) < 1e-6
    assert not torch.equal(found, flat(state))
