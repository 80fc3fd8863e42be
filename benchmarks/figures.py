"""What a benchmark reports: medians with their unit, beside an aim and, where there is one, a baseline."""

import json
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Figure:
    """One measured number.

    Attributes:
        aim: what the design asks for, in the same unit; None where it asks for nothing.
        less_is_better: which side of the aim is good.
        baseline: name of what `ratio` compares with, measured in the same run.
    """

    what: str
    value: float
    unit: str
    aim: float | None = None
    less_is_better: bool = True
    n: int = 1
    baseline: str = ""
    ratio: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the aim is met; None without one."""
        if self.aim is None:
            return None
        return self.value <= self.aim if self.less_is_better else self.value >= self.aim


def median_seconds(act: Callable[[], object], repeats: int) -> float:
    """Median wall time of `act()`."""
    return statistics.median(seconds(act) for _ in range(repeats))


def seconds(act: Callable[[], object]) -> float:
    """Wall time of one `act()`."""
    begin = time.perf_counter()
    act()
    return time.perf_counter() - begin


def cpu_seconds(act: Callable[[], object]) -> float:
    """CPU time of one `act()` over all threads: it tells little of a neighbour's load."""
    begin = time.process_time()
    act()
    return time.process_time() - begin


def report(figures: Iterable[Figure]) -> None:
    """One JSON object a figure on stdout: what `python -m benchmarks` collects."""
    for figure in figures:
        sys.stdout.write(json.dumps(asdict(figure)) + "\n")
    sys.stdout.flush()
