"""bf16 autocast, where a short probe finds it faster and right. Decided once a run, then reused."""

import math
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from trainer.device.device import Device
from trainer.models import LanguageModel

ROUNDS = 2
CPU_SEQUENCES = 2
"""On a CPU two tell as much as the whole batch; an accelerator is timed under the load that it will have."""
FASTER = 1.15
LOSS_TOLERANCE = 0.01
GRADIENT_TOLERANCE = 0.1


@dataclass(frozen=True, slots=True)
class Precision:
    """The arithmetic of the forward pass.

    Attributes:
        autocast: `bf16`, or `off` for float32.
        reason: why, as shown to the operator.
    """

    autocast: Literal["off", "bf16"]
    reason: str

    def context(self, device: Device) -> AbstractContextManager[Any]:
        """Return the autocast context of a forward pass."""
        return torch.autocast(device.kind, torch.bfloat16, enabled=self.autocast == "bf16")


FLOAT32 = Precision("off", "float32")
BF16 = Precision("bf16", "bf16")


def decide_precision(
    wish: str, model: LanguageModel[Any], device: Device, inputs: Tensor, targets: Tensor
) -> Precision:
    """Return the precision that `optim.amp` asks for; `auto` probes forward and backward passes.

    An accelerator is probed with the whole micro-batch given, a CPU with its first `CPU_SEQUENCES`.

    The probe changes neither weights nor generators, and leaves no gradients. bf16 is chosen if it is
    `FASTER` and its loss and gradient norm agree with float32's. A CPU without bf16 arithmetic is not probed.
    """
    if wish == "off":
        return Precision("off", "optim.amp=off")
    if wish == "bf16":
        return Precision("bf16", "optim.amp=bf16")
    if device.kind == "cpu" and not cpu_has_bf16():
        return Precision("off", "this CPU has no bf16 arithmetic")
    if device.kind == "cpu":
        inputs, targets = inputs[:CPU_SEQUENCES], targets[:CPU_SEQUENCES]
    plain_ms, plain_loss, plain_norm = _probe(model, device, FLOAT32, inputs, targets)
    cast_ms, cast_loss, cast_norm = _probe(model, device, BF16, inputs, targets)
    numbers = f"bf16 {cast_ms:.0f} ms a pass, float32 {plain_ms:.0f} ms"
    agrees = math.isclose(cast_loss, plain_loss, rel_tol=LOSS_TOLERANCE) and math.isclose(
        cast_norm, plain_norm, rel_tol=GRADIENT_TOLERANCE
    )
    if not agrees:
        return Precision("off", f"bf16 is not right here: loss {cast_loss:.4f} for {plain_loss:.4f}")
    if cast_ms * FASTER > plain_ms:
        return Precision("off", f"bf16 is not faster: {numbers}")
    return Precision("bf16", numbers)


def cpu_has_bf16() -> bool:
    """Whether this CPU multiplies bf16 in hardware (AMX or AVX-512 BF16); emulated, it is only slower."""
    return any(
        bool(getattr(torch.cpu, name)())
        for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
        if hasattr(torch.cpu, name)
    )


def _probe(
    model: LanguageModel[Any], device: Device, precision: Precision, inputs: Tensor, targets: Tensor
) -> tuple[float, float, float]:
    """Return milliseconds of the fastest of `ROUNDS` passes, the loss, and the gradient norm."""
    model.eval()  # no noise: both precisions must see the same
    try:
        return _timed(model, device, precision, inputs, targets)
    finally:
        model.zero_grad(set_to_none=True)
        model.train()


def _timed(
    model: LanguageModel[Any], device: Device, precision: Precision, inputs: Tensor, targets: Tensor
) -> tuple[float, float, float]:
    best = math.inf
    for _ in range(ROUNDS):
        device.synchronize()
        begun = time.perf_counter()
        with precision.context(device):
            loss = model.loss(inputs, targets).total
        torch.autograd.backward(loss)
        device.synchronize()
        best = min(best, time.perf_counter() - begun)
        norm = torch.nn.utils.get_total_norm([one.grad for one in model.parameters() if one.grad is not None])
        model.zero_grad(set_to_none=True)
    return best * 1e3, float(loss.detach()), float(norm.detach())
