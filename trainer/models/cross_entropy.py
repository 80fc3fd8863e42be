"""Cross-entropy of a tied head without a float32 copy of all logits; a soft cap and a z-loss on request."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import cross_entropy, linear
from torch.utils.checkpoint import checkpoint

CHUNK_LOGITS = 2**22
"""Logits held at once: 16 MB in float32."""
CUDA_CHUNK_LOGITS = 2**25
"""Likewise on CUDA, where a piece is ten small kernels, and their number is what counts: 128 MB."""


def head_cross_entropy(hidden: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
    """Return the mean cross-entropy, nats a token, of `hidden [M, D] @ weight.T [D, V]` at `targets [M]`.

    Gradients are taken chunk by chunk while the logits of the chunk are still there; small vocabularies go
    in one piece.
    """
    held = CUDA_CHUNK_LOGITS if weight.device.type == "cuda" else CHUNK_LOGITS
    rows = max(1, held // weight.shape[0])
    if hidden.shape[0] <= rows:
        return cross_entropy(linear(hidden, weight).float(), targets)
    loss: Tensor = _HeadCrossEntropy.apply(hidden, weight, targets, rows)  # type: ignore[no-untyped-call]
    return loss


def capped(logits: Tensor, cap: float) -> Tensor:
    """Return `cap tanh(logits / cap)`, and the logits themselves for a cap of 0."""
    return cap * torch.tanh(logits / cap) if cap else logits


def whole_head_loss(
    head: Callable[[Tensor], Tensor], hidden: Tensor, targets: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the mean cross-entropy and the mean squared log-partition of `head(hidden)` at `targets [B, T]`.

    Text by text: the logits of one are worked again in the backward pass; those of all never lie there.
    """

    def one(part: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        logits = head(part).float()
        partition = logits.logsumexp(-1)
        right = logits.gather(-1, target.unsqueeze(-1)).squeeze(-1)
        return (partition - right).sum(), partition.square().sum()

    sums = [
        checkpoint(one, part, target, use_reentrant=False)
        for part, target in zip(hidden.unbind(0), targets.unbind(0), strict=True)
    ]
    ce, z = (torch.stack(list(column)).sum() / targets.numel() for column in zip(*sums, strict=True))
    return ce, z


class _HeadCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, targets: Tensor, rows: int) -> Tensor:
        wanted = any(ctx.needs_input_grad[:2])
        kind = torch.get_autocast_dtype(hidden.device.type) if _autocasts(hidden) else hidden.dtype
        low = weight.to(kind)
        total = torch.zeros((), device=hidden.device, dtype=torch.float32)
        grad_hidden = torch.empty_like(hidden) if wanted else None
        grad_weight = torch.zeros_like(weight) if wanted else None
        for begin in range(0, len(targets), rows):
            part, target = hidden[begin : begin + rows], targets[begin : begin + rows]
            logits = (part.to(kind) @ low.T).float()
            total += cross_entropy(logits, target, reduction="sum")
            if grad_hidden is None or grad_weight is None:
                continue
            slope = logits.softmax(-1)
            slope.scatter_add_(1, target.unsqueeze(1), slope.new_full((len(target), 1), -1.0))
            slope = slope.div_(len(targets)).to(kind)
            grad_hidden[begin : begin + rows] = slope @ low
            grad_weight += slope.T @ part.to(kind)
        ctx.save_for_backward(grad_hidden, grad_weight)
        return total / len(targets)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        grad_hidden, grad_weight = ctx.saved_tensors
        return grad_hidden * grad, grad_weight * grad, None, None


def _autocasts(tensor: Tensor) -> bool:
    return torch.is_autocast_enabled(tensor.device.type)
