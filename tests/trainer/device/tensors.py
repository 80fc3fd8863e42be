"""Tensors that say they lie on a GPU: plain ones inside, with the device's own refusals around them.

Every operation runs on the CPU, so numbers are right; what the real device refuses is refused here, too.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, NoReturn

import torch
from torch import Tensor

WIDE = (torch.float64, torch.complex32, torch.complex64, torch.complex128)
WAITS = frozenset(
    {
        "aten::_local_scalar_dense",
        "aten::nonzero",
        "aten::equal",
        "aten::masked_select",
        "aten::_unique2",
        "aten::is_nonzero",
        "aten::repeat_interleave",
    }
)
ANYWHERE = frozenset({"aten::copy_", "aten::index", "aten::index_put_", "aten::_index_put_impl_"})
"""Operations that take a host tensor beside one of the device."""


class StrictError(RuntimeError):
    """What the stand-in refuses: wrong on the real device, though it may be silent there."""


class Rules:
    """What is so on the device of this moment.

    Attributes:
        place: the device.
        narrow: it has neither float64 nor complex numbers (MPS).
        in_step: inside an optimizer step, where nothing may wait for the device.
        room: largest tensor, in elements; more is out of memory.
        missing: operations that it lacks.
        waits: how often the host waited, all in all.
    """

    def __init__(self, place: torch.device) -> None:
        self.place = place
        self.narrow = place.type == "mps"
        self.in_step = False
        self.room = 1 << 62
        self.missing: frozenset[str] = frozenset()
        self.waits = 0
        self._pinned: dict[int, Tensor] = {}

    def pin(self, tensor: Tensor) -> Tensor:
        """Have this host tensor and its views lie in pinned memory; it is kept, as torch keeps it."""
        self._pinned[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    def is_pinned(self, tensor: Tensor) -> bool:
        """Whether it lies in pinned memory."""
        return not isinstance(tensor, OnDevice) and tensor.untyped_storage().data_ptr() in self._pinned

    def waited(self, what: str) -> None:
        """Count one wait for the device, and refuse it inside a step."""
        self.waits += 1
        if self.in_step:
            raise StrictError(f"{what} waits for the device inside a step")

    @contextmanager
    def step(self) -> Iterator[None]:
        """Refuse waiting in this block."""
        self.in_step = True
        try:
            yield
        finally:
            self.in_step = False


class OnDevice(Tensor):
    """A tensor of the stand-in's device."""

    inner: Tensor  # type: ignore[assignment]
    rules: Rules

    @staticmethod
    def __new__(cls, inner: Tensor, rules: Rules) -> "OnDevice":
        made: OnDevice = torch.Tensor._make_wrapper_subclass(
            cls, inner.shape, strides=inner.stride(), storage_offset=inner.storage_offset(),
            dtype=inner.dtype, device=torch.device("cpu"),
        )  # fmt: skip
        made.inner, made.rules = inner, rules
        return made

    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    @property
    def device(self) -> torch.device:  # type: ignore[override]
        return self.rules.place

    def untyped_storage(self) -> Any:
        return self.inner.untyped_storage()

    def data_ptr(self) -> int:
        return self.inner.data_ptr()

    def is_pinned(self, device: Any = None) -> bool:
        return False

    def cpu(self, memory_format: Any = None) -> Tensor:
        return self.to("cpu")

    def to(self, *args: Any, **kwargs: Any) -> Tensor:
        return moved(self, self.rules, *args, **kwargs)

    def tolist(self) -> Any:
        return self.to("cpu").tolist()

    def numpy(self, *, force: bool = False) -> NoReturn:
        raise TypeError(f"can't convert {self.device} device type tensor to numpy. Use Tensor.cpu() first")

    def __array__(self, *_: Any) -> NoReturn:
        self.numpy()

    def __repr__(self, **_: Any) -> str:  # type: ignore[override]
        return f"OnDevice({self.rules.place}, {tuple(self.shape)}, {self.dtype})"

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        return run_on_device(func, args, kwargs or {})


@dataclass(frozen=True, slots=True)
class _Kind:
    """What is known of an operation: its name, and where the arguments lie that it writes into."""

    name: str
    written: tuple[tuple[int, str], ...]

    @classmethod
    @cache
    def of(cls, func: Any) -> "_Kind":
        """Read it from the operation's schema."""
        schema = func._schema
        written = tuple(
            (index, one.name)
            for index, one in enumerate(schema.arguments)
            if one.alias_info is not None and one.alias_info.is_write
        )
        return cls(schema.name, written)


