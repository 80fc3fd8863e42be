"""How far a transfer has come: counted by many threads, told by one."""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

WINDOW_S = 5.0


@dataclass(frozen=True, slots=True)
class TransferProgress:
    """A reading. `rate` is bytes a second over the last few seconds; `eta_s` is None where it is unknown."""

    done: int
    total: int
    sent: int
    rate: float
    eta_s: float | None
    what: str = ""


class ByteMeter:
    """Counts bytes.

    Attributes:
        done: of the total, here and proven or here in part. sent: that came over the link, resumed ones not.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: deque[tuple[float, int]] = deque()
        self.total = self.done = self.sent = 0
        self.what = ""

    def expect(self, total: int, done: int) -> None:
        """More is to come, `done` of it is here already."""
        with self._lock:
            self.total += total
            self.done += done

    def arrived(self, count: int) -> None:
        """Bytes came over the link."""
        with self._lock:
            self.sent += count
            self.done += count

    def lost(self, count: int) -> None:
        """Bytes that were counted as done are no good."""
        with self._lock:
            self.done -= count

    def reading(self) -> TransferProgress:
        """Where it stands now."""
        now = self._clock()
        with self._lock:
            self._seen.append((now, self.sent))
            while len(self._seen) > 2 and now - self._seen[0][0] > WINDOW_S:
                self._seen.popleft()
            (then, before), left = self._seen[0], self.total - self.done
            rate = (self.sent - before) / (now - then) if now > then else 0.0
            return TransferProgress(
                self.done, self.total, self.sent, rate, left / rate if rate else None, self.what
            )
