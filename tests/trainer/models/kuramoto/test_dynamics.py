"""`model.dynamics` and the switches beside it: causal, the same token by token, or refused."""

import math
from typing import Any

import pytest
import torch

from tests.trainer.models.test_causality import assert_causal, assert_reaches
from tests.trainer.models.texts import small, text
from trainer.models.create import ModelSpecError
from trainer.models.kssm import KuramotoSSM
from trainer.models.kuramoto.coupling import coupling_strength
from trainer.models.kuramoto.oscillators import driven_oscillators

VARIANTS: list[dict[str, Any]] = [
    {"dynamics": "ema"},
    {"dynamics": "mobius"},
    {"dynamics": "mobius", "latch": 0.3, "coupled": False},
    {"feedback": True},
    {"written": "R", "k_max": 8.0, "k_sign": "signed"},
]


@pytest.mark.parametrize("fields", VARIANTS, ids=str)
def test_variants_are_causal_and_reach(fields: dict[str, Any]) -> None:
    model = small(**fields)
    assert_causal(lambda tokens: model(tokens).logits)
    assert_reaches(lambda tokens: model(tokens).logits)


@pytest.mark.parametrize("fields", VARIANTS, ids=str)
def test_variants_say_the_same_token_by_token(fields: dict[str, Any]) -> None:
    model, texts = small(layers=1, **fields), text(1, 100)
    state, logits = model.init_state(1), []
    for token in texts.unbind(1):
        answer, state = model.step(token, state)
        logits.append(answer.logits)
    with torch.no_grad():
        assert (torch.stack(logits, dim=1) - model(texts).logits).abs().max() < 1e-4


def test_every_parameter_of_every_variant_learns() -> None:
    for fields in VARIANTS:
        model, texts = small(**fields).train(), text(2, 40)
        model.loss(texts[:, :-1], texts[:, 1:]).total.backward()  # type: ignore[no-untyped-call]
        lost = [name for name, one in model.named_parameters() if one.grad is None or not one.grad.any()]
        assert not lost, fields


def test_ema_is_driven_with_a_frequency_of_zero_and_no_parameter_for_it() -> None:
    model = small(dynamics="ema")
    assert isinstance(model, KuramotoSSM)
    assert not [name for name in model.state_dict() if name.endswith("omega")]
    bank = model._typed_blocks()[0].bank
    gate, phase = torch.randn(1, 50, 32), torch.randn(1, 50, 32)
    still = bank.dynamics.evolve(gate, phase, bank.omega, None)
    assert torch.equal(still, driven_oscillators(gate, phase, torch.zeros(32)))
    assert not torch.equal(still, driven_oscillators(gate, phase, torch.full((32,), 0.1)))


def test_coupling_can_be_wider_and_can_repel() -> None:
    u = torch.tensor([0.1, 1.0, 10.0])
    assert torch.allclose(coupling_strength(u, 8.0), 4 * coupling_strength(u))
    signed = coupling_strength(u, 4.0, signed=True)
    assert torch.allclose(signed, 4 * torch.tanh(u.log() / 2))
    assert signed[0] < 0 == signed[1] < signed[2]


def test_a_group_without_synchrony_writes_nothing_where_R_weighs_it() -> None:
    for written in ("R", "all"):
        model = small(written=written, coupled=False, group=2, layers=1)
        assert isinstance(model, KuramotoSSM)
        bank = model._typed_blocks()[0].bank
        opposite = torch.ones(2, 1, 1, 32) / math.sqrt(2)
        opposite[..., 16:] *= -1
        bank.intervene = lambda states, z=opposite: z.expand(states.shape).contiguous()
        with torch.no_grad():
            mixed, _ = bank(torch.randn(1, 4, 32))
            assert ((mixed - bank.out.bias).abs().max() > 1e-3) == (written == "all")


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"feedback": True, "coupled": False}, "needs coupled = true"),
        ({"feedback": True, "k_max": 4.0}, "k_max <= 2"),
        ({"latch": 0.2}, "needs dynamics = mobius"),
        ({"k_sign": "signed", "u": "off"}, "needs a u"),
        ({"dynamics": "moebius"}, "dynamics"),
    ],
)
def test_what_does_not_fit_together_is_refused(fields: dict[str, Any], word: str) -> None:
    with pytest.raises(ModelSpecError, match=word):
        small(**fields)
    assert small(kind="gpt", latch=0.2).config.latch == 0.2
