"""What the published models share: one Kuramoto step of all oscillators, and means of their harmonics."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from trainer.models.planes import batch_slices

MAGNITUDE_EPS = 1e-8
"""Added under the root of |Z|, as published."""


def kuramoto_step(theta: Tensor, coupling: Tensor | float) -> Tensor:
    """Return `theta + K (s cos theta - c sin theta)`, s and c the means over oscillators.

    Equal to `theta + K R sin(psi - theta)`: one Euler step of length 1 in which the phases serve as natural
    frequencies as well.

    Args:
        theta: `[B, T, N]`.
        coupling: K, `[B, T, 1]` or a constant.
    """
    sin, cos = theta.sin(), theta.cos()
    return theta + coupling * (sin.mean(-1, keepdim=True) * cos - cos.mean(-1, keepdim=True) * sin)


def magnitude(planes: Tensor) -> Tensor:
    """Return `|Z|` of real and imaginary planes `[2, ...]`, smooth at zero as published."""
    return (planes.square().sum(0) + MAGNITUDE_EPS).sqrt()


def mean_harmonics(theta: Tensor, harmonics: int) -> Tensor:
    """Return `Z_n = mean_j e^{i n theta_j}`, n = 1..H, as planes `[2, B, T, H]`.

    Args:
        theta: `[B, T, N]`.
        harmonics: H. Each comes from the two before by a recurrence, and again in the backward pass, so no
            `[B, T, N, H]` tensor is ever made.
    """
    planes: Tensor = _MeanHarmonics.apply(theta, harmonics)  # type: ignore[no-untyped-call]
    return planes


def plain_mean_harmonics(theta: Tensor, harmonics: int) -> Tensor:
    """Return the same by the published way, three `[B, T, N, H]` tensors: the reference and the baseline."""
    orders = torch.arange(1, harmonics + 1, device=theta.device, dtype=theta.dtype)
    angles = theta.unsqueeze(-1) * orders
    return torch.stack((angles.cos().mean(-2), angles.sin().mean(-2)))


class _MeanHarmonics(torch.autograd.Function):
    """Keeps theta alone; on CPU both passes go text by text, so that what lies between stays in the cache.

    Both cos and sin of n theta obey x_(n+1) = 2 cos(theta) x_n - x_(n-1), so the next harmonic replaces the
    one before the last, in one operation for both planes. That operation adds, so the signs of harmonics
    alternate in pairs, + + - -, and are put right at the end. The gradient is Clenshaw's sum, the same
    recurrence downwards. Errors grow with n: means of 192 phases are right to 1e-5 in float32 at n = 32.
    """

    @staticmethod
    def forward(ctx: Any, theta: Tensor, harmonics: int) -> Tensor:
        ctx.save_for_backward(theta)
        ctx.harmonics = harmonics
        planes = theta.new_empty(2, *theta.shape[:-1], harmonics)
        for part in batch_slices(theta.unsqueeze(0)):
            now = _unit(theta[part])
            twice = 2 * now[0]
            before = torch.stack((torch.ones_like(now[0]), torch.zeros_like(now[0])))
            for n in range(harmonics):
                planes[:, part, ..., n] = now.mean(-1)
                if n + 1 < harmonics:
                    before.addcmul_(twice, now, value=_turn(n))
                    before, now = now, before
        planes *= _signs(harmonics, theta)
        return planes

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (theta,) = ctx.saved_tensors
        harmonics = ctx.harmonics
        # d/dtheta mean cos(n theta) = -n sin(n theta) / N, and of sin: n cos(n theta) / N.
        orders = torch.arange(1, harmonics + 1, device=theta.device, dtype=theta.dtype) / theta.shape[-1]
        weights = torch.stack((grad[1], -grad[0])) * (orders * _signs(harmonics, theta))
        slope = torch.empty_like(theta)
        for part in batch_slices(theta.unsqueeze(0)):
            unit = _unit(theta[part])
            twice = 2 * unit[0]
            now, after = torch.zeros_like(unit), torch.zeros_like(unit)
            for n in reversed(range(harmonics)):
                after.addcmul_(twice, now, value=_turn(n)).add_(weights[:, part, ..., n : n + 1])
                now, after = after, now
            # sum a_n cos(n theta) = b_1 cos(theta) - b_2 and sum a_n sin(n theta) = b_1 sin(theta)
            now.mul_(unit)
            torch.add(now[0], now[1], out=slope[part])
            slope[part].add_(after[0])
        return slope, None


def _turn(n: int) -> int:
    """The sign of the step from harmonic n + 1 to n + 2 where signs run + + - -."""
    return 1 if n % 2 else -1


def _signs(harmonics: int, like: Tensor) -> Tensor:
    """`[H]`, of harmonics 1..H: + - - + + - - ... Made on the device: a copy from the host waits for it."""
    halves = torch.arange(1, harmonics + 1, device=like.device) // 2
    return (1 - 2 * (halves % 2)).to(like.dtype)


def _unit(theta: Tensor) -> Tensor:
    return torch.stack((theta.cos(), theta.sin()))


def intervened(theta: Tensor, intervene: Callable[[Tensor], Tensor] | None) -> Tensor:
    """Return the phases that `intervene` makes of unit phasors `[2, B, T, N]`; `theta` itself without one."""
    if intervene is None:
        return theta
    planes = intervene(_unit(theta))
    return torch.atan2(planes[1], planes[0])
