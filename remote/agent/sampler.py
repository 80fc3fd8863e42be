"""Samples of the host's readings, taken beside the agent's loop."""

import os
import threading
import time
from collections.abc import Callable

from remote.agent.verb import Work
from remote.protocol.errors import CallError
from remote.readings.machine import Sample

FRESH_S = 1.0


PATIENCE_S = 5.0


class Sampler:
    """Samples on a thread of its own, one at a time, and keeps the last for a second."""

    def __init__(
        self,
        read: Callable[[], Sample],
        clock: Callable[[], float] = time.monotonic,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._read, self._clock, self._patience_s = read, clock, patience_s
        self._at = -FRESH_S
        self._last: Sample = {}
        self._thread: threading.Thread | None = None
        self.taken = 0

    def take(self) -> Work[Sample]:
        """The newest sample, taken now if the last is a second old.

        Raises:
            CallError: `timeout`.
        """
        asked = self._clock()
        if not self._last or asked - self._at >= FRESH_S:
            thread = self._thread
            if thread is None or not thread.is_alive():
                thread = self._thread = threading.Thread(target=self._measure, name="telemetry", daemon=True)
                thread.start()
            while thread.is_alive():
                if self._clock() - asked > self._patience_s:
                    raise CallError(
                        "timeout",
                        f"the host's own readings took longer than {self._patience_s:g} s",
                        "on the host, see whether nvidia-smi or ioreg answers",
                    )
                yield
        return dict(self._last)

    def _measure(self) -> None:
        began, own, children = self._clock(), time.thread_time(), _children_s()
        values = self._read()
        # A child's time is known only once it was reaped; another child of the agent may have been, too.
        spent = min(_children_s() - children, max(0.0, self._clock() - began))
        self._last = {**values, "cost_ms": round(1000 * (time.thread_time() - own + spent), 3)}
        self._at = self._clock()
        self.taken += 1


def _children_s() -> float:
    times = os.times()
    return times.children_user + times.children_system
