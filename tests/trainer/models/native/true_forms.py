"""What every kernel is held to: the torch form in float64, its values and its gradients.

The Metal passes (here) and the Triton passes (`tests/kernels`) share the bars, the inputs and the comparison.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

VALUES, GRADIENTS = 1e-5, 1e-4


def errors(form: Callable[..., Tensor], true: Callable[..., Tensor], *inputs: Tensor) -> list[float]:
    """Return the greatest errors of values and gradients, relative above 1."""
    told: list[list[Tensor]] = []
    for function, kind in ((form, torch.float32), (true, torch.float64)):
        leaves = [one.detach().to(kind).requires_grad_() for one in inputs]
        out = function(*leaves)
        weight = torch.randn(out.shape, generator=torch.Generator().manual_seed(1)).to(kind)
        told.append([out.detach(), *torch.autograd.grad((out * weight).sum(), leaves)])
    return [
        float((one.double() - right).abs().max() / right.abs().max().clamp(min=1.0))
        for one, right in zip(*told, strict=True)
    ]


def demand(found: list[float]) -> None:
    """Hold the errors of one form to the bars."""
    assert found[0] < VALUES
    assert max(found[1:]) < GRADIENTS


def drive(tokens: int, units: int, batch: int = 2) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return gates and phases (two halves of the same rows), frequencies, and where the units start."""
    draw = torch.Generator().manual_seed(tokens)
    both = torch.randn(batch, tokens, 2 * units, generator=draw)
    gate, phase = both.chunk(2, dim=-1)
    start = 0.5 * torch.rand(2, batch, units, generator=draw)
    return gate.sub_(3.0), phase.mul_(3.0), torch.linspace(-math.pi, math.pi, units), start


def applied(form: Any) -> Callable[..., Any]:
    """Return the autograd function of a form as a plain function."""
    return lambda *arguments: form.apply(*arguments)
