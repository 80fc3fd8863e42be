"""A loss that jumps: far above what its newest rows explain, at once or for two rows of three."""

from collections import deque
from statistics import median

from trainer.telemetry.alerts.occasion import Firing, Occasion

WINDOW, ENOUGH, AGAIN = 64, 24, 16  # rows that are looked back on, that make a beginning, between two looks
HUGE, HUGE_SHARE = 25.0, 0.5  # one row: so many deviations, and such a share of the level
LARGE, LARGE_SHARE = 8.0, 0.1  # two rows of three
CALM_ROWS = 16
DRIFT = slice(-16, -2)  # of these rows the highest is no jump yet: a level that drifts up is none
_SIGMA = 1.4826  # deviations of a normal distribution in its median deviation


class SpikeRule:
    """Watches one loss."""

    __slots__ = ("_calm", "_huge", "_large", "_name", "_occasion", "_rows", "_since", "_three", "_watch")

    def __init__(self, name: str) -> None:
        self._name = name
        self._rows: deque[float] = deque(maxlen=WINDOW)
        self._three: deque[bool] = deque(maxlen=3)
        self._occasion = Occasion(ends=CALM_ROWS)
        self._huge = self._large = float("inf")
        self._calm = 0.0
        self._since = 0
        self._watch = float("inf")  # from here on the next row is judged anew

    def row(self, step: int, value: float) -> Firing | None:
        """Take one finite value."""
        if value <= self._watch and not self._three and not self._occasion.is_on:  # nearly every row
            self._rows.append(value)
            self._since += 1
            if self._since >= AGAIN and len(self._rows) >= ENOUGH:
                self._look()
            return None
        level = self._calm
        large, huge = value > self._large, value > self._huge
        self._three.append(large)
        fires = self._occasion.fires(huge or sum(self._three) >= 2, good=not large)
        if not any(self._three):
            self._three.clear()
        self._rows.append(value)
        self._since += 1
        if len(self._rows) >= ENOUGH and (self._since >= AGAIN or (self._watch < value and not large)):
            self._look()
        return Firing("spike", "warning", _message(self._name, value, level), step) if fires else None

    def _look(self) -> None:
        self._since = 0
        level = median(self._rows)
        deviation = _SIGMA * median(abs(value - level) for value in self._rows)
        self._calm = level
        base = max(level, *list(self._rows)[DRIFT])
        self._huge = base + max(HUGE * deviation, HUGE_SHARE * abs(level))
        self._large = base + max(LARGE * deviation, LARGE_SHARE * abs(level))
        self._watch = base + deviation


def _message(name: str, value: float, level: float) -> str:
    return f"{name} jumped to {value:.4g} from about {level:.4g}"
