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


def head_cross_entropy(
    hidden: Tensor, weight: Tensor, targets: Tensor, scored: Tensor | None = None
) -> Tensor:
    """Return the mean cross-entropy, nats a token, of `hidden [M, D] @ weight.T [D, V]` at `targets [M]`.

    Gradients are taken chunk by chunk while the logits of the chunk are still there; small vocabularies go
    in one piece.

    Args:
        scored: `[M]` float32, what each position weighs in the mean (`trainer.data.scored`); None: alike.
    """
    held = CUDA_CHUNK_LOGITS if weight.device.type == "cuda" else CHUNK_LOGITS
    rows = max(1, held // weight.shape[0])
    if hidden.shape[0] <= rows:
        return weighted_cross_entropy(linear(hidden, weight).float(), targets, scored)
    loss: Tensor = _HeadCrossEntropy.apply(hidden, weight, targets, rows, scored)  # type: ignore[no-untyped-call]
    return loss


def weighted_cross_entropy(logits: Tensor, targets: Tensor, scored: Tensor | None) -> Tensor:
    """Return the mean cross-entropy of `logits [M, V]` at `targets [M]`, weighed by `scored [M]`."""
    if scored is None:
        return cross_entropy(logits, targets)
    return (cross_entropy(logits, targets, reduction="none") * scored).sum() / targets.numel()


def capped(logits: Tensor, cap: float) -> Tensor:
    """Return `cap tanh(logits / cap)`, and the logits themselves for a cap of 0."""
    return cap * torch.tanh(logits / cap) if cap else logits


def whole_head_loss(
    head: Callable[[Tensor], Tensor], hidden: Tensor, targets: Tensor, scored: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Return the mean cross-entropy and the mean squared log-partition of `head(hidden)` at `targets [B, T]`.

    Text by text: the logits of one are worked again in the backward pass; those of all never lie there.

    Args:
        scored: `[B, T]` float32, what each position weighs in both means; None: alike.
    """

    def one(part: Tensor, target: Tensor, weighs: Tensor | None) -> tuple[Tensor, Tensor]:
        logits = head(part).float()
        partition = logits.logsumexp(-1)
        right = logits.gather(-1, target.unsqueeze(-1)).squeeze(-1)
        if weighs is None:
            return (partition - right).sum(), partition.square().sum()
        return ((partition - right) * weighs).sum(), (partition.square() * weighs).sum()

    rows = [None] * len(targets) if scored is None else scored.unbind(0)
    sums = [
        checkpoint(one, part, target, weighs, use_reentrant=False)
        for part, target, weighs in zip(hidden.unbind(0), targets.unbind(0), rows, strict=True)
    ]
    ce, z = (torch.stack(list(column)).sum() / targets.numel() for column in zip(*sums, strict=True))
    return ce, z


class _HeadCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, weight: Tensor, targets: Tensor, rows: int, scored: Tensor | None
    ) -> Tensor:
        wanted = any(ctx.needs_input_grad[:2])
        kind = torch.get_autocast_dtype(hidden.device.type) if _autocasts(hidden) else hidden.dtype
        low = weight.to(kind)
        total = torch.zeros((), device=hidden.device, dtype=torch.float32)
        grad_hidden = torch.empty_like(hidden) if wanted else None
        grad_weight = torch.zeros_like(weight) if wanted else None
        for begin in range(0, len(targets), rows):
            part, target = hidden[begin : begin + rows], targets[begin : begin + rows]
            logits = (part.to(kind) @ low.T).float()
            weighs = None if scored is None else scored[begin : begin + rows]
            if weighs is None:
                total += cross_entropy(logits, target, reduction="sum")
            else:
                total += (cross_entropy(logits, target, reduction="none") * weighs).sum()
            if grad_hidden is None or grad_weight is None:
                continue
            slope = logits.softmax(-1)
            slope.scatter_add_(1, target.unsqueeze(1), slope.new_full((len(target), 1), -1.0))
            if weighs is not None:
                slope.mul_(weighs.unsqueeze(1))
            slope = slope.div_(len(targets)).to(kind)
            grad_hidden[begin : begin + rows] = slope @ low
            grad_weight += slope.T @ part.to(kind)
        ctx.save_for_backward(grad_hidden, grad_weight)
        return total / len(targets)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        grad_hidden, grad_weight = ctx.saved_tensors
        return grad_hidden * grad, grad_weight * grad, None, None, None


def _autocasts(tensor: Tensor) -> bool:
    return torch.is_autocast_enabled(tensor.device.type)
