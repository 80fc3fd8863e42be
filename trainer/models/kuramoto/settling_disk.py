"""The oscillators of `oscillators.py` with the mean field fed back: a Kuramoto step of the state a token.

y = (1 - g_t) e^{i omega} z_{t-1} + g_t e^{i phi_t}      M = mean of y over the group
delta = K Im(conj(y) M) / |y|                            z_t = y e^{i delta}
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from trainer.models.kuramoto.settling import EPS, group_mean
from trainer.models.planes import times


def settling_oscillators(gate: Tensor, phase: Tensor, omega: Tensor, strength: Tensor, group: int) -> Tensor:
    """Return the states after every token, `[2, B, T, N]`, from rest.

    Args:
        gate, phase, omega: as in `driven_oscillators`.
        strength: K, `[B, T]`.
        group: oscillators a group.
    """
    states: Tensor = _SettlingOscillators.apply(gate, phase, omega, strength, group)  # type: ignore[no-untyped-call]
    return states


class _SettlingOscillators(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, gate: Tensor, phase: Tensor, omega: Tensor, strength: Tensor, group: int) -> Tensor:
        g = torch.sigmoid(gate)
        push = torch.stack((phase.cos(), phase.sin())).mul_(g)
        cos, sin = omega.cos(), omega.sin()
        moved, states = torch.empty_like(push), torch.empty_like(push)
        errors = torch.empty_like(g)
        z = torch.zeros_like(push[:, :, 0])
        rows = zip(
            (1 - g).unbind(1),
            push.unbind(2),
            strength.unsqueeze(2).unbind(1),
            moved.unbind(2),
            states.unbind(2),
            errors.unbind(1),
            strict=True,
        )
        for decay, drive, K, y, new, error in rows:
            torch.addcmul(drive, times(z, cos, sin), decay, out=y)
            mean = group_mean(y, group)
            torch.mul(y[0], mean[1], out=error).addcmul_(y[1], mean[0], value=-1)
            error.mul_(y.square().sum(0).add_(EPS).rsqrt_())
            delta = error * K
            z = times(y, delta.cos(), delta.sin())
            new.copy_(z)
        ctx.save_for_backward(g, phase, omega, strength, moved, states, errors)
        ctx.group = group
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        g, phase, omega, strength, y, states, error = ctx.saved_tensors
        K = strength.unsqueeze(2)
        cos, sin = omega.cos(), omega.sin()
        inverse = (y.square().sum(0) + EPS).rsqrt()
        p, mean = y * inverse, group_mean(y, ctx.group)
        # Gradients of the error: through y itself, and (`across`) through the mean of its group.
        own = torch.stack((mean[1], -mean[0])).sub_(error * p).mul_(inverse)
        across = torch.stack((-p[1], p[0]))
        aside = torch.stack((-states[1], states[0]))
        delta = error * K
        dy, twist = torch.empty_like(y), torch.empty_like(g)
        rows = zip(
            grad.unbind(2),
            delta.cos().unbind(1),
            delta.sin().unbind(1),
            aside.unbind(2),
            own.unbind(2),
            across.unbind(2),
            K.unbind(1),
            (1 - g).unbind(1),
            dy.unbind(2),
            twist.unbind(1),
            strict=True,
        )
        carry = torch.zeros_like(grad[:, :, 0])
        for here, turn_cos, turn_sin, side, alone, shared, pull, decay, out, turned in reversed(list(rows)):
            v = here + carry
            torch.sum(v * side, 0, out=turned)
            weight = turned * pull
            out.copy_(times(v, turn_cos, -turn_sin))
            out.addcmul_(alone, weight).add_(group_mean(shared * weight, ctx.group))
            carry = times(out, cos, -sin).mul_(decay)
        before = torch.zeros_like(states)
        before[:, :, 1:] = times(states[:, :, :-1], cos, sin)
        phi_cos, phi_sin = phase.cos(), phase.sin()
        along = dy[0] * (phi_cos - before[0]) + dy[1] * (phi_sin - before[1])
        grad_gate = along * g * (1 - g)
        grad_phase = (dy[1] * phi_cos - dy[0] * phi_sin) * g
        grad_omega = ((dy[1] * before[0] - dy[0] * before[1]) * (1 - g)).sum((0, 1))
        return grad_gate, grad_phase, grad_omega, (twist * error).sum(2), None
