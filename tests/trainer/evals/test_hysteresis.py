"""Hysteresis: what forgets, what latches, and what merely drifts."""

from typing import Any

import pytest
import torch
from torch import Tensor

from tests.trainer.models.texts import small
from trainer.evals.hysteresis import Recurrence, hysteresis, of_model
from trainer.models.kssm import KuramotoSSM


class Stub:
    """Angles that a token moves by the sine of its number; `hold` says what happens to them beside that."""

    def __init__(self, hold: str) -> None:
        self.hold = hold

    def init_state(self, batch: int) -> list[Tensor]:
        return [torch.stack((torch.ones(batch, 6), torch.zeros(batch, 6)))]

    def advance(self, token: Tensor, state: list[Tensor]) -> tuple[None, list[Tensor]]:
        z = torch.complex(state[0][0], state[0][1])
        theta = z.angle() + 0.5 * torch.sin(token.float())[:, None]
        if self.hold == "latch":
            theta = theta - 0.3 * torch.sin(2 * theta)
        elif self.hold == "leak":
            theta = 0.99 * theta
        return None, [torch.stack((theta.cos(), theta.sin()))]


def past(*tokens: int) -> Tensor:
    return torch.tensor([tokens])


@pytest.mark.parametrize(("hold", "verdict"), [("latch", "latches"), ("leak", "forgets"), ("none", "drifts")])
def test_a_latch_a_leak_and_a_mere_sum_are_told_apart(hold: str, verdict: str) -> None:
    stub: Recurrence = Stub(hold)
    up, down = past(*[2] * 10), past(*[0] * 10)
    found = hysteresis(stub, up, down, torch.zeros(1000, dtype=torch.long))
    assert found.verdict == verdict
    assert found.tokens == 1000
    assert (found.ratio > 0.5) == (verdict != "forgets")
    assert (found.faded is None) == (verdict != "forgets")
    assert (found.held == 1.0) == (hold == "latch") or hold == "none"
    assert (found.nudged < 0.1) == (verdict != "drifts")


def test_the_driven_layout_forgets_and_a_latched_one_does_not() -> None:
    verdicts: dict[str, Any] = {}
    layouts: dict[str, dict[str, Any]] = {"driven": {}, "latch": {"dynamics": "mobius", "latch": 0.45}}
    for name, fields in layouts.items():
        model = small(layers=1, coupled=False, **fields)
        assert isinstance(model, KuramotoSSM)
        with torch.no_grad():
            bank = model._typed_blocks()[0].bank
            bank.omega.zero_()
            if name == "latch":
                bank.drive.weight[:32] *= 4.0  # so that some tokens push hard and the equal one hardly does
        equal = _quietest(model).expand(200)
        verdicts[name] = of_model(model, range(64), pairs=2, past=10, equal=equal)
    assert verdicts["driven"].verdict == "forgets"
    assert verdicts["driven"].decay < 200
    assert verdicts["driven"].held == 0.0
    assert verdicts["latch"].verdict == "latches"
    assert verdicts["latch"].held > 0.05


def _quietest(model: KuramotoSSM) -> Tensor:
    """The token whose gates are most closed."""
    block = model._typed_blocks()[0]
    gate, _ = block.bank._drive(block.bank_norm(model.embedding(torch.arange(64)))[None])
    return gate[0].amax(-1).argmin()


def test_pasts_that_end_alike_or_do_not_fit_are_refused() -> None:
    stub: Recurrence = Stub("none")
    equal = torch.zeros(10, dtype=torch.long)
    with pytest.raises(ValueError, match="same state"):
        hysteresis(stub, past(1, 2), past(1, 2), equal)
    with pytest.raises(ValueError, match="pasts"):
        hysteresis(stub, past(1, 2), past(1, 2, 3), equal)
