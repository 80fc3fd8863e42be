"""A file of torch.save that anybody may have made: looked through before any of it is loaded."""

import hashlib
import io
import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from trainer.device.host_memory import available_host_bytes
from trainer.foreign.pickle_shape import PickleShapeError, check_shape
from trainer.job.outcome import RefusedError

CHUNK = 1 << 20
PICKLE_MAX = 16 << 20
ENTRIES_MAX = 100_000
KEY_MAX = 200
ALLOWED = frozenset({
    "collections OrderedDict", "torch._utils _rebuild_tensor_v2", "torch._utils _rebuild_parameter",
    "torch Size",
})  # fmt: skip
"""What the pickle may name beside storages and dtypes of torch: enough for tensors, numbers, texts, lists."""
WIDTHS: Mapping[str, int] = {
    "UntypedStorage": 1, "BoolStorage": 1, "ByteStorage": 1, "CharStorage": 1, "ShortStorage": 2,
    "HalfStorage": 2, "BFloat16Storage": 2, "IntStorage": 4, "FloatStorage": 4, "LongStorage": 8,
    "DoubleStorage": 8,
}  # fmt: skip
"""Bytes of a number, by the name of its storage."""
FAULTS = (
    RuntimeError, pickle.UnpicklingError, EOFError, LookupError, ValueError, TypeError, AttributeError,
    OverflowError, MemoryError, RecursionError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PtFile:
    """What a file holds: its outermost value, its bytes and their SHA-256. Tensors are mapped, not read."""

    value: object
    bytes: int
    sha256: str


def read_weights(path: Path) -> PtFile:
    """Open a file of torch.save, or of safetensors, which holds tensors alone: see `read_pt`.

    Raises:
        RefusedError: it is neither.
    """
    with path.open("rb") as file:
        begins = file.read(9)
    if begins[:2] == b"PK" or begins[8:] != b"{":
        return read_pt(path)
    try:
        return PtFile(load_file(path, device="cpu"), path.stat().st_size, _sha256(path))
    except (SafetensorError, *FAULTS) as error:
        raise RefusedError(
            f"{path.name} is cut off or damaged ({str(error)[:120]}); bring it again"
        ) from error


def read_pt(path: Path) -> PtFile:
    """Open a file of torch.save. Nothing in it is run, and no memory is spent on its tensors.

    Raises:
        RefusedError: it is none, truncated, compressed, names what no weights need, or does not fit.
    """
    try:
        size = path.stat().st_size
        with zipfile.ZipFile(path) as archive:
            _check_pickle(path, archive, _check_entries(path, archive, size))
        value = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        return PtFile(value, size, _sha256(path))
    except (zipfile.BadZipFile, NotImplementedError) as error:
        with path.open("rb") as file:
            begins = file.read(2)
        why = f"it is cut off or damaged ({error})" if begins == b"PK" else "it is no archive of torch.save"
        remedy = (
            "bring it again" if begins == b"PK" else "save it again: torch.save(model.state_dict(), FILE)"
        )
        raise RefusedError(f"{path.name}: {why}; {remedy}") from error
    except FAULTS as error:
        first = (str(error) or type(error).__name__).splitlines()[0][:200]
        raise RefusedError(f"{path.name} holds no weights that can be read: {first}") from error


def check_tensors(name: str, tensors: Mapping[str, Tensor], file_bytes: int) -> None:
    """Refuse tensors that claim more than their file holds, or than the host has memory for.

    Raises:
        RefusedError: naming one.
    """
    total = 0
    for key, tensor in tensors.items():
        if tensor.layout != torch.strided or tensor.device.type != "cpu" or not tensor.is_floating_point():
            raise RefusedError(f"{name}: {key[:80]} is no plain tensor of floating-point numbers")
        own = tensor.numel() * tensor.element_size()
        if own > file_bytes:
            raise RefusedError(f"{name}: {key[:80]} claims {own:,} bytes, in a file of {file_bytes:,}")
        total += 4 * tensor.numel()
    room = available_host_bytes()
    if total > 8 * file_bytes or (room is not None and 2 * total > room):
        raise RefusedError(f"{name}: its tensors take {total:,} bytes, which do not fit into memory twice")


def _check_entries(path: Path, archive: zipfile.ZipFile, size: int) -> zipfile.ZipInfo:
    entries = archive.infolist()
    if any(one.compress_type != zipfile.ZIP_STORED for one in entries):
        raise RefusedError(f"{path.name} is compressed inside, which torch.save never does")
    if len(entries) > ENTRIES_MAX or sum(one.file_size for one in entries) > size:
        raise RefusedError(f"{path.name} claims to hold more than it does")
    if len({one.filename.lower() for one in entries}) != len(entries):
        raise RefusedError(f"{path.name} holds two entries of one name: which is meant is not known")
    found = [one for one in entries if one.filename.rpartition("/")[2] == "data.pkl"]
    if len(found) != 1:
        raise RefusedError(f"{path.name} is an archive, but none of torch.save")
    if found[0].file_size > PICKLE_MAX:
        raise RefusedError(f"{path.name} holds {found[0].file_size:,} bytes beside its tensors: too many")
    return found[0]


def _check_pickle(path: Path, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    """Refuse a pickle that names anything but tensors, or storages that are not as long as it says."""
    raw = archive.read(entry)
    try:
        check_shape(raw)
    except PickleShapeError as error:
        raise RefusedError(
            f"{path.name} is built as no weights are: {error}; it was not loaded; save weights alone, "
            "torch.save(model.state_dict(), FILE), where you trust it"
        ) from error
    look = _Look(raw, path.name)
    look.load()
    sizes = {one.filename: one.file_size for one in archive.infolist()}
    prefix = entry.filename.removesuffix("data.pkl")
    for key, needed in look.storages.items():
        there = sizes.get(f"{prefix}data/{key}", -1)
        if there != needed:
            raise RefusedError(
                f"{path.name}: a tensor of {needed:,} bytes has {max(there, 0):,}: bring it again"
            )


class _Inert:
    """Stands for whatever a pickle would make; it keeps nothing and does nothing."""

    def __init__(self, *_: object) -> None: ...

    def __setstate__(self, _: object) -> None: ...


class _InertDict(dict[Any, Any]):
    def __setstate__(self, _: object) -> None: ...


class _Look(pickle.Unpickler):
    """Walks a pickle without making anything of what it names, and notes the storages that it claims."""

    def __init__(self, raw: bytes, name: str) -> None:
        super().__init__(io.BytesIO(raw))
        self._name = name
        self.storages: dict[str, int] = {}

    def find_class(self, module: str, name: str) -> Any:
        """Return a stand-in for what weights need; refuse all else."""
        named = f"{module} {name}"
        if named == "collections OrderedDict":
            return _InertDict
        if named not in ALLOWED and not _is_of_torch(named):
            raise RefusedError(
                f"{self._name} asks for {named[:80]!r}, which weights do not need: it was not loaded; save "
                "weights alone, torch.save(model.state_dict(), FILE), where you trust it"
            )
        return _StorageType(WIDTHS[name]) if name in WIDTHS else _Inert

    def persistent_load(self, pid: Any) -> object:
        """Note `("storage", type, key, place, numbers)`."""
        is_five = type(pid) is tuple and len(pid) == 5
        what, kind, key, place, numbers = pid if is_five else (None,) * 5
        if not isinstance(what, str) or not isinstance(place, str) or not isinstance(kind, _StorageType):
            raise self._no_storage()
        if not isinstance(key, str) or not isinstance(numbers, int):
            raise self._no_storage()
        claimed = numbers * kind.width
        if len(key) > KEY_MAX or self.storages.setdefault(key, claimed) != claimed:
            raise RefusedError(f"{self._name}: the storage {key[:80]} has two lengths, or no name")
        return _Inert()

    def _no_storage(self) -> RefusedError:
        return RefusedError(
            f"{self._name}: what it says of a storage is no storage: it was not loaded; bring it again"
        )


@dataclass(frozen=True, slots=True)
class _StorageType:
    width: int


def _is_of_torch(named: str) -> bool:
    module, _, name = named.partition(" ")
    storage = name in WIDTHS and module in ("torch", "torch.storage")
    return storage or (module == "torch" and isinstance(getattr(torch, name, None), torch.dtype))


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def first_number(value: Mapping[Any, Any], keys: tuple[str, ...]) -> int | None:
    """Return the first whole number at one of the keys; None without one."""
    found = (value.get(key) for key in keys)
    return next((one for one in found if type(one) is int and 0 <= one < 10**12), None)
