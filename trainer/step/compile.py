"""`compile: on`: forward and backward pass of a training step through torch.compile, where that works."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, TypeAlias

import torch
from torch import Tensor

from trainer.device.device import Device, is_out_of_memory
from trainer.job.reason import reason_of
from trainer.models import LanguageModel, native
from trainer.models.native.build import COMPILERS, NativeUnavailableError, demand_own
from trainer.models.outputs import LossOutput
from trainer.step.kernels import default_kernel_cache
from trainer.step.precision import Precision

CACHE_VARIABLE = "TORCHINDUCTOR_CACHE_DIR"
Loss: TypeAlias = Callable[..., LossOutput]
"""As `LanguageModel.loss`: tokens, targets, and what each position weighs, where not all are scored."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """What compiling came to: the loss to train with, or None where it did not work, and a message of it."""

    loss: Loss | None
    message: str


def compile_step(
    model: LanguageModel[Any], device: Device, precision: Precision, inputs: Tensor, targets: Tensor
) -> Compiled:
    """Compile the loss of `model` for batches of this shape; the pass that it takes leaves no trace.

    Shapes are fixed: another micro-batch is compiled anew. What fails ends in a
    sentence, not in the run; want of memory is for the caller, who can ask for less.
    """
    if device.kind == "cpu" and not any(shutil.which(name) for name in COMPILERS):
        return Compiled(None, f"compile=on has no effect: no C++ compiler found ({', '.join(COMPILERS)})")
    began = perf_counter()
    noise = getattr(model, "noise_generator", None)
    kept = noise.get_state() if noise is not None else None
    native.hide_from_compiler()
    try:
        _own_compiler_cache()
    except (NativeUnavailableError, OSError) as error:
        return Compiled(None, f"compile=on has no effect: {error}")
    loss: Loss = torch.compile(model.loss, dynamic=False)
    try:
        with precision.context(device):
            total = loss(inputs, targets).total
        torch.autograd.backward(total)
        device.synchronize()
    except Exception as error:  # whatever a compiler, its cache or this device may say
        if is_out_of_memory(error):
            raise
        return Compiled(None, f"compile=on has no effect: {reason_of(error)}")
    finally:
        model.zero_grad(set_to_none=True)
        if noise is not None and kept is not None:
            noise.set_state(kept)
    return Compiled(loss, f"compiled in {perf_counter() - began:.0f} s")


def _own_compiler_cache() -> None:
    """Have torch keep what it compiles, and loads again, in a folder that is this user's alone.

    Its own default is a name in the shared temporary folder, which another user can take before us.
    """
    folder = Path(os.environ.setdefault(CACHE_VARIABLE, str(default_kernel_cache().with_name("inductor"))))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    demand_own(folder)


def is_compiler_failure(error: BaseException) -> bool:
    """Whether torch.compile failed, not what it compiled: a further shape is compiled inside a step."""
    places = (kind.__module__ for kind in type(error).__mro__)
    return any(place.startswith(("torch._dynamo", "torch._inductor")) for place in places)
