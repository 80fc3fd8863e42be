"""Whether kernels of a device agree there with the torch form: they are in use only then."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from trainer.models.native.build import NativeUnavailableError
from trainer.models.native.driven import NativeDrivenOscillators
from trainer.models.native.gated import NativeGatedStates
from trainer.models.native.order import NativeOrderParameters
from trainer.models.whole.driven_states import driven_states
from trainer.models.whole.gated_whole import gated_whole
from trainer.models.whole.group_order import group_order

TOLERANCE = 1e-4
BATCH, TOKENS, GROUP, GROUPS = 2, 130, 2, 35
"""What is tried: three chunks, the last one cut, and units that fill no program."""
Forms = Mapping[type[torch.autograd.Function], type[torch.autograd.Function]]
"""What takes the place of which function of a CPU."""


def agreed(place: torch.device, forms: Forms, language: str) -> str:
    """Return in words how well the forms agreed on a device.

    Raises:
        NativeUnavailableError: they cannot be compiled for it, or compute something else.
    """
    try:
        off_by = largest_error(place, forms)
    except Exception as failure:  # whatever a compiler, a driver or this device may say
        reason = " ".join(str(failure).split())[:200]
        raise NativeUnavailableError(f"{language} failed on {place}: {reason}") from failure
    if not off_by <= TOLERANCE:
        raise NativeUnavailableError(
            f"{language} computes otherwise than torch on {place}: off by {off_by:.1g}"
        )
    return f"{language}, agrees with torch to {off_by:.0e}"


def largest_error(place: torch.device, forms: Forms) -> float:
    """Return how far values and gradients on `place` lie from the torch form on the CPU, relative above 1."""
    draw = torch.Generator().manual_seed(0)
    units = GROUP * GROUPS
    both = torch.randn(BATCH, TOKENS, 2 * units, generator=draw)
    start = torch.rand(2, BATCH, units, generator=draw)
    omega = torch.linspace(-3.0, 3.0, units)
    K = torch.rand(BATCH, TOKENS, generator=draw)
    z = torch.rand(2, BATCH, TOKENS, GROUP, GROUPS, generator=draw) - 0.5

    def driven(form: Callable[..., Tensor]) -> Callable[..., Tensor]:
        return lambda drives, *others: form(*drives.chunk(2, dim=-1), *others)

    def order(form: Callable[..., Any]) -> Callable[..., Tensor]:
        return lambda states, pull: form(states, pull, 1)[0]

    trials: tuple[tuple[Callable[..., Tensor], Callable[..., Tensor], tuple[Tensor, ...]], ...] = (
        (driven(forms[NativeDrivenOscillators].apply), driven(driven_states), (both, omega, start)),
        (driven(forms[NativeGatedStates].apply), driven(gated_whole), (both,)),
        (order(forms[NativeOrderParameters].apply), order(group_order), (z, K)),
    )
    return max((_error(place, *trial) for trial in trials), key=_worst)


def _error(
    place: torch.device,
    found: Callable[..., Tensor],
    right: Callable[..., Tensor],
    inputs: tuple[Tensor, ...],
) -> float:
    told = []
    for form, where in ((found, place), (right, torch.device("cpu"))):
        leaves = [one.detach().to(where).requires_grad_() for one in inputs]
        out = form(*leaves)
        grads = torch.autograd.grad(out.square().sum(), leaves)
        told.append([one.detach().cpu() for one in (out, *grads)])
    errors = [
        float((one - other).abs().max() / other.abs().max().clamp(min=1.0))
        for one, other in zip(*told, strict=True)
    ]
    return max(errors, key=_worst)


def _worst(error: float) -> float:
    """An error that is no number is not small."""
    return float("inf") if error != error else error
