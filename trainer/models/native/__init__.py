"""The inner loops of oscillators and gates as C++ for a CPU, where this host can compile them.

`build.py` compiles `kernels.cpp` once a host, `library.py` calls it; `driven.py`, `gated.py`, `order.py` and
`u.py` give it gradients. Off until `enable()`; without it, and on another device or type, the torch forms are
used.
"""

from trainer.models.native.build import NativeUnavailableError
from trainer.models.native.library import apply, disable, enable, enabled, hide_from_compiler, serves

__all__ = [
    "NativeUnavailableError", "apply", "disable", "enable", "enabled", "hide_from_compiler", "serves",
]  # fmt: skip
