"""log u of the six numbers that make it, on whole batches; see `kuramoto/coupling.py`."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def log_u_whole(live: Tensor, soften: float, limit: float) -> Tensor:
    """Return `limit tanh(0.5 ln((n^2 + soften) / (m^2 + soften)) / limit)`, `[B, T]`, of `live [B, T, 6]`.

    n = d g - c h and m = a g - c e lie as one pair: a and d are every other number, and so are e and h.
    """
    log_u: Tensor = _LogU.apply(live, soften, limit)  # type: ignore[no-untyped-call]
    return log_u


class _LogU(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, live: Tensor, soften: float, limit: float) -> Tensor:
        ad, c, eh, g = _parts(live)
        pair = torch.addcmul(ad * g, c, eh, value=-1)
        square = pair * pair + soften
        logs = square.log()
        bent = ((logs[..., 1] - logs[..., 0]) * (0.5 / limit)).tanh()
        ctx.save_for_backward(live, pair / square, bent)
        ctx.limit = limit
        return bent * limit

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        live, share, bent = ctx.saved_tensors
        ad, c, eh, g = _parts(live)
        slope = torch.addcmul(grad, grad * bent, bent, value=-1).unsqueeze(-1)
        by = slope * share
        by = torch.cat((-by[..., :1], by[..., 1:]), dim=-1)
        grad_ad, grad_eh = by * g, by * -c
        grad_g, grad_c = (by * ad).sum(-1, keepdim=True), -(by * eh).sum(-1, keepdim=True)
        a, d = grad_ad[..., :1], grad_ad[..., 1:]
        e, h = grad_eh[..., :1], grad_eh[..., 1:]
        return torch.cat((a, grad_c, d, e, grad_g, h), dim=-1), None, None


def _parts(live: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return (a, d), c, (e, h) and g."""
    return live[..., 0:3:2], live[..., 1:2], live[..., 3:6:2], live[..., 4:5]
