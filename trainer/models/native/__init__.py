"""The inner loops of oscillators and gates: C++ that this host compiles, Triton on CUDA, Metal on a Mac.

`build.py` compiles `kernels.cpp` once a host, `library.py` calls it; `driven.py`, `gated.py`, `order.py` and
`u.py` give it gradients. `cuda.py` puts the passes of `gpu/` in their place on CUDA, and `mps.py` those of
`metal/` on a Mac, where they agree with torch. Off until `enable()`, `enable_on_cuda()` or `enable_on_mps()`;
without, and on another device or type, the torch forms are used.
"""

from trainer.models.native.build import NativeUnavailableError
from trainer.models.native.cuda import enable_on_cuda
from trainer.models.native.library import apply, disable, enable, enabled, hide_from_compiler, serves
from trainer.models.native.mps import enable_on_mps

__all__ = [
    "NativeUnavailableError", "apply", "disable", "enable", "enable_on_cuda", "enable_on_mps",
    "enabled", "hide_from_compiler", "serves",
]  # fmt: skip
