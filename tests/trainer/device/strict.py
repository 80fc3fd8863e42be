"""A strict stand-in for CUDA or MPS: `with strict_device("mps") as rules:` and the trainer finds one.

Tensors are `OnDevice`; what torch itself checks in Python is torch's own code, and only the calls that it
makes into a driver are doubled.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor
from torch.cuda._utils import _get_device_index
from torch.utils._python_dispatch import TorchDispatchMode

from tests.trainer.device.tensors import (
    OnDevice,
    Rules,
    StrictError,
    demand_kind,
    holds_device,
    moved,
    run_on_device,
)
from trainer.step import optimizer_step

__all__ = ["OnDevice", "Rules", "StrictError", "strict_device"]

HostGenerator = torch.Generator
host_autocast = torch.autocast


@contextmanager
def strict_device(name: str, count: int = 1) -> Iterator[Rules]:
    """Have torch believe in `count` devices of the kind `cuda` or in one `mps`, until the block ends."""
    rules = Rules(torch.device(name, 0) if name == "cuda" else torch.device(name))
    with ExitStack() as stack:
        for double in (
            *_doubles(rules, count),
            *_copies(rules),
            *_autocast(),
            *_generators(rules),
            *_draws(rules),
        ):
            stack.enter_context(double)
        guarded = _guarded(rules, optimizer_step.train_step)
        stack.enter_context(patch.object(optimizer_step, "train_step", guarded))
        stack.enter_context(_Factories(rules))
        yield rules


class _Factories(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Tensors that are made on the device from nothing, in a backward pass too."""

    def __init__(self, rules: Rules) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._rules = rules

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs, rules = kwargs or {}, self._rules
        if holds_device(*args, *kwargs.values()):
            return run_on_device(func, args, kwargs)
        place = kwargs.get("device")
        if kwargs.get("pin_memory"):
            return rules.pin(func(*args, **{**kwargs, "pin_memory": False}))
        if place is None or place.type != rules.place.type:
            return func(*args, **kwargs)
        made = func(*args, **{**kwargs, "device": torch.device("cpu")})
        demand_kind(made.dtype, rules, func._schema.name)
        return OnDevice(made, rules)


class _Generator(HostGenerator):
    """A generator that remembers its device."""

    def __new__(cls, device: Any = "cpu") -> "_Generator":
        return super().__new__(cls, "cpu")  # type: ignore[call-arg]

    def __init__(self, device: Any = "cpu") -> None:
        self.place = torch.device(device)

    def manual_seed(self, seed: int) -> "_Generator":
        super().manual_seed(seed)
        return self


