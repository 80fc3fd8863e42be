"""Phasors on the unit circle, moved by a field:

    z_t = e^{i omega} (z + w_t) / (1 + conj(w_t) z),    z = z_{t-1}

The field `w = m e^{i phi}`, m < 1, pulls a phasor towards phi and away from phi + pi; at phi a difference
shrinks by (1 - m) / (1 + m) a token, and with m = g / (2 - g) that is 1 - g, as in `oscillators.py`. An
amplitude never fades: a weak field leaves a phasor where it is for good.

Such maps compose like the matrices [[A, B], [conj B, conj A]] of SU(1, 1) up to a real factor, and

    z' = z s / conj(s),    s = A + B conj(z),

so a chunk is scanned as matrices, all chunks side by side, and only the phasors are carried from one to the
next. In the frame that turns with omega a token is the matrix (1, v), v = m_t e^{i (phi_t - omega (t - 1))}.
Entries grow by less than 2 a token, and shrink by no more than `sqrt(1 - STRONGEST^2)`: a chunk of 32 stays
between 1e-18 and 1e10.

The derivative of the new angle with respect to the old one is real, `(1 - m^2) / |s|^2`: the adjoint is
scanned as a real state.

Near phi + pi differences grow, and where no field damps them they stay: in float32 any form, the plain loop
too, is off by 1e-3 after 4,096 tokens. So the recurrence, not its gradient, runs in float64 where the device
has it.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import pad

from trainer.models.kuramoto.scan import RotatingFrame, chunk_length, rotating_frame, scan_back
from trainer.models.planes import batch_slices, times

STRONGEST = 0.96
"""The largest m: away from phi + pi a difference grows by less than 49 a token, so float32 can follow it."""

_LN2 = 0.6931471805599453


def field_strength(gate: Tensor) -> Tensor:
    """Return m in (0, `STRONGEST`) of gate logits: `g / (2 - g)` with g = sigmoid(gate), scaled."""
    return torch.sigmoid(gate - _LN2) * STRONGEST


def working_dtype(device: torch.device) -> torch.dtype:
    """Return float64, or float32 on MPS, which has no other."""
    return torch.float32 if device.type == "mps" else torch.float64


def mobius_phasors(gate: Tensor, phase: Tensor, omega: Tensor) -> Tensor:
    """Return the phasors after every token, from z = 1 before the first.

    Args:
        gate: logits of the strength of the field, `[B, T, N]`.
        phase: its direction phi in radians, `[B, T, N]`.
        omega: natural frequency in radians a token, `[N]`.

    Returns:
        `[2, B, T, N]`, real and imaginary part, on the unit circle.
    """
    tokens = gate.shape[1]
    spare = -tokens % chunk_length(tokens)
    if spare:
        gate = pad(gate, (0, 0, 0, spare))
        phase = pad(phase, (0, 0, 0, spare))
    states: Tensor = _MobiusPhasors.apply(gate, phase, omega)  # type: ignore[no-untyped-call]
    return states[:, :, :tokens] if spare else states


@torch.no_grad()
def advance(state: Tensor, gate: Tensor, phase: Tensor, omega: Tensor) -> Tensor:
    """Return the phasors `[2, B, N]` one token later, in `state`'s dtype; `gate` and `phase` are `[B, N]`."""
    gate, phase, omega = gate.to(state.dtype), phase.to(state.dtype), omega.to(state.dtype)
    m = field_strength(gate)
    w = torch.stack((m * phase.cos(), m * phase.sin()))
    turned = _moved(state, 1 + w[0] * state[0] + w[1] * state[1], w[1] * state[0] - w[0] * state[1])
    turned = times(turned, omega.cos(), omega.sin())
    return turned * turned.square().sum(0).rsqrt()


def _moved(z: Tensor, real: Tensor, imag: Tensor) -> Tensor:
    """Return `z s / conj(s)` for `s = real + i imag`."""
    scale = torch.addcmul(real * real, imag, imag).add_(torch.finfo(real.dtype).tiny).reciprocal_()
    cos = (real * real - imag * imag) * scale
    sin = 2 * real * imag * scale
    return times(z, cos, sin)


