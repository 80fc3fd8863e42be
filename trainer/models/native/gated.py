"""A plain gated recurrence through the kernels."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from trainer.models.native.library import call
from trainer.models.native.rows import paired_gradients, paired_rows


class NativeGatedStates(torch.autograd.Function):
    """See `models.gated.gated_states`."""

    @staticmethod
    def forward(ctx: Any, gate: Tensor, value: Tensor) -> Tensor:
        """Call the kernel."""
        gate, value, stride = paired_rows(gate, value)
        states = gate.new_empty(gate.shape)
        call("gated_forward", gate, value, stride, states, *gate.shape)
        ctx.save_for_backward(gate, value, states)
        ctx.stride = stride
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        """Call the kernel of the gradient."""
        gate, value, states = ctx.saved_tensors
        grad_gate, grad_value, stride = paired_gradients(gate)
        forward = (gate, value, ctx.stride, states, grad.contiguous())
        call("gated_backward", *forward, grad_gate, grad_value, stride, *gate.shape)
        return grad_gate, grad_value