def _copies(rules: Rules) -> Iterator[Any]:
    """Copies between the host and the device, also where torch's own modes are off (a backward pass)."""
    base = torch._C.TensorBase

    def to(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        return moved(self, rules, *args, **kwargs)

    def pin_memory(self: Tensor, device: Any = None) -> Tensor:
        return rules.pin(base.clone(self))

    def from_host(make: Callable[..., Tensor]) -> Callable[..., Tensor]:
        def made(data: Any, **kwargs: Any) -> Tensor:
            place = kwargs.pop("device", None) or "cpu"
            return moved(make(data, **kwargs), rules, place)

        return made

    yield patch.object(Tensor, "to", to)
    yield patch.object(Tensor, "pin_memory", pin_memory)
    yield patch.object(Tensor, "is_pinned", lambda self, device=None: rules.is_pinned(self))
    for name in ("tensor", "as_tensor", "asarray"):
        yield patch.object(torch, name, from_host(getattr(torch, name)))


def _draws(rules: Rules) -> Iterator[Any]:
    """Refuse a generator of another device than that of what is drawn."""

    def checked(draw: Callable[..., Any]) -> Callable[..., Any]:
        def drawn(*args: Any, **kwargs: Any) -> Any:
            if (generator := kwargs.get("generator")) is not None:
                own = getattr(generator, "place", torch.device("cpu")).type
                of = args[0].device if args and isinstance(args[0], Tensor) else "cpu"
                wants = torch.device(kwargs.get("device") or of).type
                if own != wants:
                    raise RuntimeError(f"Expected a '{wants}' device type for generator but found '{own}'")
            return draw(*args, **kwargs)

        return drawn

    for name in ("rand", "randn", "randint", "randperm", "normal", "bernoulli", "multinomial"):
        yield patch.object(torch, name, checked(getattr(torch, name)))
    for name in ("normal_", "uniform_", "random_", "bernoulli_", "exponential_"):
        yield patch.object(Tensor, name, checked(getattr(torch._C.TensorBase, name)))


def _generators(rules: Rules) -> Iterator[Any]:
    own = _Generator(rules.place)
    yield patch.object(torch, "Generator", _Generator)
    yield patch.object(torch.cuda, "default_generators", (own,))
    yield patch.object(torch.mps, "_get_default_mps_generator", lambda: own)


def _autocast() -> Iterator[Any]:
    """Autocast of the device is that of the CPU here, under either name."""

    def entered(device_type: str, *args: Any, **kwargs: Any) -> Any:
        return host_autocast("cpu", *args, **kwargs)

    on, kind = torch.is_autocast_enabled, torch.get_autocast_dtype
    yield patch.object(torch, "autocast", entered)
    yield patch.object(torch, "is_autocast_enabled", lambda _: on("cpu"))
    yield patch.object(torch, "get_autocast_dtype", lambda _: kind("cpu"))


def _doubles(rules: Rules, count: int) -> Iterator[Any]:
    is_cuda = rules.place.type == "cuda"
    # As on a real device, a module that moves gets new parameters: the old ones cannot take the new storage.
    yield patch.object(torch._C, "_has_mps", not is_cuda)
    yield patch.object(torch.__future__, "_overwrite_module_params_on_conversion", True)
    yield patch.object(torch._C, "_group_tensors_by_device_and_dtype", _grouping(rules.place))
    yield patch.object(torch.cuda, "is_available", lambda: is_cuda)
    yield patch.object(torch.cuda, "device_count", lambda: count if is_cuda else 0)
    yield patch.object(torch.backends.mps, "is_available", lambda: not is_cuda)
    # torch.cuda.set_device stays torch's own: it is what demands an index.
    yield patch.object(torch._C, "_cuda_setDevice", lambda _: None, create=True)
    for module in (torch.cuda, torch.cuda.random):
        yield patch.object(module, "_lazy_init", lambda: None)
    yield patch.object(torch.cuda, "_initialized", is_cuda)
    waited = rules.waited
    yield patch.object(torch.cuda, "synchronize", _indexed(lambda: waited("torch.cuda.synchronize")))
    yield patch.object(torch.cuda, "empty_cache", lambda: None)
    yield patch.object(torch.cuda, "current_device", lambda: 0)
    for name, value in (("memory_allocated", 1 << 20), ("memory_reserved", 1 << 22)):
        yield patch.object(torch.cuda, name, _indexed(lambda value=value: value))  # type: ignore[misc]
    yield patch.object(torch.cuda, "max_memory_allocated", _indexed(lambda: 1 << 21))
    yield patch.object(torch.cuda, "reset_peak_memory_stats", _indexed(lambda: None))
    yield patch.object(torch.cuda, "get_device_name", lambda _: "NVIDIA H200")
    yield patch.object(torch.cuda, "is_bf16_supported", lambda including_emulation=True: True)
    yield patch.object(
        torch._C, "_mps_deviceSynchronize", lambda: waited("torch.mps.synchronize"), create=True
    )
    yield patch.object(torch._C, "_mps_emptyCache", lambda: None, create=True)
    yield patch.object(torch._C, "_mps_currentAllocatedMemory", lambda: 1 << 20, create=True)
    yield patch.object(torch._C, "_mps_driverAllocatedMemory", lambda: 1 << 22, create=True)


def _grouping(place: torch.device) -> Callable[..., Any]:
    """Groups of tensors are named by the device that they say they are on."""
    real = torch._C._group_tensors_by_device_and_dtype

    def group(tensors: Any, with_indices: bool = False) -> Any:
        ours = any(isinstance(one, OnDevice) for column in tensors for one in column)
        found = real(tensors, with_indices).items()
        return {(place if ours else device, dtype): value for (device, dtype), value in found}

    return group


def _indexed(call: Callable[[], Any]) -> Callable[..., Any]:
    """Resolve the device as torch.cuda does: None is the current one, `cuda` without an index, too."""

    def double(device: Any = None) -> Any:
        _get_device_index(device, optional=True)
        return call()

    return double


def _guarded(rules: Rules, real: Callable[..., Any]) -> Callable[..., Any]:
    def step(*args: Any, **kwargs: Any) -> Any:
        with rules.step():
            return real(*args, **kwargs)

    return step
