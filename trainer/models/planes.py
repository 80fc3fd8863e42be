"""Complex numbers as pairs of real planes, `[2, ...]`: no complex type, which MPS and autocast lack."""

from collections.abc import Iterator

import torch
from torch import Tensor

CACHED_ELEMENTS = 2**17
"""Elements of one plane that a slice may hold on CPU: 512 KB, measured best of 32 K to 4 M."""

EPS = 1e-6
"""Added to |z|^2: the phase of a resting oscillator is undefined, and its gradient would be infinite."""


def times(planes: Tensor, real: Tensor, imag: Tensor, out: Tensor | None = None) -> Tensor:
    """Return the complex numbers `planes [2, ...]` times `real + i imag`."""
    product = torch.empty_like(planes) if out is None else out
    torch.mul(planes[0], real, out=product[0]).addcmul_(planes[1], imag, value=-1)
    torch.mul(planes[1], real, out=product[1]).addcmul_(planes[0], imag)
    return product


def turned(planes: Tensor, real: Tensor, imag: Tensor, sign: int = 1) -> Tensor:
    """Return `times` of shapes that may widen, in three operations: for devices and compilers."""
    product = planes * real
    product[0].addcmul_(planes[1], imag, value=-sign)
    product[1].addcmul_(planes[0], imag, value=sign)
    return product


def batch_slices(planes: Tensor) -> Iterator[slice]:
    """Yield slices of the batch, dimension 1 of `planes`; the whole of it on anything but a CPU."""
    batch = planes.shape[1]
    size = batch
    if planes.device.type == "cpu":
        size = max(1, CACHED_ELEMENTS * batch // max(1, planes[0].numel()))
    for start in range(0, batch, size):
        yield slice(start, min(start + size, batch))
