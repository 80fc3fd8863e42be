"""Checkpoints that are copied away beside the steps: one at a time, and again where that failed."""

from collections import deque
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from threading import Condition, Thread

from trainer.mirror.mirror_places import MirrorPlace
from trainer.run.checkpoints.manifest import verify
from trainer.run.run_errors import CheckpointError


class MirrorCopier:
    """A thread that copies proven checkpoints to one place, and removes there what was let go here."""

    def __init__(self, place: MirrorPlace, checkpoints: Path) -> None:
        self._place, self._folder = place, checkpoints
        self._asked: SimpleQueue[tuple[str, tuple[str, ...]]] = SimpleQueue()
        self._waiting: list[str] = []
        self._sent: set[str] = set()
        self._told: deque[tuple[str, str]] = deque()
        self._last_fault = ""
        self._open, self._change = 0, Condition()
        self._thread: Thread | None = None

    def take(self, name: str, let_go: Collection[str] = ()) -> None:
        """Copy this one, and those that could not be copied before; the retention has `let_go` some here."""
        with self._change:
            self._open += 1
        self._asked.put((name, tuple(let_go)))
        if self._thread is None:
            self._thread = Thread(target=self._work, name="mirror", daemon=True)
            self._thread.start()

    def told(self) -> list[tuple[str, str]]:
        """Return level and text of what there is to say since the last time."""
        return [self._told.popleft() for _ in range(len(self._told))]

    def finish(self, patience_s: float) -> bool:
        """Wait until everything was tried; whether all of it is there."""
        with self._change:
            tried = self._change.wait_for(lambda: not self._open, patience_s)
        return tried and not self._waiting

    def _work(self) -> None:
        while True:
            name, let_go = self._asked.get()
            if name not in self._waiting:
                self._waiting.append(name)
            for gone in let_go:
                self._attempt(f"remove {gone}", partial(self._let_go, gone))
            for one in tuple(self._waiting):
                if self._attempt(f"copy {one}", partial(self._copy, one)):
                    self._waiting.remove(one)
            with self._change:
                self._open -= 1
                self._change.notify_all()

    def _copy(self, name: str) -> None:
        path = self._folder / name
        try:
            verify(path)
        except CheckpointError:
            return  # it was let go meanwhile, or is no checkpoint: then it has no place there either
        self._place.put(path)
        self._sent.add(name)

    def _let_go(self, name: str) -> None:
        if name in self._waiting:
            self._waiting.remove(name)
        if name in self._sent:  # what an earlier process brought there is not ours to judge
            self._place.remove(name)
            self._sent.discard(name)

    def _attempt(self, what: str, act: Callable[[], None]) -> bool:
        try:
            act()
        except Exception as error:  # a store fails in its own ways, and training goes on
            fault = (str(error) or type(error).__name__).splitlines()[0][:300]
            if fault != self._last_fault:
                self._told.append(("warning", f"mirror: cannot {what}: {fault}; tried again at the next one"))
            self._last_fault = fault
            return False
        if self._last_fault:
            self._told.append(("info", "the mirror takes checkpoints again"))
        self._last_fault = ""
        return True
