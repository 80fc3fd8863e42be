"""What works the inner loops of a model: C++, Triton on CUDA, Metal on a Mac, or torch; chosen once a run.

The two differ in the last bits, so a run that continues keeps to what it began with where it can.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Literal

from trainer.config.model import ModelConfig
from trainer.device.device import Device
from trainer.job.outcome import TrainingFailedError
from trainer.models import native

SERVED = ("kssm-v3", "gated", "bolted", "memory")


@dataclass(frozen=True, slots=True)
class Kernels:
    """The code of the inner loops, and why it is that, as shown to the operator."""

    name: Literal["native", "torch"]
    reason: str


TORCH = Kernels("torch", "not decided")


def decide_kernels(
    wish: str, model: ModelConfig, device: Device, building: Callable[[], None], cache: Path | None = None
) -> Kernels:
    """Set this process to what `kernels` asks for (`native`, `torch` or `auto`); return what it came to.

    A wish for `native` that this host cannot grant ends in torch and a reason that says so.

    Args:
        building: called before a compiler is started.
        cache: where compiled kernels lie; the user's cache if None.
    """
    native.disable()
    if wish == "torch":
        return Kernels("torch", "kernels=torch")
    tried = {"cuda": native.enable_on_cuda, "mps": native.enable_on_mps}.get(device.kind)
    if tried is not None and model.kind in SERVED:
        try:
            return Kernels("native", tried(device.place))
        except native.NativeUnavailableError as error:
            return Kernels("torch", str(error))
    if device.kind != "cpu" or model.kind not in SERVED:
        return Kernels("torch", f"{model.kind} on {device.kind} has no native ones")
    began = perf_counter()
    try:
        compiled = native.enable(cache or default_kernel_cache(), building)
    except native.NativeUnavailableError as error:
        return Kernels("torch", str(error))
    took = perf_counter() - began
    return Kernels("native", f"compiled in {took:.1f} s" if compiled else "compiled before")


def follow_kernels(chosen: Kernels, model: ModelConfig, device: Device) -> None:
    """Set a further process of a run to what its first one chose.

    Raises:
        TrainingFailedError: this one's host has no native kernels; sums would differ between processes.
    """
    here = decide_kernels(chosen.name, model, device, lambda: None)
    if here.name != chosen.name:
        raise TrainingFailedError(
            f"no native kernels on this host: {here.reason}; --set kernels=torch does without"
        )


def default_kernel_cache(env: Mapping[str, str] = os.environ) -> Path:
    """Return `photinus/kernels` in the user's cache, outside of any state root: one build serves them all."""
    named = env.get("XDG_CACHE_HOME", "")
    home = Path(named) if named.startswith("/") else Path(env.get("HOME", "~")).expanduser() / ".cache"
    return home / "photinus" / "kernels"
