"""A checkpoint that is written while training goes on: one in flight, and not told of before it is proven.

A thread writes: hashing, syncing and writing leave the interpreter alone, and it dies with the process. It
yields to the thread that trains. Only the copy of the state is waited for.
"""

import contextlib
import os
import sys
import threading
from collections.abc import Callable
from threading import Thread

from trainer.checkpoints.save import Saved, Tensors

YIELDS = 10
"""How much nicer than training the writer is: a tenth of its share where both want one core."""


class BackgroundWriter:
    """At most one write in flight; whoever asks for its outcome gets it once, in the thread that asks.

    Attributes:
        may_copy: whether the host has the memory for a copy; None before anybody looked.
    """

    def __init__(self) -> None:
        self.may_copy: bool | None = None
        self._spare: Tensors = {}
        self._preparing: Thread | None = None
        self._thread: Thread | None = None
        self._write: Callable[[], Saved] | None = None
        self._then: Callable[[Saved], None] | None = None
        self._saved: Saved | None = None
        self._error: Exception | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a write is in flight, or its outcome not yet taken."""
        return self._thread is not None

    @property
    def spare(self) -> Tensors:
        """The copy that was written last, or the memory that was prepared: the next one takes it."""
        if self._preparing is not None:
            self._preparing.join()
            self._preparing = None
        return self._spare

    @spare.setter
    def spare(self, copy: Tensors) -> None:
        self._spare = copy

    def prepare(self, make: Callable[[], Tensors]) -> None:
        """Take the memory of the first copy ahead, beside the steps: taking it costs more than the copy."""

        def fill() -> None:
            yield_to_training()
            self._spare = make()

        self._preparing = Thread(target=fill, name="checkpoint memory", daemon=True)
        self._preparing.start()

    def begin(self, write: Callable[[], Saved], then: Callable[[Saved], None]) -> None:
        """Begin to write; `then` is called by `settle` with what came of it.

        Raises:
            ValueError: another write is in flight.
        """
        if self.is_busy:
            raise ValueError("a checkpoint is being written already")
        self._write, self._then = write, then
        self._thread = Thread(target=self._carry_out, name="checkpoint", daemon=True)
        self._thread.start()

    def settle(self, again: Callable[[Callable[[], Saved]], Saved], *, wait: bool) -> None:
        """Take the outcome of the write in flight, where there is one and it is over; `wait` until it is.

        Args:
            again: called with a write that failed: it may try once more, in this thread.

        Raises:
            OSError: as `again`.
        """
        thread, write, then = self._thread, self._write, self._then
        if thread is None or write is None or then is None or (thread.is_alive() and not wait):
            return
        thread.join()
        saved, error = self._saved, self._error
        self._thread = self._write = self._then = self._saved = self._error = None
        if isinstance(error, OSError):
            saved = again(write)
        elif error is not None:
            raise error
        if saved is not None:
            then(saved)

    def _carry_out(self) -> None:
        yield_to_training()
        try:
            self._saved = self._write() if self._write else None
        except Exception as error:  # told by `settle`, in the thread that trains
            self._error = error


def yield_to_training() -> None:
    """Make this thread nicer than the others of the process, where the kernel has priorities of threads."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), min(19, os.nice(0) + YIELDS))
