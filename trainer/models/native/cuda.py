"""Triton's kernels on a CUDA device: in use only after they agreed there with the torch form."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from trainer.models.native.build import NativeUnavailableError
from trainer.models.native.driven import NativeDrivenOscillators
from trainer.models.native.gated import NativeGatedStates
from trainer.models.native.library import serve_cuda
from trainer.models.native.order import NativeOrderParameters
from trainer.models.native.u import NativeLogU
from trainer.models.whole.driven_states import driven_states
from trainer.models.whole.gated_whole import gated_whole
from trainer.models.whole.group_order import group_order
from trainer.models.whole.log_u import WholeLogU

TOLERANCE = 1e-4
BATCH, TOKENS, GROUP, GROUPS = 2, 130, 2, 35
"""What is tried: three chunks, the last one cut, and units that fill no program."""


def enable_on_cuda(place: torch.device) -> str:
    """Use Triton's kernels in this process from now on; return in words how well they agreed.

    Raises:
        NativeUnavailableError: no Triton, it cannot compile for this device, or it computes something else.
    """
    try:
        from trainer.models.native.gpu import launches
    except ImportError as error:
        raise NativeUnavailableError(f"Triton cannot be imported: {error}") from error
    try:
        off_by = largest_error(place, launches)
    except Exception as failure:  # whatever a compiler, a driver or this device may say
        reason = " ".join(str(failure).split())[:200]
        raise NativeUnavailableError(f"Triton failed on {place}: {reason}") from failure
    if not off_by <= TOLERANCE:
        raise NativeUnavailableError(f"Triton computes otherwise than torch on {place}: off by {off_by:.1g}")
    serve_cuda(
        {
            NativeDrivenOscillators: launches.TritonDrivenOscillators,
            NativeGatedStates: launches.TritonGatedStates,
            NativeOrderParameters: launches.TritonOrderParameters,
            NativeLogU: WholeLogU,
        }
    )
    return f"Triton, agrees with torch to {off_by:.0e}"


def largest_error(place: torch.device, launches: Any) -> float:
    """Return how far values and gradients lie from those of the torch form there, relative above 1."""
    draw = torch.Generator().manual_seed(0)
    units = GROUP * GROUPS
    both = torch.randn(BATCH, TOKENS, 2 * units, generator=draw).to(place)
    start = torch.rand(2, BATCH, units, generator=draw).to(place)
    omega = torch.linspace(-3.0, 3.0, units).to(place)
    K = torch.rand(BATCH, TOKENS, generator=draw).to(place)
    gate, phase = both.chunk(2, dim=-1)
    z = (torch.rand(2, BATCH, TOKENS, GROUP, GROUPS, generator=draw) - 0.5).to(place)

    def order(form: Callable[..., Any]) -> Callable[..., Tensor]:
        return lambda states, pull: form(states, pull, 1)[0]

    trials: tuple[tuple[Callable[..., Tensor], Callable[..., Tensor], tuple[Tensor, ...]], ...] = (
        (launches.TritonDrivenOscillators.apply, driven_states, (gate, phase, omega, start)),
        (launches.TritonGatedStates.apply, gated_whole, (gate, phase)),
        (order(launches.TritonOrderParameters.apply), order(group_order), (z, K)),
    )
    return max(_error(found, right, inputs) for found, right, inputs in trials)


def _error(found: Callable[..., Tensor], right: Callable[..., Tensor], inputs: tuple[Tensor, ...]) -> float:
    told = []
    for form in (found, right):
        leaves = [one.detach().requires_grad_() for one in inputs]
        out = form(*leaves)
        told.append([out.detach(), *torch.autograd.grad(out.square().sum(), leaves)])
    errors = [
        float((one - other).abs().max() / other.abs().max().clamp(min=1.0))
        for one, other in zip(*told, strict=True)
    ]
    return max(errors, key=lambda error: float("inf") if error != error else error)
