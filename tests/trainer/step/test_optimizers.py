"""Our AdamW: the bits of torch's, a state of torch's taken over, and no compiler loaded for it."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.trainer.loop.tiny import words, write_text
from trainer.step.optimizers import AdamW

COMPILER = ("torch._dynamo", "torch._inductor", "sympy")
LOADED = f"""
import sys
from trainer import cli
code = cli.main(sys.argv[1:])
print("LOADED", [name for name in {COMPILER!r} if name in sys.modules])
sys.exit(code)
"""


def parameters() -> list[nn.Parameter]:
    draw = torch.Generator().manual_seed(1)
    return [nn.Parameter(torch.randn(shape, generator=draw)) for shape in ((5, 7), (7,), (3, 2, 4))]


def groups(of: list[nn.Parameter]) -> list[dict[str, Any]]:
    return [{"params": of[:1], "weight_decay": 0.1}, {"params": of[1:], "weight_decay": 0.0}]


def updated(of: list[nn.Parameter], optimizer: Any, steps: range, *, spoilt: int = -1) -> list[Tensor]:
    """The parameters after gradients of a number each; those of step `spoilt` are said not to be finite."""
    for step in steps:
        draw = torch.Generator().manual_seed(step)
        for place, one in enumerate(of):
            one.grad = torch.randn(one.shape, generator=draw) if place != step % 3 or step < 3 else None
        for group in optimizer.param_groups:
            group["lr"] = 0.01 * (step + 1)
        optimizer.found_inf = torch.tensor(float(step == spoilt))
        optimizer.step()
    return [one.detach().clone() for one in of]


def torchs(of: list[nn.Parameter]) -> torch.optim.AdamW:
    return torch.optim.AdamW(groups(of), lr=0.01, betas=(0.9, 0.95), fused=True)


def ours(of: list[nn.Parameter]) -> AdamW:
    return AdamW(groups(of), lr=0.01, betas=(0.9, 0.95))


def equal(left: list[Tensor], right: list[Tensor]) -> bool:
    return all(torch.equal(one, other) for one, other in zip(left, right, strict=True))


@pytest.mark.parametrize("spoilt", [-1, 0, 4])
def test_the_update_is_torchs_to_the_bit(spoilt: int) -> None:
    mine, theirs = parameters(), parameters()
    after = updated(mine, ours(mine), range(8), spoilt=spoilt)
    assert equal(after, updated(theirs, torchs(theirs), range(8), spoilt=spoilt))
    other = parameters()
    assert not equal(after, updated(other, torchs(other), range(8), spoilt=3)), "a control"


@pytest.mark.parametrize("make", [ours, torchs])
def test_a_state_of_torchs_is_taken_over_as_our_own_is(make: Any) -> None:
    whole, halves = parameters(), parameters()
    expected = updated(whole, torchs(whole), range(6))
    begun = make(halves)
    updated(halves, begun, range(3))
    goes_on = ours(halves)
    goes_on.load_state_dict(begun.state_dict())
    assert equal(updated(halves, goes_on, range(3, 6)), expected)


def test_a_state_of_other_groups_is_refused() -> None:
    mine = parameters()
    stored = ours(mine).state_dict()
    with pytest.raises(ValueError, match="longer"):
        AdamW([{"params": mine}], lr=0.01, betas=(0.9, 0.95)).load_state_dict(stored)


@pytest.mark.parametrize("compiles", [False, True])
def test_a_run_that_compiles_nothing_loads_no_compiler(tmp_path: Path, compiles: bool) -> None:
    sets = ["steps=1", "checkpoint.every=0", *(["deterministic=on"] if compiles else [])]
    argv = words(tmp_path / "out", write_text(tmp_path / "text.txt", sentences=300), sets=sets)
    ran = subprocess.run([sys.executable, "-c", LOADED, *argv], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ("LOADED []" in ran.stdout) != compiles, "torch's deterministic mode loads it, a control"
