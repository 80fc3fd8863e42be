"""One Kuramoto step within groups, and the order parameters of the groups after it.

Oscillator j of group q is unit `j * G + q` (G groups of k), so that sums over a group run along rows.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from trainer.models import native
from trainer.models.native.order import NativeOrderParameters
from trainer.models.planes import EPS, batch_slices, times
from trainer.models.whole import is_whole
from trainer.models.whole.group_order import group_order


@dataclass(frozen=True)
class OrderParameters:
    """Order parameters `Z_n = mean_j |z_j| e^{i n theta_j}` of every group, n = 1..H.

    Attributes:
        features: `[B, T, 3, H, G]`, the real part, the imaginary part and |Z_n|, smooth at zero.
        R: `|Z_1|`, mean over groups, `[B, T]`, without gradient.
        coherence: `|Z_1|` over the mean |z_j| of its group, likewise.
    """

    features: Tensor
    R: Tensor
    coherence: Tensor

    @property
    def planes(self) -> Tensor:
        """Real and imaginary parts, `[2, B, T, H, G]`."""
        return self.features[:, :, :2].movedim(2, 0)

    @property
    def magnitude(self) -> Tensor:
        """`|Z_n|`, `[B, T, H, G]`."""
        return self.features[:, :, 2]


def order_parameters(states: Tensor, coupling: Tensor | None, group: int, harmonics: int) -> OrderParameters:
    """Couple the oscillators of each group once, `theta += K R sin(psi - theta)`, and average the harmonics.

    Args:
        states: `[2, B, T, N]`.
        coupling: K, `[B, T]`, or None for no coupling at all.
        group: oscillators a group, k.
        harmonics: H; harmonics come by angle addition, one after the other.
    """
    units = states.shape[-1]
    shaped = states.view(*states.shape[:-1], group, units // group)
    if native.serves(states, 3 * harmonics * states.numel() // (2 * group)):
        return OrderParameters(*native.apply(NativeOrderParameters, shaped, coupling, harmonics))
    if is_whole(states):
        return OrderParameters(*group_order(shaped, coupling, harmonics))
    return OrderParameters(*_OrderParameters.apply(shaped, coupling, harmonics))  # type: ignore[no-untyped-call]


class _OrderParameters(torch.autograd.Function):
    """Coupling and harmonics with the gradient written out, so that no `[B, T, N, H]` tensor is ever made.

    It keeps the states alone and works them again in the backward pass; on CPU both passes go text by text
    (`batch_slices`), so that what lies between stays in the cache of the processor.
    """

    @staticmethod
    def forward(
        ctx: Any, z: Tensor, coupling: Tensor | None, harmonics: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        _, batch, tokens, _, groups = z.shape
        features = z.new_empty(batch, tokens, 3, harmonics, groups)
        R, coherence = z.new_empty(batch, tokens), z.new_empty(batch, tokens)
        for part in batch_slices(z):
            step = _couple(z[:, part], None if coupling is None else coupling[part])
            term = step.q * step.radius
            real, imag, length = features[part].unbind(2)
            for n in range(harmonics):
                if n:
                    term = times(term, step.q[0], step.q[1])
                torch.mean(term[0], dim=2, out=real[:, :, n])
                torch.mean(term[1], dim=2, out=imag[:, :, n])
            torch.mul(real, real, out=length).addcmul_(imag, imag).add_(EPS * EPS).sqrt_()
            torch.mean(length[:, :, 0], dim=-1, out=R[part])
            torch.mean(length[:, :, 0] / step.radius.mean(2), dim=-1, out=coherence[part])
        ctx.save_for_backward(z, coupling, features)
        ctx.mark_non_differentiable(R, coherence)
        return features, R, coherence

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        z, coupling, features = ctx.saved_tensors
        grad_z = torch.empty_like(z)
        grad_coupling = None if coupling is None else torch.empty_like(coupling)
        for part in batch_slices(z):
            step = _couple(z[:, part], None if coupling is None else coupling[part])
            # The gradient of a mean is the same for every member of a group: [2, b, T, 1, H, G].
            dy = _through_magnitude(grad[part], features[part]).div_(z.shape[3]).unsqueeze(3)
            grad_p, grad_radius = _through_harmonics(dy, step.q)
            grad_p.mul_(step.radius)
            grad_mean: Tensor | None = None
            if step.rotation is not None and grad_coupling is not None:
                grad_p, grad_mean, grad_coupling[part] = _through_coupling(grad_p, step, step.rotation)
            radial = torch.mul(grad_p[0], step.p[0]).addcmul_(grad_p[1], step.p[1]).mul_(step.inverse)
            torch.mul(grad_p, step.inverse, out=grad_z[:, part])
            grad_z[:, part].addcmul_(step.p, grad_radius.sub_(radial))
            if grad_mean is not None:
                grad_z[:, part].add_(grad_mean)
        return grad_z, grad_coupling, None


@dataclass(frozen=True)
class _Rotation:
    """The Kuramoto step: `mean [2, b, T, 1, G]`, `error = R sin(psi - theta)`, and `e^{i K error}`."""

    K: Tensor
    mean: Tensor
    error: Tensor
    cos: Tensor
    sin: Tensor


@dataclass(frozen=True)
class _Coupled:
    """Phasors before (`p`) and after (`q`) the step, `[2, b, T, k, G]`; the radius and its inverse."""

    p: Tensor
    q: Tensor
    radius: Tensor
    inverse: Tensor
    rotation: _Rotation | None


def _couple(z: Tensor, coupling: Tensor | None) -> _Coupled:
    square = torch.mul(z[0], z[0]).addcmul_(z[1], z[1]).add_(EPS)
    inverse = square.rsqrt()
    radius = square.mul_(inverse)
    p = z * inverse
    if coupling is None:
        return _Coupled(p, p, radius, inverse, None)
    K = coupling[..., None, None]
    mean = z.mean(dim=3, keepdim=True)
    error = torch.mul(p[0], mean[1]).addcmul_(p[1], mean[0], value=-1)
    delta = error * K
    rotation = _Rotation(K, mean, error, delta.cos(), delta.sin())
    return _Coupled(p, times(p, rotation.cos, rotation.sin), radius, inverse, rotation)


def _through_coupling(grad_q: Tensor, step: _Coupled, rotation: _Rotation) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradients of p, of z through the group's mean (per member), and of K."""
    p, q = step.p, step.q
    grad_delta = torch.mul(grad_q[1], q[0]).addcmul_(grad_q[0], q[1], value=-1)
    grad_p = times(grad_q, rotation.cos, -rotation.sin)
    grad_coupling = torch.mul(grad_delta, rotation.error).sum(dim=(2, 3))
    grad_delta.mul_(rotation.K)
    grad_p[0].addcmul_(grad_delta, rotation.mean[1])
    grad_p[1].addcmul_(grad_delta, rotation.mean[0], value=-1)
    share = 1.0 / p.shape[3]
    real = (grad_delta * p[1]).sum(2, keepdim=True).mul_(-share)
    imag = (grad_delta * p[0]).sum(2, keepdim=True).mul_(share)
    return grad_p, torch.stack((real, imag)), grad_coupling


