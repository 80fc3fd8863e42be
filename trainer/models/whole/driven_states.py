"""Driven oscillators on whole batches; see `kuramoto/oscillators.py`, where the formulas are."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import pad

from trainer.models.planes import turned
from trainer.models.whole.tree_scan import tree_scan
from trainer.models.whole.turning import FRAME, turning


def driven_states(
    gate: Tensor, phase: Tensor, omega: Tensor, start: Tensor | None, keep: Tensor | None = None
) -> Tensor:
    """Return the states after every token, `[2, B, T, N]`; arguments as of `driven_oscillators`."""
    states: Tensor = _DrivenStates.apply(gate, phase, omega, start, keep)  # type: ignore[no-untyped-call]
    return states


class _DrivenStates(torch.autograd.Function):
    """The scan in the turning frame, and its adjoint."""

    @staticmethod
    def forward(
        ctx: Any, gate: Tensor, phase: Tensor, omega: Tensor, start: Tensor | None, keep: Tensor | None
    ) -> Tensor:
        tokens = gate.shape[1]
        frame = turning(omega, min(tokens, FRAME))
        angle, cos, sin = (_tiled(one, tokens) for one in (frame.angle, frame.cos, frame.sin))
        g = torch.sigmoid(gate)
        a, away = 1 - g, phase - angle
        if keep is not None:
            a = a * keep
        unit = torch.stack((away.cos(), away.sin()))
        drives = unit * g
        parts: list[Tensor] = []
        carries: list[Tensor] = []
        carry = start
        for block in _blocks(tokens):
            parts.append(tree_scan(a[:, block], drives[:, :, block], carry))
            if block.stop < tokens:
                carry = turned(parts[-1][:, :, -1], cos[FRAME - 1], sin[FRAME - 1])
                carries.append(carry)
        ctx.starts, ctx.keep = start is not None, keep
        w = _joined(parts)
        ctx.save_for_backward(g, a, unit, w, cos, sin, *([] if start is None else [start]), *carries)
        return turned(w, cos, sin)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        g, a, unit, w, cos, sin, *carries = ctx.saved_tensors
        tokens = g.shape[1]
        d = turned(grad, cos, sin, -1)
        handed = pad(a[:, 1:], (0, 0, 0, 1), value=1.0)
        parts: list[Tensor] = []
        arriving: Tensor | None = None
        for block in reversed(_blocks(tokens)):
            parts.append(tree_scan(handed[:, block], d[:, :, block], arriving, back=True))
            if block.start:
                arriving = turned(parts[-1][:, :, 0], cos[FRAME - 1], sin[FRAME - 1], -1)
        v = _joined(parts[::-1])
        past = _past(w, carries if ctx.starts else [None, *carries])
        if ctx.keep is None:
            grad_gate = (v * (unit - past)).sum(0) * g * a
        else:
            grad_gate = (v * (unit - past * ctx.keep)).sum(0) * g * (1 - g)
        grad_phase = torch.addcmul(v[1] * unit[0], v[0], unit[1], value=-1) * g
        twist = torch.addcmul(v[1] * past[0], v[0], past[1], value=-1)
        grad_start = v[:, :, 0] * a[:, 0] if ctx.needs_input_grad[3] else None
        return grad_gate, grad_phase, (twist * a).sum((0, 1)), grad_start, None


def _past(w: Tensor, carries: Sequence[Tensor | None]) -> Tensor:
    """Return the state before every token, in the frame of its block; None: rest."""
    if carries == [None]:
        return pad(w[:, :, :-1], (0, 0, 1, 0))
    parts = []
    for block, carry in zip(_blocks(w.shape[2]), carries, strict=True):
        first = torch.zeros_like(w[:, :, :1]) if carry is None else carry.unsqueeze(2)
        parts += [first, w[:, :, block.start : block.stop - 1]]
    return torch.cat(parts, dim=2)


def _blocks(tokens: int) -> list[slice]:
    return [slice(start, min(start + FRAME, tokens)) for start in range(0, tokens, FRAME)]


def _tiled(frame: Tensor, tokens: int) -> Tensor:
    """Return a frame's rows again and again, `[T, N]`."""
    return frame if tokens <= FRAME else frame.repeat(-(-tokens // FRAME), 1)[:tokens]


def _joined(parts: list[Tensor]) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(parts, dim=2)
