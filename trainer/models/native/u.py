"""log u from the six numbers that make it, through the kernels: one pass over what are thirty small ones."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from trainer.models.native.library import call


class NativeLogU(torch.autograd.Function):
    """See `coupling.log_u_of`: `[B, T, 6]` in the order of `coupling.LIVE` to `[B, T]`."""

    @staticmethod
    def forward(ctx: Any, live: Tensor, soften: float, limit: float) -> Tensor:
        """Call the kernel."""
        live = live.contiguous()
        log_u = live.new_empty(live.shape[:-1])
        ctx.sizes = (log_u.numel(), soften, limit)
        call("u_forward", live, log_u, *ctx.sizes)
        ctx.save_for_backward(live, log_u)
        return log_u

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Call the kernel of the gradient."""
        live, log_u = ctx.saved_tensors
        grad_live = torch.empty_like(live)
        call("u_backward", live, log_u, grad.contiguous(), grad_live, *ctx.sizes)
        return grad_live, None, None
