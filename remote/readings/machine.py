"""Processor, memory, disk and accelerators of this machine. What cannot be read is null, never zero."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")


Sample = dict[str, Any]


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
