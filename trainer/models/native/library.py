"""The compiled kernels, loaded into this process: on or off for all models in it."""

import ctypes
from collections.abc import Callable, Mapping
from ctypes import c_float, c_int, c_int64, c_void_p
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from trainer.models.native.build import NativeUnavailableError, built

_P, _N = c_void_p, c_int64
SIGNATURES: dict[str, tuple[type, ...]] = {
    "driven_forward": (_P, _P, _N, _P, _P, _P, _N, _N, _N, c_int),
    "driven_backward": (_P, _P, _N, _P, _P, _P, _P, _P, _P, _N, _P, _P, _N, _N, _N, c_int),
    "gated_forward": (_P, _P, _N, _P, _N, _N, _N, c_int),
    "gated_backward": (_P, _P, _N, _P, _P, _P, _P, _N, _N, _N, _N, c_int),
    "order_forward": (_P, _P, _P, _P, _P, _N, _N, _N, _N, c_float, c_int),
    "order_backward": (_P, _P, _P, _P, _P, _P, _N, _N, _N, _N, c_float, c_int),
    "u_forward": (_P, _P, _N, c_float, c_float, c_int),
    "u_backward": (_P, _P, _P, _P, _N, c_float, c_float, c_int),
}
_loaded: list[ctypes.CDLL] = []
_apply: list[Callable[..., Any]] = []
_on_devices: dict[str, Mapping[type[torch.autograd.Function], type[torch.autograd.Function]]] = {}
MOST_PLACES = 2**31
"""Numbers of a tensor that kernels of devices can tell apart: their indices have 32 bits."""


def enable(cache: Path, building: Callable[[], None] = lambda: None) -> bool:
    """Use native kernels in this process from now on; return whether they had to be compiled for it.

    Args:
        cache: folder of compiled kernels.
        building: called before a compiler is started.

    Raises:
        NativeUnavailableError: this host cannot; nothing has changed.
    """
    path, compiled = built(cache, building)
    try:
        library = ctypes.CDLL(str(path))
        for name, arguments in SIGNATURES.items():
            function = getattr(library, name)
            function.argtypes, function.restype = arguments, None
    except (OSError, AttributeError) as error:
        raise NativeUnavailableError(f"{path} cannot be loaded: {error}") from error
    _loaded[:] = [library]
    return compiled


def disable() -> None:
    """Use the torch forms from now on."""
    _loaded.clear()
    _on_devices.clear()


def serve_device(
    kind: str, forms: Mapping[type[torch.autograd.Function], type[torch.autograd.Function]]
) -> None:
    """Use these functions on devices of a kind in the place of those for a CPU, from now on."""
    _on_devices[kind] = forms


def enabled() -> bool:
    """Whether native kernels are in use."""
    return bool(_loaded or _on_devices)


def serves(tensor: Tensor, beside: int = 0) -> bool:
    """Whether kernels are in use and can take a tensor like this one, and one of `beside` numbers with it."""
    if tensor.dtype != torch.float32:
        return False
    if tensor.device.type == "cpu":
        return bool(_loaded)
    return tensor.device.type in _on_devices and max(2 * tensor.numel(), beside) < MOST_PLACES


def apply(form: type[torch.autograd.Function], first: Tensor, *others: object) -> Any:
    """Apply one of the functions that call kernels, outside of any graph that torch.compile draws."""
    form, arguments = _on_devices.get(first.device.type, {}).get(form, form), (first, *others)
    return _apply[0](form, *arguments) if _apply else form.apply(*arguments)  # type: ignore[no-untyped-call]


def hide_from_compiler() -> None:
    """Keep torch.compile from looking into calls of kernels, where it can see nothing; before it is used."""

    def visibly(form: type[torch.autograd.Function], *arguments: object) -> Any:
        return form.apply(*arguments)  # type: ignore[no-untyped-call]

    _apply[:] = [torch.compiler.disable(visibly)]  # type: ignore[no-untyped-call]


def call(name: str, *arguments: Tensor | int | float | None) -> None:
    """Call a kernel with tensors that stay alive meanwhile, and this process's threads."""
    given = [one.data_ptr() if isinstance(one, Tensor) else one for one in arguments]
    getattr(_loaded[0], name)(*given, torch.get_num_threads())
