"""Driven oscillators through the kernels; the states are all that is kept for the backward pass."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from trainer.models.native.library import call
from trainer.models.native.rows import paired_gradients, paired_rows


class NativeDrivenOscillators(torch.autograd.Function):
    """See `oscillators.driven_oscillators`; token by token, so no frame: the rotation is compensated."""

    @staticmethod
    def forward(ctx: Any, gate: Tensor, phase: Tensor, omega: Tensor, start: Tensor) -> Tensor:
        """Call the kernel."""
        gate, phase, stride = paired_rows(gate, phase)
        start, rotor = start.contiguous(), compensated_rotor(omega)
        states = gate.new_empty(2, *gate.shape)
        call("driven_forward", gate, phase, stride, rotor, start, states, *gate.shape)
        ctx.save_for_backward(gate, phase, rotor, start, states)
        ctx.stride = stride
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Call the kernel of the gradient."""
        gate, phase, rotor, start, states = ctx.saved_tensors
        grad_gate, grad_phase, stride = paired_gradients(gate)
        grad_omega, grad_start = gate.new_empty(gate.shape[0], gate.shape[2]), torch.empty_like(start)
        forward = (gate, phase, ctx.stride, rotor, start, states, grad.contiguous())
        back = (grad_gate, grad_phase, stride, grad_omega, grad_start)
        call("driven_backward", *forward, *back, *gate.shape)
        return grad_gate, grad_phase, grad_omega.sum(0), grad_start


def compensated_rotor(omega: Tensor) -> Tensor:
    """Return `[4, N]`: cos and sin of omega in float32, then what rounding took from them.

    A rotation that is off by half a bit turns a slow oscillator away: equal errors add up within its memory.
    """
    exact = torch.stack((omega.detach().double().cos(), omega.detach().double().sin()))
    rounded = exact.float()
    return torch.cat((rounded, (exact - rounded).float()))
