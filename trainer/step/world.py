"""What the processes of one run say to each other: orders, gradients, facts.

Process 0 leads. It alone decides what comes next, so a stop is honoured by all between the same two steps
without anybody being asked. The others wait for its orders, and make the same collective calls.

Gradients go over NCCL between CUDA devices and over gloo on the CPU; orders always over gloo, so that no
order waits for a device. gloo and NCCL talk over loopback (`torchrun_launch` says so to both), and the
processes meet through a file: nothing of a run listens on a port that another machine can reach.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from enum import IntEnum
from types import TracebackType
from typing import Any, Self, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from trainer.device.device import Device
from trainer.job.outcome import StoppedError, TrainingFailedError
from trainer.job.rank import ALONE, Rank
from trainer.job.worker_failures import LOST_PEER

T = TypeVar("T")
PATIENCE = timedelta(days=2)
"""Whoever dies is noticed by torchrun; a time-out would only end a run whose leader takes long to save."""
PARTING = timedelta(seconds=10)
"""How long process 0 waits for the others to have heard that it is over; nothing is lost if they have not."""


class WorkerOrder(IntEnum):
    """What process 0 tells the others to do next."""

    PREPARE = 1
    STEP = 2
    SAVE = 3
    END = 4
    STEP_BACK = 5
    AGREE = 6


class LostPeerError(TrainingFailedError):
    """Another process of the run is gone: who it was and why, its launcher knows."""


class World:
    """The processes of one run, as one of them sees it; of one process, every call is a trifle.

    As a context: process 0 dismisses the others when it ends well or was asked to stop. After any other
    error it only leaves, with an exit code that makes the launcher end them.
    """

    def __init__(self, rank: Rank = ALONE) -> None:
        self.rank = rank
        self._gradients: Any = None
        self._store: Any = None
        self._flat: Tensor | None = None

    @property
    def size(self) -> int:
        """How many processes there are."""
        return self.rank.size

    def join(self, device: Device) -> Self:
        """Meet the others; returns when all are there.

        Raises:
            LostPeerError: they cannot be met.
        """
        if self.size > 1:
            self._store = dist.FileStore(str(self.rank.store), self.size)  # type: ignore[attr-defined]
            self._call(
                lambda: dist.init_process_group(
                    "gloo", store=self._store, rank=self.rank.number, world_size=self.size, timeout=PATIENCE
                )
            )
            if device.kind == "cuda":
                self._gradients = dist.new_group(backend="nccl", timeout=PATIENCE)
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.size == 1:
            return
        if self.rank.leads and (kind is None or issubclass(kind, StoppedError)):
            self.order(WorkerOrder.END)
        if kind is None or issubclass(kind, StoppedError):
            self._part()
            dist.destroy_process_group()

    def _part(self) -> None:
        """Process 0 hangs up last: an order whose sender is gone may never be heard.

        What the others say here goes through the file by which they met, so that nobody waits on a socket.
        """
        if not self.rank.leads:
            self._store.set(f"heard/{self.rank.number}", "1")
            return
        with suppress(RuntimeError):  # one that died after the last step: its work is done
            self._store.wait([f"heard/{number}" for number in range(1, self.size)], PARTING)

    def order(self, order: WorkerOrder) -> None:
        """Process 0: tell the others what to do next.

        Raises:
            LostPeerError: one is gone.
        """
        if self.size > 1:
            self._tell(order)

    def await_order(self) -> WorkerOrder:
        """The others: wait for process 0.

        Raises:
            LostPeerError: it is gone.
        """
        return WorkerOrder(self._tell(WorkerOrder.END))

    def share(self, value: T) -> T:
        """Return process 0's `value` (anything picklable) in every process.

        Raises:
            LostPeerError: one is gone.
        """
        if self.size == 1:
            return value
        held: list[Any] = [value]
        self._call(lambda: dist.broadcast_object_list(held, src=0))
        shared: T = held[0]
        return shared

    def gather(self, value: T) -> list[T]:
        """Return every process's `value`, by rank, in every process.

        Raises:
            LostPeerError: one is gone.
        """
        if self.size == 1:
            return [value]
        held: list[Any] = [None] * self.size
        self._call(lambda: dist.all_gather_object(held, value))
        return held

    def part(self, batch: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return this process's rows of a global batch, arrays `[B, T]` whose B is a multiple of `size`."""
        if self.size == 1:
            return batch
        rows = len(batch[0]) // self.size
        mine = slice(self.rank.number * rows, (self.rank.number + 1) * rows)
        return tuple(one[mine] for one in batch)

    def average(self, parameters: Sequence[nn.Parameter], means: Tensor) -> Tensor:
        """Replace each gradient by its mean over the processes, and return the mean of `means`.

        One collective, after the backward pass; the same bits come out in every process.

        Raises:
            LostPeerError: one is gone.
        """
        if self.size == 1:
            return means
        parts = [one.grad for one in parameters if one.grad is not None] + [means]
        total = sum(part.numel() for part in parts)
        if self._flat is None or self._flat.numel() != total:
            self._flat = torch.empty(total, dtype=torch.float32, device=means.device)
        flat = self._flat
        cuts = torch.split(flat, [part.numel() for part in parts])
        views = [cut.view_as(part) for cut, part in zip(cuts, parts, strict=True)]
        for view, part in zip(views, parts, strict=True):
            view.copy_(part)
        flat.div_(self.size)
        self._call(lambda: dist.all_reduce(flat, group=self._gradients))
        for view, part in zip(views[:-1], parts[:-1], strict=True):
            part.copy_(view)
        return views[-1].clone()

    def _tell(self, order: WorkerOrder) -> int:
        word = torch.tensor(int(order))
        self._call(lambda: dist.broadcast(word, src=0))
        return int(word)

    def _call(self, collective: Callable[[], Any]) -> None:
        try:
            collective()
        except (RuntimeError, ValueError) as error:
            raise LostPeerError(
                f"{LOST_PEER} ({str(error).splitlines()[0][:200]}); resume from the last checkpoint"
            ) from error


def digest(model: nn.Module) -> int:
    """Return a number that is equal where all weights are equal, bit for bit (and nearly never elsewhere)."""
    total = 0
    for one in model.parameters():
        words = one.detach().contiguous().view(torch.uint8).flatten()
        wide = words.view(torch.int32) if words.numel() % 4 == 0 else words
        total = (total * 1_000_003 + int(wide.sum(dtype=torch.int64))) % (1 << 61)
    return total


def demand_equal(digests: Sequence[int], step: int) -> None:
    """Refuse to go on with processes that no longer hold the same model.

    Raises:
        TrainingFailedError: naming the processes whose weights differ from those of process 0.
    """
    if strays := [rank for rank, one in enumerate(digests) if one != digests[0]]:
        raise TrainingFailedError(
            f"process {', '.join(map(str, strays))} has other weights than process 0 at step {step}: not "
            "saved; resume from the last checkpoint, and check the memory of these devices"
        )
