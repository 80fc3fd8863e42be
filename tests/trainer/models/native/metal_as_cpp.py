"""A Mac's shader library where there is none: the same Metal source as C++, called as torch calls it.

It is stricter than a Mac. Arguments must be those of the signature, in number and kind. Tensors are worked in
copies that lie between numbers that are none, so a thread that reads or writes beside them is seen. More
threads run than were asked for, in either order. An index that leaves 32 bits ends the process.
"""

import ctypes
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from trainer.models.native.build import COMPILERS
from trainer.models.native.metal.shaders import SOURCE

SHIM = """
#include <cmath>
#define kernel static
#define device
#define constant const
using uint = unsigned int;
using std::floor;
inline int min(int one, int other) { return one < other ? one : other; }
namespace precise {
inline float exp(float x) { return std::exp(x); }
inline float cos(float x) { return std::cos(x); }
inline float sin(float x) { return std::sin(x); }
inline float sqrt(float x) { return std::sqrt(x); }
}
"""
FLAGS = (
    "-std=c++17", "-O1", "-shared", "-fPIC", "-ffp-contract=off", "-Wno-attributes", "-Wdouble-promotion",
    "-Werror", "-fsanitize=signed-integer-overflow", "-fno-sanitize-recover=all",
)  # fmt: skip
SPARE, GUARD = 13, 64
"""Threads too many, and numbers on either side of a tensor."""
SIGNATURE = re.compile(r"^kernel void (\w+)\(([^)]*)\)", re.MULTILINE)
PARAMETERS = {
    "device const float* ": "(const float *)given[{}]",
    "device float* ": "(float *)given[{}]",
    "constant long& ": "*(const long *)given[{}]",
    "constant float& ": "*(const float *)given[{}]",
}


def compiler() -> str:
    """Return a C++ compiler; without one skip the test, or fail it where CI=true."""
    for name in COMPILERS:
        if found := shutil.which(name):
            return found
    lack = f"the Metal passes are untested without a C++ compiler: install one of {', '.join(COMPILERS)}"
    if os.environ.get("CI") == "true":
        pytest.fail(lack)
    pytest.skip(lack)


def parameters(source: str) -> dict[str, list[str]]:
    """Return the kinds of the parameters of every kernel, its position aside."""
    told = {}
    for name, inside in SIGNATURE.findall(source):
        *given, position = (" ".join(one.split()) for one in inside.split(","))
        assert position == "uint id [[thread_position_in_grid]]"
        told[name] = [next(kind for kind in PARAMETERS if one.startswith(kind)) for one in given]
    return told


def compiled(folder: Path, source: str = "") -> Path:
    """Compile the source, and a loop over threads around each kernel; return the library."""
    source = source or SOURCE.read_text(encoding="utf-8")
    loops = []
    for name, kinds in parameters(source).items():
        call = ", ".join(PARAMETERS[kind].format(i) for i, kind in enumerate(kinds))
        loops.append(
            f'extern "C" void run_{name}(void **given, uint count, int back) {{\n'
            f"    for (uint i = 0; i < count; ++i) {name}({call}, back ? count - 1 - i : i);\n}}\n"
        )
    text, library = folder / "passes.cpp", folder / "passes.so"
    text.write_text(SHIM + source + "".join(loops))
    done = subprocess.run([compiler(), *FLAGS, str(text), "-o", str(library)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return library


@dataclass
class ShadersAsCpp:
    """What `torch.mps.compile_shader` returns, on the CPU.

    Attributes:
        library: what `compiled` returned.
        backwards: whether the last thread runs first.
    """

    library: Path
    backwards: bool = False

    def __post_init__(self) -> None:
        self._loaded = ctypes.CDLL(str(self.library))
        self._kinds = parameters(SOURCE.read_text(encoding="utf-8"))

    def __getattr__(self, name: str) -> Callable[..., None]:
        kinds = self._kinds[name]

        def launch(*arguments: Tensor | int | float, threads: list[int], group_size: list[int]) -> None:
            assert len(arguments) == len(kinds) <= 31, f"{name} takes {len(kinds)} arguments"
            assert len(threads) == len(group_size) == 1
            copies: dict[int, tuple[Tensor, Tensor]] = {}
            written = {
                one.untyped_storage().data_ptr()
                for kind, one in zip(kinds, arguments, strict=True)
                if kind == "device float* " and isinstance(one, Tensor)
            }
            kept = [_value(kind, one, copies) for kind, one in zip(kinds, arguments, strict=True)]
            pointers = [one if isinstance(one, int) else ctypes.addressof(one) for one in kept]
            run: Any = getattr(self._loaded, f"run_{name}")
            run((ctypes.c_void_p * len(pointers))(*pointers), threads[0] + SPARE, int(self.backwards))
            for place, (flat, copy) in copies.items():
                beside = torch.cat((copy[:GUARD], copy[-GUARD:]))
                assert bool(beside.isnan().all()), f"{name} wrote beside a tensor"
                if place in written:
                    flat.copy_(copy[GUARD:-GUARD])

        return launch


def _value(kind: str, one: Tensor | int | float, copies: dict[int, tuple[Tensor, Tensor]]) -> Any:
    """Return the address of a tensor's guarded copy, or a number as Metal is given it."""
    if "long" in kind:
        assert type(one) is int
        return ctypes.c_long(one)
    if "&" in kind:
        assert type(one) is float
        return ctypes.c_float(one)
    assert isinstance(one, Tensor)
    assert one.dtype == torch.float32
    with torch.no_grad():
        flat = one.detach().as_strided((one.untyped_storage().nbytes() // 4,), (1,), 0)
        if flat.data_ptr() not in copies:
            nothing = flat.new_full((GUARD,), float("nan"))
            copies[flat.data_ptr()] = (flat, torch.cat((nothing, flat, nothing)))
    return copies[flat.data_ptr()][1].data_ptr() + 4 * (GUARD + one.storage_offset())
