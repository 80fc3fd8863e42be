"""`python -m trainer.device.selftest --device cuda-0`: does this device compute, forward and backward?"""

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor

from trainer.device.device import open_device
from trainer.job.environment import granted_threads, prepare_environment
from trainer.job.outcome import RefusedError

SIZE = 96
TOLERANCE = 1e-2  # relative; a device may multiply float32 in TF32, with 10 bits of mantissa
Compute: TypeAlias = Callable[[Tensor, Tensor], tuple[Tensor, Tensor, Tensor]]
"""(left, right) -> (loss, gradient of left, gradient of right), each [SIZE, SIZE] but the loss []."""


@dataclass(frozen=True, slots=True)
class DeviceCheck:
    """The largest error of a device relative to the largest value, over the loss and both gradients."""

    error: float
    seconds: float

    @property
    def is_good(self) -> bool:
        """Whether the device may train; an error that is no number is not small."""
        return self.error <= TOLERANCE


def matmul_and_backward(left: Tensor, right: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the loss mean(gelu(left @ right)^2) and its two gradients."""
    left, right = left.detach().requires_grad_(), right.detach().requires_grad_()
    loss = torch.nn.functional.gelu(left @ right).square().mean()
    loss.backward()  # type: ignore[no-untyped-call]
    assert left.grad is not None
    assert right.grad is not None
    return loss.detach(), left.grad, right.grad


def compare(place: torch.device, compute: Compute = matmul_and_backward, seed: int = 1) -> DeviceCheck:
    """Compute the same on the CPU in float64 and on `place` in float32, and compare."""
    generator = torch.Generator().manual_seed(seed)
    left, right = (torch.randn(SIZE, SIZE, generator=generator) / SIZE**0.25 for _ in range(2))
    expected = matmul_and_backward(left.double(), right.double())
    began = time.monotonic()
    found = compute(left.to(place), right.to(place))
    errors = [_error(one.cpu().double(), other) for one, other in zip(found, expected, strict=True)]
    return DeviceCheck(max(errors, key=_worst), time.monotonic() - began)


def _error(found: Tensor, expected: Tensor) -> float:
    if found.shape != expected.shape:
        return float("inf")
    return float((found - expected).abs().max() / expected.abs().max())


def _worst(error: float) -> float:
    return float("inf") if error != error else error


def main() -> int:
    """Try every named device; 1 with the reason on the last line if one does not compute."""
    parser = argparse.ArgumentParser(prog="python -m trainer.device.selftest", description=__doc__)
    parser.add_argument("--device", action="append", default=[], metavar="NAME", help="cpu, mps, cuda-0, ...")
    prepare_environment()
    print(f"torch {torch.__version__}, Python {sys.version.split()[0]}", flush=True)
    for name in parser.parse_args().device or ["cpu"]:
        try:
            device = open_device(name.replace("-", ":"), granted_threads())
            verdict = compare(device.place)
        except (RefusedError, RuntimeError) as error:
            print(f"{name}: {' '.join(str(error).split())[:400]} (torch {torch.__version__})", flush=True)
            return 1
        if not verdict.is_good:
            print(f"{name}: computes wrongly: relative error {verdict.error:.3g}", flush=True)
            return 1
        took = f"{verdict.seconds:.2f} s"
        print(f"{name}: matmul and backward agree with float64 to {verdict.error:.1g} ({took})", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
