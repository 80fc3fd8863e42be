"""A plain gated recurrence on whole batches; see `models/gated.py`."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import pad

from trainer.models.whole.tree_scan import tree_scan


def gated_whole(gate: Tensor, value: Tensor, keep: Tensor | None = None) -> Tensor:
    """Return the states after every token, `[B, T, N]`, from rest; `keep` as of `driven_oscillators`."""
    states: Tensor = _GatedWhole.apply(gate, value, keep)  # type: ignore[no-untyped-call]
    return states


class _GatedWhole(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, gate: Tensor, value: Tensor, keep: Tensor | None) -> Tensor:
        g = torch.sigmoid(gate)
        a = 1 - g if keep is None else (1 - g) * keep
        states = tree_scan(a, (g * value)[None], None)[0]
        ctx.save_for_backward(g, a, value, states)
        ctx.keep = keep
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        g, a, value, states = ctx.saved_tensors
        handed = pad(a[:, 1:], (0, 0, 0, 1), value=1.0)
        v = tree_scan(handed, grad[None], None, back=True)[0] * g
        past = pad(states[:, :-1], (0, 0, 1, 0))
        if ctx.keep is not None:
            past, a = past * ctx.keep, 1 - g
        return (value - past) * v * a, v, None
