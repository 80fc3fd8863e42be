"""`compile: on`: forward and backward pass of a training step through torch.compile, where that works."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any, TypeAlias

import torch
from torch import Tensor

from trainer.device.device import Device
from trainer.models import LanguageModel, native
from trainer.models.native.build import COMPILERS
from trainer.models.outputs import LossOutput
from trainer.step.precision import Precision

Loss: TypeAlias = Callable[[Tensor, Tensor], LossOutput]


@dataclass(frozen=True, slots=True)
class Compiled:
    """What compiling came to: the loss to train with, or None where it did not work, and what to tell."""

    loss: Loss | None
    told: str


def compile_step(
    model: LanguageModel[Any], device: Device, precision: Precision, inputs: Tensor, targets: Tensor
) -> Compiled:
    """Compile the loss of `model` for batches of this shape; the pass that it takes leaves no trace.

    Shapes are fixed: another micro-batch is compiled anew. What fails ends in a sentence, not in the run.
    """
    if device.kind == "cpu" and not any(shutil.which(name) for name in COMPILERS):
        return Compiled(None, f"compile=on has no effect: no C++ compiler found ({', '.join(COMPILERS)})")
    began = perf_counter()
    noise = getattr(model, "noise_generator", None)
    kept = noise.get_state() if noise is not None else None
    native.hide_from_compiler()
    loss: Loss = torch.compile(model.loss, dynamic=False)
    try:
        with precision.context(device):
            total = loss(inputs, targets).total
        torch.autograd.backward(total)
        device.synchronize()
    except Exception as error:  # whatever a compiler, its cache or this device may say
        lines = str(error).splitlines() or [""]
        said = next((line for line in lines if " error: " in line), lines[0])[:200]
        return Compiled(None, f"compile=on has no effect: {type(error).__name__}: {said}")
    finally:
        model.zero_grad(set_to_none=True)
        if noise is not None and kept is not None:
            noise.set_state(kept)
    return Compiled(loss, f"compiled in {perf_counter() - began:.0f} s")