class _MobiusPhasors(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, gate: Tensor, phase: Tensor, omega: Tensor) -> Tensor:
        batch, tokens, units = gate.shape
        length = chunk_length(tokens)
        shape = (batch, tokens // length, length, units)
        work = working_dtype(gate.device)
        frame = rotating_frame(omega.to(work), length)
        states = gate.new_empty(2, *shape)
        for part in batch_slices(states.view(2, batch, -1)):
            m = field_strength(gate[part].to(work)).view(-1, *shape[1:])
            angle = phase[part].reshape(m.shape) - (frame.angle - omega)
            maps = _chunk_products(m * angle.cos(), m * angle.sin())
            states[:, part] = _follow(maps, frame)
        ctx.save_for_backward(gate, phase, omega, states)
        return states.view(2, batch, tokens, units)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        gate, phase, omega, states = ctx.saved_tensors
        shape = states.shape[1:]
        grad = grad.reshape(states.shape)
        grad_gate, grad_phase = torch.empty_like(gate), torch.empty_like(phase)
        grad_omega = torch.zeros_like(omega)
        for part in batch_slices(states.view(2, shape[0], -1)):
            z, m = states[:, part], field_strength(gate[part])
            eta_cos, eta_sin = _from_before(z, phase[part])
            square = 1 + m * (2 * eta_cos + m)
            planes = z.new_empty(2, *z.shape[1:])
            torch.mul(grad[1, part], z[0], out=planes[0]).addcmul_(grad[0, part], z[1], value=-1)
            scan_back(((1 - m * m) / square).view(planes[0].shape), planes, None)
            adjoint = planes[0].reshape(m.shape)
            grad_omega += adjoint.sum((0, 1))
            pull = 2 * adjoint / square
            grad_phase[part] = pull * m * (eta_cos + m)
            grad_gate[part] = pull * eta_sin * m * (1 - m / STRONGEST)
        return grad_gate, grad_phase, grad_omega


def _chunk_products(real: Tensor, imag: Tensor) -> Tensor:
    """Return A and B of the products of the first 1..L maps of each chunk, `[4, b, C, L, N]`, for v.

    `A_t = A + v conj(B)`, `B_t = B + v conj(A)`.
    """
    maps = real.new_empty(4, *real.shape)
    steps = maps.unbind(3)
    rows = zip(steps, real.unbind(2), imag.unbind(2), strict=True)
    first, v, w = next(rows)
    first[0], first[1] = 1.0, 0.0
    first[2], first[3] = v, w
    last = first
    for current, v, w in rows:
        across = last[[2, 3, 0, 1]]
        current.copy_(last)
        current[0::2].addcmul_(across[0::2], v).addcmul_(across[1::2], w)
        current[1::2].addcmul_(across[0::2], w).addcmul_(across[1::2], v, value=-1)
        last = current
    return maps


def _follow(maps: Tensor, frame: RotatingFrame) -> Tensor:
    """Return the phasors `[2, b, C, L, N]` that the maps of each chunk make, in the resting frame."""
    chunks = maps.shape[2]
    ends = maps[:, :, :, -1].unbind(2)
    z = torch.zeros_like(ends[0][:2])
    z[0] = 1.0
    carries = [z]
    for index in range(chunks - 1):
        z = times(_apply(ends[index], z), frame.cos[-1], frame.sin[-1])
        z = z * z.square().sum(0).rsqrt()
        carries.append(z)
    moved = _apply(maps, torch.stack(carries, dim=2).unsqueeze(3))
    return times(moved, frame.cos, frame.sin)


def _apply(maps: Tensor, z: Tensor) -> Tensor:
    """Return `z s / conj(s)`, `s = A + B conj(z)`."""
    real = torch.addcmul(maps[0], maps[2], z[0]).addcmul_(maps[3], z[1])
    imag = torch.addcmul(maps[1], maps[3], z[0]).addcmul_(maps[2], z[1], value=-1)
    return _moved(z.expand(2, *real.shape), real, imag)


def _from_before(z: Tensor, phase: Tensor) -> tuple[Tensor, Tensor]:
    """Return cos and sin of phi minus the angle before the token, `[b, T, N]` each."""
    flat = z.view(2, z.shape[1], -1, z.shape[4])
    before = torch.empty_like(flat)
    before[:, :, 1:] = flat[:, :, :-1]
    before[0, :, 0], before[1, :, 0] = 1.0, 0.0
    cos, sin = phase.cos(), phase.sin()
    return cos * before[0] + sin * before[1], sin * before[0] - cos * before[1]
