"""Coupling and order parameters through the kernels; the backward pass starts from the states alone."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from trainer.models.native.library import call
from trainer.models.planes import EPS


class NativeOrderParameters(torch.autograd.Function):
    """See `models.order`: states `[2, B, T, k, G]` to features `[B, T, 3, H, G]`, R, coherence `[B, T]`."""

    @staticmethod
    def forward(
        ctx: Any, z: Tensor, coupling: Tensor | None, harmonics: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Call the kernel."""
        _, batch, tokens, group, groups = z.shape
        z, coupling = z.contiguous(), None if coupling is None else coupling.contiguous()
        features = z.new_empty(batch, tokens, 3, harmonics, groups)
        R, coherence = z.new_empty(batch, tokens), z.new_empty(batch, tokens)
        ctx.sizes = (batch * tokens, group, groups, harmonics, EPS)
        call("order_forward", z, coupling, features, R, coherence, *ctx.sizes)
        ctx.save_for_backward(z, coupling, features)
        ctx.mark_non_differentiable(R, coherence)
        return features, R, coherence

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        """Call the kernel of the gradient."""
        z, coupling, features = ctx.saved_tensors
        grad_z = torch.empty_like(z)
        grad_coupling = None if coupling is None else torch.empty_like(coupling)
        call("order_backward", z, coupling, features, grad.contiguous(), grad_z, grad_coupling, *ctx.sizes)
        return grad_z, grad_coupling, None
