"""Coupling and order parameters on whole batches; see `kuramoto/order.py`, where the formulas are.

With y = z e^{i K error} an oscillator after its step, q = y / |z| and c the sum of n conj(q)^(n-1) dZ_n, the
gradient of y is c, and besides, along the oscillator, (1 - n) Re(conj(dZ_n) q^n) a harmonic.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from trainer.models.planes import EPS, turned


def group_order(z: Tensor, coupling: Tensor | None, harmonics: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return features `[B, T, 3, H, G]`, R and coherence `[B, T]` of states `[2, B, T, k, G]`."""
    told: tuple[Tensor, Tensor, Tensor] = _GroupOrder.apply(z, coupling, harmonics)  # type: ignore[no-untyped-call]
    return told


class _GroupOrder(torch.autograd.Function):
    """It keeps the states alone and works the step again in the backward pass."""

    @staticmethod
    def forward(
        ctx: Any, z: Tensor, coupling: Tensor | None, harmonics: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        square, inverse = _length_of(z)
        step = _step_of(z, inverse, coupling)
        y = term = step.y if step else z
        means = [y.mean(3)]
        q = y * inverse if harmonics > 1 else y
        for _ in range(1, harmonics):
            term = turned(term, q[0], q[1])
            means.append(term.mean(3))
        Z = torch.stack(means, dim=3) if harmonics > 1 else means[0].unsqueeze(3)
        length = torch.addcmul(Z[0] * Z[0], Z[1], Z[1]).add(EPS * EPS).sqrt()
        features = torch.cat((Z.movedim(0, 2), length.unsqueeze(2)), dim=2)
        first = length[:, :, 0]
        R, coherence = first.mean(-1), (first / (square * inverse).mean(2)).mean(-1)
        ctx.save_for_backward(z, coupling, features)
        ctx.harmonics = harmonics
        ctx.mark_non_differentiable(R, coherence)
        ctx.set_materialize_grads(False)
        return features, R, coherence

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor | None, *_: Tensor) -> tuple[Tensor | None, ...]:
        if grad is None:
            return None, None, None
        z, coupling, features = ctx.saved_tensors
        inverse = _length_of(z)[1]
        step = _step_of(z, inverse, coupling)
        y = step.y if step else z
        slope = grad[:, :, 2:] / features[:, :, 2:]
        dZ = torch.addcmul(grad[:, :, :2], features[:, :, :2], slope).div(z.shape[3]).movedim(2, 0)
        c, outward = _through_harmonics(dZ.unsqueeze(3), y, inverse)
        if step is None or coupling is None:
            dz = c.expand(z.shape)
            return dz if outward is None else torch.addcmul(dz, z, outward * inverse), None, None
        dz = turned(c, step.cos, step.sin, -1)
        d_delta = torch.addcmul(c[1] * y[0], c[0], y[1], value=-1)
        drag = d_delta * step.K * inverse
        mean = step.mean
        back = (drag * z).mean(3, keepdim=True)
        shrink = -drag * step.error
        along = (shrink if outward is None else shrink + outward) * inverse
        dz = torch.addcmul(dz, z, along)
        dz[0].addcmul_(drag, mean[1]).sub_(back[1])
        dz[1].addcmul_(drag, mean[0], value=-1).add_(back[0])
        return dz, (d_delta * step.error).sum((2, 3)), None


@dataclass(frozen=True)
class _Step:
    """The Kuramoto step: K `[B, T, 1, 1]`, the mean, `error = R sin(psi - theta)`, and what comes of it."""

    K: Tensor
    mean: Tensor
    error: Tensor
    cos: Tensor
    sin: Tensor
    y: Tensor


def _length_of(z: Tensor) -> tuple[Tensor, Tensor]:
    """Return |z|^2, softened at zero, and 1 / |z|."""
    square = torch.addcmul(z[0] * z[0], z[1], z[1]).add(EPS)
    return square, square.rsqrt()


def _step_of(z: Tensor, inverse: Tensor, coupling: Tensor | None) -> _Step | None:
    if coupling is None:
        return None
    K = coupling[..., None, None]
    mean = z.mean(dim=3, keepdim=True)
    error = torch.addcmul(z[0] * mean[1], z[1], mean[0], value=-1) * inverse
    delta = error * K
    cos, sin = delta.cos(), delta.sin()
    return _Step(K, mean, error, cos, sin, turned(z, cos, sin))


def _through_harmonics(dZ: Tensor, y: Tensor, inverse: Tensor) -> tuple[Tensor, Tensor | None]:
    """Return c `[2, B, T, k or 1, G]`, and what points outward where there is more than one harmonic."""
    c, outward = dZ[..., 0, :], None
    q = power = y * inverse if dZ.shape[4] > 1 else y
    for n in range(2, dZ.shape[4] + 1):
        each = dZ[..., n - 1, :]
        c = c + n * turned(each, power[0], power[1], -1)
        power = turned(power, q[0], q[1])
        radial = (1 - n) * (power * each).sum(0)
        outward = radial if outward is None else outward + radial
    return c, outward
