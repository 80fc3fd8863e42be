"""The phasors of `mobius.py`, settling after every token, as angles.

eta = phi_t - theta        s = 1 + m e^{i eta}       alpha = theta + omega + 2 arg s
theta' = alpha + K (mean(sin) cos(alpha) - mean(cos) sin(alpha)) - l sin(2 alpha)
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from trainer.models.kuramoto.mobius import STRONGEST, field_strength, working_dtype
from trainer.models.kuramoto.settling import group_mean


def settling_phasors(
    gate: Tensor, phase: Tensor, omega: Tensor, strength: Tensor | None, latch: float, group: int
) -> Tensor:
    """Return the phasors after every token, `[2, B, T, N]`, from z = 1 before the first.

    Args:
        gate, phase, omega: as in `mobius_phasors`.
        strength: K, `[B, T]`, or None for no mean field.
        latch, group: as in `settle`.
    """
    K = gate.new_zeros(gate.shape[:2]) if strength is None else strength
    states: Tensor = _SettlingPhasors.apply(gate, phase, omega, K, latch, group)  # type: ignore[no-untyped-call]
    return states


class _SettlingPhasors(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, gate: Tensor, phase: Tensor, omega: Tensor, strength: Tensor, latch: float, group: int
    ) -> Tensor:
        work = working_dtype(gate.device)
        m, turn = field_strength(gate.to(work)), omega.to(work)
        before, moved, after = (torch.empty_like(m) for _ in range(3))
        theta = torch.zeros_like(m[:, 0])
        rows = zip(
            m.unbind(1),
            phase.to(work).unbind(1),
            strength.to(work).unsqueeze(2).unbind(1),
            before.unbind(1),
            moved.unbind(1),
            after.unbind(1),
            strict=True,
        )
        for pull, phi, K, old, alpha, new in rows:
            old.copy_(theta)
            eta = phi - theta
            along = torch.cos(eta).mul_(pull).add_(1)
            torch.atan2(eta.sin_().mul_(pull), along, out=alpha)
            alpha.mul_(2).add_(theta).add_(turn)
            wave = torch.stack((alpha.cos(), alpha.sin()))
            mean = group_mean(wave, group)
            error = torch.mul(wave[0], mean[1]).addcmul_(wave[1], mean[0], value=-1)
            torch.addcmul(alpha, error, K, out=new)
            if latch:
                new.addcmul_(wave[0], wave[1], value=-2 * latch)
            theta = new
        ctx.save_for_backward(gate, phase, strength, before, moved, after)
        ctx.latch, ctx.group = latch, group
        return torch.stack((after.cos(), after.sin())).to(gate.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        gate, phase, strength, before, moved, after = ctx.saved_tensors
        m, K = field_strength(gate.to(before.dtype)), strength.to(before.dtype).unsqueeze(2)
        eta = phase - before
        eta_cos, eta_sin = eta.cos(), eta.sin()
        square = 1 + m * (2 * eta_cos + m)
        wave = torch.stack((moved.cos(), moved.sin()))
        mean = group_mean(wave, ctx.group)
        straight = 1 - 2 * ctx.latch * (2 * moved).cos() - K * (wave * mean).sum(0)
        direct = grad[1] * after.cos() - grad[0] * after.sin()
        arrived, left = torch.empty_like(m), torch.empty_like(m)
        rows = zip(
            direct.unbind(1),
            straight.unbind(1),
            wave.unbind(2),
            K.unbind(1),
            ((1 - m * m) / square).unbind(1),
            arrived.unbind(1),
            left.unbind(1),
            strict=True,
        )
        carry = torch.zeros_like(m[:, 0])
        for here, along, both, pull, through, new, alpha in reversed(list(rows)):
            torch.add(here, carry, out=new)
            shared = group_mean(both * (new * pull), ctx.group)
            torch.mul(new, along, out=alpha).addcmul_(both[0], shared[0]).addcmul_(both[1], shared[1])
            carry = through * alpha
        error = wave[0] * mean[1] - wave[1] * mean[0]
        pull = 2 * left / square
        grad_gate = pull * eta_sin * m * (1 - m / STRONGEST)
        grad_phase = pull * m * (eta_cos + m)
        grads = (grad_gate, grad_phase, left.sum((0, 1)), (arrived * error).sum(2))
        return *(one.to(gate.dtype) for one in grads), None, None
