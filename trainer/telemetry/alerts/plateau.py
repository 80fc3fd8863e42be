"""A loss that no longer falls: the newer half of the run gained nothing that can be told from noise."""

from collections.abc import Sequence
from math import sqrt

from trainer.telemetry.alerts.occasion import Firing, Occasion

BUCKETS = 128  # means of stretches of the run; when all are full, each two become one
ENOUGH = 64
FLAT = 0.01  # of all that was gained so far: less than that, at its most, is nothing
LEVEL_SHARE = 0.2  # of the level counts as gained where it never fell by more
TIMES = 2  # looks in a row, each a tenth of the run later


class PlateauRule:
    """Watches one loss over its whole run, in memory that does not grow with it."""

    __slots__ = ("_count", "_each", "_means", "_name", "_next", "_occasion", "_rows", "_sum")

    def __init__(self, name: str) -> None:
        self._name = name
        self._means: list[float] = []
        self._each = 1  # rows of a bucket
        self._sum, self._count = 0.0, 0
        self._rows, self._next = 0, 4 * ENOUGH
        self._occasion = Occasion(begins=TIMES, ends=TIMES)

    def row(self, step: int, value: float) -> Firing | None:
        """Take one finite value."""
        self._rows += 1
        self._sum += value
        self._count += 1
        if self._count < self._each:
            return None
        self._means.append(self._sum / self._count)
        self._sum, self._count = 0.0, 0
        if len(self._means) == BUCKETS:
            pairs = zip(self._means[::2], self._means[1::2], strict=True)
            self._means = [(a + b) / 2 for a, b in pairs]
            self._each *= 2
        if self._rows < self._next or len(self._means) < ENOUGH:
            return None
        self._next = self._rows + max(self._rows // 10, 1)
        if not self._occasion.fires(is_flat(self._means)):
            return None
        rows = self._rows // 2
        return Firing("plateau", "information", f"{self._name} has not fallen for {rows:,} rows", step)


def is_flat(means: Sequence[float]) -> bool:
    """Whether the newer half of a run gained nothing: no gain beyond two errors, and at most a little."""
    half = means[len(means) // 2 :]
    older, newer = half[: len(half) // 2], half[len(half) // 2 :]
    gain = _mean(older) - _mean(newer)
    error = sqrt(_variance(older) / len(older) + _variance(newer) / len(newer))
    edge = max(len(means) // 32, 1)
    before, now = _mean(means[:edge]), _mean(newer)
    scale = max(before - now, LEVEL_SHARE * abs(now))
    return gain < 2 * error and gain + 2 * error < FLAT * scale


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _variance(values: Sequence[float]) -> float:
    mean = _mean(values)
    return sum((value - mean) ** 2 for value in values) / max(len(values) - 1, 1)
