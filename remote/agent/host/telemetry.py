"""The verb `telemetry`: how busy the host is. What cannot be read is null, never zero.

Nothing is measured unless somebody asks, at most once a second however many ask, and never by the agent's
loop itself: a driver that hangs must not hold up a stop.
"""

import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from remote.agent.context import Context, Result, Work
from remote.protocol.errors import CallError

T = TypeVar("T")
FRESH_S = 1.0
PATIENCE_S = 5.0
Sample = dict[str, Any]


def telemetry(ctx: Context, _args: Result) -> Work:
    """The verb. Bytes, percent, watts, degrees Celsius; processor use is since this agent's last sample.

    Raises:
        CallError: `timeout`: the host's own readings hang.
    """
    sampler = ctx.sampler
    if sampler is None:
        sampler = ctx.sampler = Sampler(lambda: sample(ctx.home.root))
    return (yield from sampler.take())


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

    def take(self) -> Work:
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


def sample(root: Path) -> Sample:
    """Everything that can be read now."""
    import psutil

    memory = known(psutil.virtual_memory)
    disk = known(lambda: psutil.disk_usage(str(root)))
    return {
        "cpu_percent": known(_PROCESSOR.percent),
        "cpu_count": os.cpu_count(),
        "load": known(lambda: list(os.getloadavg())),
        "mem_total": memory.total if memory else None,
        "mem_used": memory.total - memory.available if memory else None,
        "pressure": pressure(),
        "disk_total": disk.total if disk else None,
        "disk_free": disk.free if disk else None,
        "gpus": accelerators(),
    }


def known(read: Callable[[], T]) -> T | None:
    """A reading, or None where the host has no such thing."""
    import psutil

    try:
        return read()
    except (OSError, psutil.Error, AttributeError, NotImplementedError, ValueError):
        return None


def accelerators(platform: str = sys.platform) -> list[dict[str, Any]] | None:
    """One entry a device; None where there is no way to ask."""
    if platform == "darwin":
        from remote.readings import apple

        return apple.accelerators()
    from remote.readings.nvidia import gpus

    return gpus()


def pressure(platform: str = sys.platform, stalls: Path = Path("/proc/pressure/memory")) -> Sample:
    """How tight memory is: macOS by its own level, Linux by the share of time that tasks waited for it."""
    if platform == "darwin":
        from remote.readings import apple

        return apple.pressure()
    import psutil

    swap = known(psutil.swap_memory)
    return {
        "level": None,
        "stalled_percent": known(lambda: parse_stalls(stalls.read_text())),
        "swap_used": swap.used if swap else None,
        "compressed": None,
        "wired": None,
    }


def parse_stalls(text: str) -> float:
    """The 10 s average of `some` in Linux's `/proc/pressure/memory`, percent.

    Raises:
        ValueError: that is no such table.
    """
    for row in text.splitlines():
        words = dict(pair.split("=", 1) for pair in row.split()[1:] if "=" in pair)
        if row.startswith("some ") and "avg10" in words:
            return float(words["avg10"])
    raise ValueError("no row of the kind 'some'")


class _Processor:
    """Use of all processors since the last look; None at the first, which has nothing to compare with."""

    def __init__(self) -> None:
        self._before: tuple[float, float] | None = None

    def percent(self) -> float | None:
        import psutil

        times = psutil.cpu_times()
        total = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
        idle = times.idle + getattr(times, "iowait", 0.0)
        before, self._before = self._before, (total, idle)
        if before is None or total <= before[0]:
            return None
        return round(100.0 * (1.0 - (idle - before[1]) / (total - before[0])), 1)


_PROCESSOR = _Processor()


def _children_s() -> float:
    times = os.times()
    return times.children_user + times.children_system
