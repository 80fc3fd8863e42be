"""What a look into a model sees, and that it leaves no trace."""

from contextlib import AbstractContextManager, nullcontext

import pytest
import torch
from torch import Tensor

from trainer.config.resolve import resolve
from trainer.device.device import Device, default_generator_state
from trainer.evals.probes import probe as probing
from trainer.evals.probes.probe import ProbeReading, probe
from trainer.loop.setup import build_state
from trainer.models.kuramoto.bank import Bank
from trainer.models.outputs import U_LOW
from trainer.models.published.v3 import BankV3
from trainer.step.optimizer_step import Batch
from trainer.step.state import TrainState

VOCAB = 32
CPU = Device(torch.device("cpu"), 1)
SMALL = [
    "model.dim=16", "model.layers=2", "model.oscillators=8", "model.group=4", "model.harmonics=2", "batch=3",
    "model.positions=32", "model.noise=0.2", "model.dropout=0.3", "model.heads=2",
]  # fmt: skip


def made(kind: str, *more: str) -> TrainState:
    torch.set_num_threads(1)
    return build_state(resolve(None, overrides=[*SMALL, f"model.kind={kind}", *more]).config, CPU, VOCAB, 0)


def batch() -> Batch:
    tokens = torch.randint(VOCAB, (3, 17), generator=torch.Generator().manual_seed(3))
    return Batch(tokens[:, :-1], tokens[:, 1:])


def traces(state: TrainState) -> list[Tensor]:
    """Everything that a look must leave as it is."""
    generators = [state.noise.get_state(), default_generator_state(CPU)["torch"]]
    return [*(one.detach().clone() for one in state.model.parameters()), *generators]


def is_as_before(state: TrainState, before: list[Tensor]) -> bool:
    return all(torch.equal(one, other) for one, other in zip(traces(state), before, strict=True))


@pytest.mark.parametrize("kind", ["kssm-v3", "kssm-v3-original", "kssm-v2-original"])
def test_a_look_leaves_weights_gradients_generators_and_banks_alone(kind: str) -> None:
    state = made(kind)
    before = traces(state)
    looks = [probe(state, CPU, batch()) for _ in range(2)]
    assert looks[0] == looks[1]
    assert looks[0].layers["R"]
    assert is_as_before(state, before)
    assert state.model.training
    for module in state.model.modules():
        assert getattr(module, "intervene", None) is None
        assert not module._forward_hooks
    assert all(one.grad is None for one in state.model.parameters())


def test_a_look_that_draws_for_good_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def drawn(_state: TrainState, _device: Device) -> AbstractContextManager[None]:
        return nullcontext()

    monkeypatch.setattr(probing, "undrawn", drawn)
    state = made("kssm-v3")
    before = traces(state)
    probe(state, CPU, batch())
    assert not is_as_before(state, before)


@pytest.mark.parametrize("kind", ["kssm-v3", "kssm-v3-original"])
def test_warfare_is_that_of_the_two_gradients_taken_one_by_one(kind: str) -> None:
    state = made(kind, "model.reg=0.3", "model.noise=0", "model.dropout=0")
    seen = probe(state, CPU, batch())
    parts = []
    for weights in ((1.0, 0.0), (0.0, 0.3)):
        state.noise.manual_seed(0)
        state.model.zero_grad()
        state.noise.set_state(made(kind, "model.reg=0.3").noise.get_state())
        features = state.model.features(batch().inputs)
        ce = state.model.cross_entropy(features, batch().targets)
        torch.autograd.backward(weights[0] * ce + weights[1] * features.penalty)
        banks = [one for one in state.model.modules() if isinstance(one, Bank | BankV3)]
        parts.append([torch.cat([_flat(one.grad, one) for one in bank.parameters()]) for bank in banks])
    text, rule = torch.cat(parts[0]), torch.cat(parts[1])
    assert seen.values["warfare_ratio"] == pytest.approx(float(rule.norm() / text.norm()), rel=1e-4)
    assert seen.values["warfare_cosine"] == pytest.approx(_cosine(text, rule), rel=1e-3)
    for layer, (one, other) in enumerate(zip(*parts, strict=True)):
        assert seen.layers["warfare_ratio"][layer] == pytest.approx(
            float(other.norm() / one.norm()), rel=1e-4
        )
        assert seen.layers["warfare_cosine"][layer] == pytest.approx(_cosine(one, other), rel=1e-3)


def _flat(gradient: Tensor | None, like: Tensor) -> Tensor:
    return (torch.zeros_like(like) if gradient is None else gradient).flatten()


def _cosine(one: Tensor, other: Tensor) -> float:
    return float(torch.cosine_similarity(one, other, dim=0))


def test_warfare_is_absent_where_ce_does_not_reach_the_bank() -> None:
    seen = probe(made("bolted", "model.noise=0"), CPU, batch())
    assert "warfare_ratio" not in {*seen.values, *seen.layers}
    assert "u_shuffled" in seen.values


@pytest.mark.parametrize("kind", ["kssm-v3", "kssm-v3-original"])
def test_shuffled_u_costs_nothing_where_all_positions_have_the_same(kind: str) -> None:
    state = made(kind)
    for module in state.model.modules():  # strong banks, whose coupling hears every position
        if isinstance(module, Bank | BankV3):
            with torch.no_grad():
                module.out.weight.mul_(20)
                module.omega.mul_(0.3)
    assert abs(probe(state, CPU, batch()).values["u_shuffled"]) > 1e-4
    for name, one in state.model.named_parameters():
        if name.endswith(("coupling.params.weight", "ten.weight")):
            torch.nn.init.zeros_(one)
    assert probe(state, CPU, batch()).values["u_shuffled"] == 0


def test_layers_say_what_the_features_and_the_banks_say() -> None:
    state = made("kssm-v3-original")
    seen = probe(state, CPU, batch())
    banks = [one for one in state.model.modules() if isinstance(one, BankV3)]
    told: list[Tensor] = []
    hooks = [bank.register_forward_hook(lambda _m, _i, out: told.append(out[1].det)) for bank in banks]
    features = state.model.features(batch().inputs)
    for hook in hooks:
        hook.remove()
    assert features.u is not None
    for layer in range(2):
        u = features.u[..., layer].detach()
        assert seen.layers["u"][layer] == pytest.approx(float(u.median()))
        assert seen.layers["u_low"][layer] == pytest.approx(float((u <= U_LOW).float().mean()))
        assert seen.layers["R"][layer] == pytest.approx(float(features.R[..., layer].mean()))
        assert seen.layers["det"][layer] == pytest.approx(float(told[layer]))
        assert 0 <= seen.layers["det_low"][layer] <= 1
    assert seen.values["det"] == pytest.approx(sum(seen.layers["det"]) / 2)
    assert "z" not in seen.layers  # phases without amplitudes


def test_ours_has_amplitudes_and_no_delta() -> None:
    seen: ProbeReading = probe(made("kssm-v3"), CPU, batch())
    assert all(0 < one < 1 for one in seen.layers["z"])
    assert all(z + 1e-6 >= R for R, z in zip(seen.layers["R"], seen.layers["z"], strict=True))
    assert "det" not in seen.layers


@pytest.mark.parametrize("more", ["model.u=off", "model.coupled=false"])
def test_without_u_there_is_no_warfare(more: str) -> None:
    seen = probe(made("kssm-v3", more), CPU, batch())
    assert set(seen.layers) == {"R", "coherence", "z"}
    assert set(seen.values) == {"z"}
