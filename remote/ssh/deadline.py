"""How long an attempt may still take, and whether anybody waits for it."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

from remote.transport.base import ConnectAttempt

POLL_S = 0.05
PERSON_S = 1.5


class Deadline:
    """The end of one dial, on the monotonic clock."""

    def __init__(self, dial: ConnectAttempt) -> None:
        self._dial = dial
        self._end = time.monotonic() + dial.deadline_s
        self.stage = ""

    @property
    def is_over(self) -> bool:
        """Whether no time is left."""
        return time.monotonic() >= self._end

    def begin(self, stage: str) -> None:
        """A new stage begins, and is told.

        Raises:
            OSError: see `left`.
        """
        self.stage = stage
        self.left()
        self._dial.say(stage)

    @contextlib.contextmanager
    def telling(self, text: str) -> Iterator[None]:
        """What goes on in here may wait for a person: if it takes long, they are told what for."""
        timer = threading.Timer(PERSON_S, lambda: self._dial.say(f"{self.stage} ({text})"))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def left(self) -> float:
        """Seconds that are left, more than 0.

        Raises:
            OSError: none are, or nobody waits any more.
        """
        if self._dial.gave_up.is_set():
            raise OSError("given up")
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"no answer in {self._dial.deadline_s:.3g} s (at {self.stage or 'the start'})")
        return left

    def wait(self, event: threading.Event, over: Callable[[], bool] = lambda: False) -> None:
        """Wait for `event`, or until `over` says that it will not come.

        Raises:
            OSError: see `left`.
        """
        while not event.wait(min(POLL_S, self.left())):
            if over():
                return
