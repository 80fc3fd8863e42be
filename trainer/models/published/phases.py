"""What the published models share: one Kuramoto step of all oscillators, and means of their harmonics."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from trainer.models.planes import batch_slices, times

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
        harmonics: H. Each comes from the one before by angle addition, and again in the backward pass, so no
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
    """Keeps theta alone; on CPU both passes go text by text, so that what lies between stays in the cache."""

    @staticmethod
    def forward(ctx: Any, theta: Tensor, harmonics: int) -> Tensor:
        ctx.save_for_backward(theta)
        ctx.harmonics = harmonics
        planes = theta.new_empty(2, *theta.shape[:-1], harmonics)
        for part in batch_slices(theta.unsqueeze(0)):
            unit = _unit(theta[part])
            power = unit
            planes[:, part, ..., 0] = power.mean(-1)
            for n in range(1, harmonics):
                power = times(power, unit[0], unit[1])
                planes[:, part, ..., n] = power.mean(-1)
        return planes

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (theta,) = ctx.saved_tensors
        slope = torch.empty_like(theta)
        for part in batch_slices(theta.unsqueeze(0)):
            unit = _unit(theta[part])
            power = unit
            # d/dtheta mean cos(n theta) = -n sin(n theta) / N, and of sin: n cos(n theta) / N.
            each = grad[:, part] / theta.shape[-1]
            total = torch.zeros_like(theta[part])
            for n in range(1, ctx.harmonics + 1):
                column = each[..., n - 1 : n]
                total.addcmul_(power[0], column[1], value=n).addcmul_(power[1], column[0], value=-n)
                if n < ctx.harmonics:
                    power = times(power, unit[0], unit[1])
            slope[part] = total
        return slope, None


def _unit(theta: Tensor) -> Tensor:
    return torch.stack((theta.cos(), theta.sin()))


def intervened(theta: Tensor, intervene: Callable[[Tensor], Tensor] | None) -> Tensor:
    """Return the phases that `intervene` makes of unit phasors `[2, B, T, N]`; `theta` itself without one."""
    if intervene is None:
        return theta
    planes = intervene(_unit(theta))
    return torch.atan2(planes[1], planes[0])
