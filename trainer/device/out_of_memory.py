"""Work that fits itself into the memory that there is: a part is halved and tried again until it fits."""

from collections.abc import Callable
from typing import TypeVar

from trainer.device.device import Device, is_out_of_memory
from trainer.job.outcome import TrainingFailedError

T = TypeVar("T")


def within_memory(
    work: Callable[[int], T], rows: int, device: Device, halved: Callable[[int], None]
) -> tuple[T, int]:
    """Return what `work(rows)` returned, and the rows that fitted; halves them whenever memory runs out.

    Args:
        work: does its work that many sequences at a time; it leaves nothing half-done behind.
        halved: told the new number, after the memory of the failed try was given back.

    Raises:
        TrainingFailedError: a single sequence does not fit.
    """
    while True:
        try:
            return work(rows), rows
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            if rows <= 1:
                raise TrainingFailedError(
                    "out of memory with a micro-batch of one sequence; lower context or model.dim"
                ) from error
        # Outside of the handler: its traceback would hold the tensors of the failed try.
        rows = (rows + 1) // 2
        device.release_memory()
        halved(rows)


def unless_out_of_memory(work: Callable[[], T], device: Device, without: Callable[[], T]) -> T:
    """Return what `work` returned; where memory runs out, give it back and return what `without` says."""
    try:
        return work()
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
    device.release_memory()
    return without()