def _through_magnitude(grad: Tensor, features: Tensor) -> Tensor:
    """Return the gradient of Z `[2, b, T, H, G]` from that of the features."""
    slope = grad[:, :, 2] / features[:, :, 2]
    return torch.addcmul(grad[:, :, :2], features[:, :, :2], slope.unsqueeze(2)).movedim(2, 0)


def _through_harmonics(dy: Tensor, q: Tensor) -> tuple[Tensor, Tensor]:
    """Return the gradients of `q`, less a factor of the radius, and of the radius for `y_n = radius q^n`.

    d/dq sums `n conj(q^(n-1)) dy_n`; d/dradius sums `Re(conj(dy_n) q^n)`.
    """
    first = dy[..., 0, :]
    power = q
    grad_q = first.expand(q.shape).clone(memory_format=torch.contiguous_format)
    grad_radius = torch.mul(q[0], first[0]).addcmul_(q[1], first[1])
    for n in range(2, dy.shape[4] + 1):
        each = dy[..., n - 1, :]
        grad_q[0].addcmul_(power[0], each[0], value=n).addcmul_(power[1], each[1], value=n)
        grad_q[1].addcmul_(power[0], each[1], value=n).addcmul_(power[1], each[0], value=-n)
        power = times(power, q[0], q[1])
        grad_radius.addcmul_(power[0], each[0]).addcmul_(power[1], each[1])
    return grad_q, grad_radius
