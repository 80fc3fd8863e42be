"""The inner loops of oscillators and gates: C++ for a CPU that this host compiles, Triton for CUDA.

`build.py` compiles `kernels.cpp` once a host, `library.py` calls it; `driven.py`, `gated.py`, `order.py` and
`u.py` give it gradients. `cuda.py` puts the passes of `gpu/` in their place on CUDA. Off until `enable()` or
`enable_on_cuda()`; without, and on another device or type, the torch forms are used.
"""

from trainer.models.native.build import NativeUnavailableError
from trainer.models.native.cuda import enable_on_cuda
from trainer.models.native.library import apply, disable, enable, enabled, hide_from_compiler, serves

__all__ = [
    "NativeUnavailableError", "apply", "disable", "enable", "enable_on_cuda",
    "enabled", "hide_from_compiler", "serves",
]  # fmt: skip
