"""The vertical scale of a chart: values to dots, and where the labels stand."""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, floor, isfinite, log10

LABEL_WIDTH = 6
DECADE_LIMIT = 12  # a log axis never spans more decades than this


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear or logarithmic axis between two values, `dots` dots high; dot 0 is the top.

    On a log axis values at or below zero stand at the bottom.
    """

    low: float
    high: float
    dots: int
    log: bool = False

    def place(self, value: float) -> int:
        """The dot of a value, clipped to the axis."""
        if not self.log:
            return self.placer()(value)
        share = (self._level(value) - self._level(self.low)) / (
            self._level(self.high) - self._level(self.low)
        )
        return min(max(round((1.0 - share) * (self.dots - 1)), 0), self.dots - 1)

    def placer(self) -> Callable[[float], int]:
        """`place` for many values."""
        if self.log:
            return self.place
        high, last = self.high, self.dots - 1
        share = last / (high - self.low)
        return lambda value: min(max(round((high - value) * share), 0), last)

    def value(self, dot: float) -> float:
        """The value at a dot."""
        share = 1.0 - dot / (self.dots - 1)
        level = self._level(self.low) + share * (self._level(self.high) - self._level(self.low))
        return float(10.0**level) if self.log else level

    def _level(self, value: float) -> float:
        return log10(max(value, self.low)) if self.log else value

    def ticks(self, count: int) -> list[float]:
        """About `count` round values on the axis."""
        if self.log and self.high / self.low >= 20:
            first, last = ceil(log10(self.low) - 1e-9), floor(log10(self.high) + 1e-9)
            every = max(1, ceil((last - first + 1) / max(count, 1)))
            return [10.0**power for power in range(first, last + 1, every)]
        step = nice_step((self.high - self.low) / max(count, 1))
        first = ceil(self.low / step - 1e-9)
        last = floor(self.high / step + 1e-9)
        return [index * step for index in range(first, last + 1)]


def nice_step(raw: float) -> float:
    """The smallest of 1, 2, 2.5, 5, 10 times a power of ten that is not below `raw`."""
    if raw <= 0 or not isfinite(raw):
        return 1.0
    power = 10.0 ** floor(log10(raw))
    return next(base * power for base in (1.0, 2.0, 2.5, 5.0, 10.0) if base * power >= raw * (1 - 1e-9))


def fit(low: float, high: float, dots: int, *, log: bool) -> Scale:
    """An axis that shows `[low, high]` with a little air; flat data get some room of their own."""
    if log and high > 0:
        bottom = low if low > 0 else high / 1e4
        bottom = max(bottom, high / 10.0**DECADE_LIMIT)
        if high / bottom < 1.05:
            bottom, high = bottom / 1.3, high * 1.3
        return Scale(bottom / 1.03, high * 1.03, dots, log=True)
    if high - low < 1e-9 * max(abs(high), abs(low), 1e-30):
        room = abs(high) * 0.1 or 1.0
        return Scale(low - room, high + room, dots)
    air = 0.04 * (high - low)
    return Scale(low if low == 0 else low - air, high + air, dots)


def label(value: float) -> str:
    """An axis label of at most `LABEL_WIDTH` characters."""
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 1e10:
        return f"{value:.0e}"
    if size >= 1e6:
        return f"{value / 1e6:.3g}M"
    if size >= 1e4:
        return f"{value / 1e3:.3g}k"
    if size >= 1e-3:
        return f"{value:.3g}"
    fine, coarse = (f"{value:.{digits}e}".replace("e-0", "e-").replace(".0e", "e") for digits in (1, 0))
    return fine if len(fine) <= LABEL_WIDTH else coarse
