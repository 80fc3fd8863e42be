"""The device that trains. CPU, CUDA and MPS behind one name; MPS was not tried on a Mac."""

from dataclasses import dataclass, field
from typing import Any

import torch

from trainer.config.parallel import device_of
from trainer.device.heap import keep_freed_memory
from trainer.device.memory_peak import MemoryPeak
from trainer.job.outcome import RefusedError
from trainer.job.rank import Rank

FIRST_CUDA = "cuda:0"
"""What `cuda` alone means: torch.cuda.set_device demands an index."""


@dataclass(frozen=True, slots=True)
class Device:
    """A chosen device and the CPU threads beside it.

    Attributes:
        place: the device itself.
        threads: CPU threads torch may use; 1 and 2 differ in the last bit of a sum.
        peak: the most memory in use since it was last read.
    """

    place: torch.device
    threads: int
    peak: MemoryPeak = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "peak", MemoryPeak(self.place))

    @property
    def kind(self) -> str:
        """`cpu`, `cuda` or `mps`."""
        return self.place.type

    def synchronize(self) -> None:
        """Wait until everything queued on the device is done."""
        if self.kind == "cuda":
            torch.cuda.synchronize(self.place)
        elif self.kind == "mps":
            torch.mps.synchronize()

    def release_memory(self) -> None:
        """Give cached blocks back; only where the loop pauses anyway, after `synchronize`."""
        self.synchronize()
        if self.kind == "cuda":
            torch.cuda.empty_cache()
        elif self.kind == "mps":
            torch.mps.empty_cache()

    def generator(self, seed: int) -> torch.Generator:
        """Return a new generator on this device."""
        return torch.Generator(self.place).manual_seed(seed)

    def set_tf32(self, wanted: bool) -> None:
        """Have CUDA multiply float32 in TF32, which is several times as fast, or exactly."""
        if self.kind == "cuda":
            torch.set_float32_matmul_precision("high" if wanted else "highest")

    def set_deterministic(self, wanted: bool) -> None:
        """Have torch take algorithms that give the same bits each time; one that has none ends the run."""
        if wanted != torch.are_deterministic_algorithms_enabled():  # the call loads torch's compiler
            torch.use_deterministic_algorithms(wanted)
        torch.backends.cudnn.benchmark = False

    def has_bf16(self) -> bool:
        """Whether this is a CUDA device with bf16 units of its own."""
        return self.kind == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)

    def facts(self) -> dict[str, Any]:
        """Return what a report says of it; of CUDA its name, too, and whether it has bf16 units."""
        found: dict[str, Any] = {"torch": torch.__version__, "threads": self.threads}
        if self.kind == "cuda":
            found |= {"name": torch.cuda.get_device_name(self.place), "bf16": self.has_bf16()}
        return found

    def memory(self) -> dict[str, float]:
        """Return bytes on the device: the most in use since the last call, and what its driver holds.

        Empty on a CPU.
        """
        if self.kind == "cuda":
            held = torch.cuda.memory_reserved(self.place)
        elif self.kind == "mps":
            held = torch.mps.driver_allocated_memory()
        else:
            return {}
        return {"memory_bytes": float(self.peak.read()), "memory_driver_bytes": float(held)}


def own_device(name: str, rank: Rank) -> str:
    """Return the device of one process of several, of those that `name` names."""
    if name == "auto" and rank.size > 1:
        name = "cuda" if torch.cuda.device_count() >= rank.size else "cpu"
    return device_of(name, rank.number, rank.size)


def open_device(name: str, threads: int) -> Device:
    """Return the device called `name` (`auto` takes CUDA, then MPS, then the CPU) and set torch's threads.

    On a CPU the process keeps the memory that it frees from here on (`trainer.device.heap`).

    Raises:
        RefusedError: there is no such device here.
    """
    chosen = torch.device({"auto": _automatic(), "cuda": FIRST_CUDA}.get(name, name))
    if chosen.type == "cuda" and not _has_cuda(chosen.index):
        raise RefusedError(_no_such(name))
    if chosen.type == "mps" and not torch.backends.mps.is_available():
        raise RefusedError(_no_such(name))
    if torch.get_num_threads() != threads:
        torch.set_num_threads(threads)
    if chosen.type == "cpu":
        keep_freed_memory()
    if chosen.type == "cuda":
        torch.cuda.set_device(chosen)
    return Device(chosen, threads)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether torch failed for want of memory, on whichever device."""
    text = str(error)
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError)
        and ("can't allocate memory" in text or "MPS backend out of memory" in text)
    )


def default_generator_state(device: Device) -> dict[str, Any]:
    """Return the state of torch's own generators: the CPU's, and the device's where it has one."""
    states = {"torch": torch.get_rng_state()}
    if device.kind == "cuda":
        states["device"] = torch.cuda.get_rng_state(device.place)
    elif device.kind == "mps":
        states["device"] = torch.mps.get_rng_state()
    return states


def set_default_generator_state(device: Device, states: dict[str, Any]) -> None:
    """Set what `default_generator_state` returned."""
    torch.set_rng_state(states["torch"])
    if "device" in states and device.kind == "cuda":
        torch.cuda.set_rng_state(states["device"], device.place)
    elif "device" in states and device.kind == "mps":
        torch.mps.set_rng_state(states["device"])


def _no_such(name: str) -> str:
    here = [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    here += ["mps"] if torch.backends.mps.is_available() else []
    return f"there is no device {name} here; there is {', '.join([*here, 'cpu'])} (--set device=auto chooses)"


def _automatic() -> str:
    if torch.cuda.is_available():
        return FIRST_CUDA
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _has_cuda(index: int | None) -> bool:
    return torch.cuda.is_available() and (index or 0) < torch.cuda.device_count()