def run_on_device(func: Any, args: Any, kwargs: Any) -> Any:
    """Run an operation of the device on what lies inside its tensors, refusing what it would refuse."""
    kind = _Kind.of(func)
    name, tensors = kind.name, list(_tensors((*args, *kwargs.values())))
    rules = next(one for one in tensors if isinstance(one, OnDevice)).rules
    if name in rules.missing:
        raise NotImplementedError(
            f"The operator '{name}' is not currently implemented for the MPS device. As a temporary fix, you "
            "can set the environment variable `PYTORCH_ENABLE_MPS_FALLBACK=1`"
        )
    if name in WAITS:
        rules.waited(name)
    fills_holes = name == "aten::stack" and torch._C._current_graph_task_id() != -1  # unbind's backward
    if name not in ANYWHERE and not fills_holes:
        for one in tensors:
            if not isinstance(one, OnDevice) and one.dim():
                both = f"{rules.place} and cpu! ({name})"
                raise RuntimeError(f"Expected all tensors to be on the same device, but found {both}")
    inner = {key: _inside(value) for key, value in kwargs.items()}
    if inner.get("device") is not None:
        inner["device"] = torch.device("cpu")
    out = func(*[_inside(value) for value in args], **inner)
    if name in ("aten::_local_scalar_dense", "aten::equal", "aten::is_nonzero"):
        return out
    targets = [kwargs.get(key, args[at] if at < len(args) else None) for at, key in kind.written]
    known = {id(one.inner): one for one in _tensors(targets) if isinstance(one, OnDevice)}
    return _wrap(out, known, rules, name)


def moved(tensor: Tensor, rules: Rules, *args: Any, **kwargs: Any) -> Tensor:
    """`Tensor.to`, with the device's own rules of copying."""
    if args and isinstance(args[0], Tensor):
        args = (args[0].device, args[0].dtype, *args[1:])
    copy = kwargs.pop("copy", False)
    parsed: Any = torch._C._nn._parse_to(*args, **kwargs)
    device, dtype, non_blocking, _ = parsed
    here = isinstance(tensor, OnDevice)
    there = here if device is None else device.type == rules.place.type
    if device is not None and device.type not in ("cpu", rules.place.type):
        raise RuntimeError(f"there is no {device} beside the stand-in of {rules.place}")
    if here and not there:
        rules.waited("a copy to the host")
        return _ToHost.apply(tensor, dtype)  # type: ignore[no-any-return, no-untyped-call]
    if there and not here:
        pinned = rules.is_pinned(tensor)
        if non_blocking and not pinned:
            raise StrictError("a non-blocking copy from pageable memory: it may be freed before it is read")
        if not non_blocking:
            rules.waited("a blocking copy from the host")
        return _ToDevice.apply(tensor, dtype, rules)  # type: ignore[no-any-return, no-untyped-call]
    wanted = dtype or tensor.dtype
    return torch._C.TensorBase.to(tensor, wanted, copy=copy)


class _ToHost(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, tensor: OnDevice, dtype: Any) -> Tensor:
        ctx.of = tensor.rules
        return torch._C.TensorBase.to(tensor.inner, dtype or tensor.dtype, copy=True)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        return OnDevice(grad, ctx.of), None


class _ToDevice(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, tensor: Tensor, dtype: Any, rules: Rules) -> Tensor:
        inner = torch._C.TensorBase.to(tensor.detach(), dtype or tensor.dtype, copy=True)
        demand_kind(inner.dtype, rules, "a copy to the device")
        return OnDevice(inner, rules)

    @staticmethod
    def backward(ctx: Any, grad: OnDevice) -> Any:
        return grad.inner, None, None


def demand_kind(dtype: torch.dtype, rules: Rules, what: str) -> None:
    """Refuse numbers that the device has not."""
    if rules.narrow and dtype in WIDE:
        raise TypeError(
            f"Cannot convert a MPS Tensor to {dtype} dtype as the MPS framework doesn't support it ({what})"
        )


def _wrap(out: Any, known: dict[int, "OnDevice"], rules: Rules, name: str) -> Any:
    """Give results the device; what an operation wrote into comes out as the very tensor that went in."""
    if isinstance(out, tuple | list):
        return type(out)(_wrap(one, known, rules, name) for one in out)
    if not isinstance(out, Tensor):
        return out
    if id(out) in known:
        return known[id(out)]
    demand_kind(out.dtype, rules, name)
    if out.numel() > rules.room:
        raise torch.OutOfMemoryError(f"{rules.place} out of memory. Tried to allocate in {name}")
    return OnDevice(out, rules)


def holds_device(*values: Any) -> bool:
    """Whether a tensor of the device is among these."""
    return any(isinstance(one, OnDevice) for one in _tensors(values))


def _inside(value: Any) -> Any:
    if isinstance(value, OnDevice):
        return value.inner
    if isinstance(value, list | tuple):
        return [_inside(one) for one in value]
    return value


def _tensors(values: Any) -> Iterator[Tensor]:
    for one in values.values() if isinstance(values, dict) else values:
        if isinstance(one, Tensor):
            yield one
        elif isinstance(one, list | tuple | dict):
            yield from _tensors(one)
