"""A bank of driven oscillators: `z_t = (1 - g_t) e^{i omega} z_{t-1} + g_t e^{i phi_t}`, |z| <= 1."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import pad

from trainer.models import native
from trainer.models.kuramoto.scan import RotatingFrame, chunk_length, rotating_frame, scan, scan_back
from trainer.models.native.driven import NativeDrivenOscillators
from trainer.models.planes import batch_slices, times
from trainer.models.whole import is_whole
from trainer.models.whole.driven_states import driven_states


def driven_oscillators(
    gate: Tensor, phase: Tensor, omega: Tensor, start: Tensor | None = None, keep: Tensor | None = None
) -> Tensor:
    """Return the states of the oscillators after every token.

    Args:
        gate: logits of the gate g, `[B, T, N]`.
        phase: drive phase phi in radians, `[B, T, N]`.
        omega: natural frequency in radians a token, `[N]`.
        start: state before the first token, `[2, B, N]` (real and imaginary part); zero if None.
        keep: what of the state before is kept at a token, `[B, T, 1]`: 0 where a document begins, else 1;
            None: all of it. It is worked as a whole batch, by torch.

    Returns:
        `[2, B, T, N]`, real and imaginary part, inside the unit disk.
    """
    batch, tokens, units = gate.shape
    if native.serves(gate) and keep is None:
        begin = gate.new_zeros(2, batch, units) if start is None else start
        kept: Tensor = native.apply(NativeDrivenOscillators, gate, phase, omega, begin)
        return kept
    if keep is not None or is_whole(gate):
        return driven_states(gate, phase, omega, start, keep)
    if start is None:
        start = gate.new_zeros(2, batch, units)
    spare = -tokens % chunk_length(tokens)
    if spare:
        gate = pad(gate, (0, 0, 0, spare))
        phase = pad(phase, (0, 0, 0, spare))
    states: Tensor = _DrivenOscillators.apply(gate, phase, omega, start)  # type: ignore[no-untyped-call]
    return states[:, :, :tokens] if spare else states


@torch.no_grad()
def advance(state: Tensor, gate: Tensor, phase: Tensor, omega: Tensor) -> Tensor:
    """Return the state `[2, B, N]` one token later; `gate` and `phase` are `[B, N]`."""
    g = torch.sigmoid(gate)
    turned = times(state, omega.cos(), omega.sin())
    return turned * (1 - g) + g * torch.stack((phase.cos(), phase.sin()))


class _DrivenOscillators(torch.autograd.Function):
    """The scan with its adjoint written out: a third of the memory and time of the recorded graph."""

    @staticmethod
    def forward(ctx: Any, gate: Tensor, phase: Tensor, omega: Tensor, start: Tensor) -> Tensor:
        batch, tokens, units = gate.shape
        length = chunk_length(tokens)
        shape = (batch, tokens // length, length, units)
        frame = rotating_frame(omega, length)
        a = gate.new_empty(shape)
        drive, states = gate.new_empty(2, *shape), gate.new_empty(2, *shape)
        planes = gate.new_empty(3, *shape)
        carry = gate.new_empty(2, *shape[:2], units)
        for part in batch_slices(drive):
            g = torch.sigmoid(gate[part]).view(-1, *shape[1:])
            torch.sub(1, g, out=a[part])
            angle = phase[part].reshape(g.shape) - frame.angle
            torch.cos(angle, out=drive[0, part])
            torch.sin(angle, out=drive[1, part])
            torch.mul(drive[:, part], g, out=planes[:2, part])
            carry[:, part] = scan(a[part], planes[:, part], start[:, part], frame)
            times(planes[:2, part], frame.cos, frame.sin, out=states[:, part])
        ctx.save_for_backward(a, drive, planes, carry, frame.cos, frame.sin, frame.angle)
        return states.view(2, batch, tokens, units)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        a, drive, planes, carry, *rotation = ctx.saved_tensors
        frame = RotatingFrame(*rotation)
        grad = grad.reshape(planes[:2].shape)
        grad_gate, grad_phase = torch.empty_like(a), torch.empty_like(a)
        grad_omega, grad_start = torch.zeros_like(frame.cos[0]), torch.empty_like(carry[:, :, 0])
        for part in batch_slices(drive):
            adjoint = torch.empty_like(planes[:, part])
            times(grad[:, part], frame.cos, -frame.sin, out=adjoint[:2])
            grad_start[:, part] = scan_back(a[part], adjoint, frame)
            v = adjoint[:2]
            along, twist = _against_the_past(v, planes[:2, part], carry[:, part])
            grad_omega += twist.mul_(a[part]).sum((0, 1, 2))
            g = 1 - a[part]
            swing, pull = grad_phase[part], grad_gate[part]
            _products(v, drive[:, part], pull, swing)
            swing.mul_(g)
            pull.sub_(along).mul_(g).mul_(a[part])
        flat = (a.shape[0], a.shape[1] * a.shape[2], a.shape[3])
        return grad_gate.view(flat), grad_phase.view(flat), grad_omega, grad_start


def _against_the_past(v: Tensor, w: Tensor, carry: Tensor) -> tuple[Tensor, Tensor]:
    """Return `_products` of the adjoint and the state one token earlier, in the frame of the same chunk."""
    along, across = torch.empty_like(v[0]), torch.empty_like(v[0])
    _products(v[..., 1:, :], w[..., :-1, :], along[..., 1:, :], across[..., 1:, :])
    _products(v[..., 0, :], carry, along[..., 0, :], across[..., 0, :])
    return along, across


def _products(v: Tensor, w: Tensor, along: Tensor, across: Tensor) -> None:
    """Write `Re(conj(w) v)` into `along` and `Im(conj(w) v)` into `across`."""
    torch.mul(v[0], w[0], out=along).addcmul_(v[1], w[1])
    torch.mul(v[1], w[0], out=across).addcmul_(v[0], w[1], value=-1)
