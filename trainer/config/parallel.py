"""How many processes train one model, and on which devices. No torch here."""

from typing import Annotated

from msgspec import Meta, Struct


class ParallelConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Data-parallel training on one host."""

    processes: Annotated[
        int,
        Meta(ge=0, le=256, description="processes that share each batch; 0: one for each device named"),
    ] = 0


def process_count(device: str, processes: int, batch: int) -> int:
    """Return how many processes `device` and `parallel.processes` ask for.

    Args:
        device: `auto`, `cpu`, `mps`, `cuda`, `cuda:N` or `cuda:N,cuda:M,...`.
        processes: 0 for one a device.
        batch: sequences of the global batch, of which each process takes an equal part.

    Raises:
        ValueError: they do not fit together; the message names the remedy.
    """
    names = device.split(",")
    count = processes or len(names)
    if len(set(names)) < len(names):
        raise ValueError(f"device = {device} names a device twice; name each once")
    if len(names) > 1 and count != len(names):
        raise ValueError(
            f"device = {device} names {len(names)} devices for {count} processes; "
            "set parallel.processes to 0 for one each"
        )
    if count > 1 and (device == "mps" or (device.startswith("cuda:") and len(names) == 1)):
        raise ValueError(
            f"{count} processes cannot share {device}; name a CUDA device for each, such as "
            "device=cuda:0,cuda:1, or set parallel.processes=1"
        )
    if batch % count:
        raise ValueError(
            f"batch = {batch} cannot be shared equally by {count} processes; "
            f"set batch to a multiple of {count}"
        )
    return count


def device_of(device: str, rank: int, size: int) -> str:
    """Return what `device` means for process `rank` of `size`; `auto` stays, only torch can tell."""
    names = device.split(",")
    if len(names) > 1:
        return names[rank]
    return f"cuda:{rank}" if device == "cuda" and size > 1 else device
