"""A held-out loss that rises: its newest scores stand above its best ones by more than they scatter."""

from collections import deque
from collections.abc import Sequence
from math import inf, sqrt
from statistics import median

from trainer.telemetry.alerts.occasion import Firing, Occasion

NEWEST = 5  # scores whose median is compared
ENOUGH = 12
DEVIATIONS, SHARE = 6.0, 0.01  # above the best such median: of the scatter, and of the level
BEFORE = 32  # scores before the newest, whose scatter about a straight line is what chance does


class RisingRule:
    """Watches one held-out loss."""

    __slots__ = ("_before", "_best", "_best_step", "_count", "_name", "_newest", "_occasion")

    def __init__(self, name: str) -> None:
        self._name = name
        self._newest: deque[float] = deque(maxlen=NEWEST)
        self._before: deque[float] = deque(maxlen=BEFORE)
        self._best, self._best_step = inf, 0
        self._count = 0
        self._occasion = Occasion(ends=2)

    def row(self, step: int, value: float) -> Firing | None:
        """Take one finite score."""
        self._count += 1
        if len(self._newest) == NEWEST:
            self._before.append(self._newest[0])
        self._newest.append(value)
        if len(self._newest) < NEWEST:
            return None
        middle = median(self._newest)
        if middle < self._best:
            self._best, self._best_step = middle, step
        if self._count < ENOUGH or middle <= self._best + SHARE * abs(self._best):
            self._occasion.fires(False)
            return None
        room = max(DEVIATIONS * scatter(self._before), SHARE * abs(self._best))
        rises = middle > self._best + room
        if not self._occasion.fires(rises, good=middle <= self._best + room / 2):
            return None
        message = f"{self._name} rises: {middle:.4g}, it was {self._best:.4g} at step {self._best_step:,}"
        return Firing("rising", "warning", message, step)


def scatter(values: Sequence[float]) -> float:
    """The deviation of values about the straight line through them; 0 for fewer than three."""
    count = len(values)
    if count < 3:
        return 0.0
    centre, mean = (count - 1) / 2, sum(values) / count
    spread = sum((place - centre) ** 2 for place in range(count))
    slope = sum((place - centre) * value for place, value in enumerate(values)) / spread
    rest = sum((value - mean - slope * (place - centre)) ** 2 for place, value in enumerate(values))
    return sqrt(rest / (count - 2))
