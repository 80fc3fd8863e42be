"""The least and greatest of any stretch of a long series, without looking at every value of it."""

from array import array
from math import inf

FAN = 16


class Pyramid:
    """Values with, over each FAN of them, their least and greatest, and over each FAN of those, and so on.

    Appending is O(1) amortised; a stretch of n values is answered in O(FAN log n). NaN counts in no stretch.
    Values are kept in single precision, which is finer than any chart.
    """

    __slots__ = ("_high", "_low", "nans", "values")

    def __init__(self) -> None:
        self.values = array("f")
        self.nans = 0
        self._low: list[array[float]] = [array("f")]
        self._high: list[array[float]] = [array("f")]

    def __len__(self) -> int:
        return len(self.values)

    def append(self, value: float) -> None:
        """Add one value; NaN marks a gap."""
        self.values.append(value)
        if value != value:
            self.nans += 1

    def settle(self) -> None:
        """Climb over what came since the last time: many at once cost half of each by itself."""
        for start in range(len(self._low[0]) * FAN, len(self.values) // FAN * FAN, FAN):
            self._raise(0, *self._of_values(start, start + FAN))

    def extend(self, values: "array[float]") -> None:
        """Add many values."""
        for value in values:
            self.append(value)

    def _raise(self, level: int, low: float, high: float) -> None:
        if level == len(self._low):
            self._low.append(array("f"))
            self._high.append(array("f"))
        lows, highs = self._low[level], self._high[level]
        lows.append(low)
        highs.append(high)
        if len(lows) % FAN == 0:
            self._raise(level + 1, min(lows[-FAN:]), max(highs[-FAN:]))

    def truncate(self, count: int) -> None:
        """Keep the first `count` values only."""
        if count >= len(self.values):
            return
        if self.nans:
            self.nans -= sum(1 for value in self.values[count:] if value != value)
        del self.values[count:]
        for lows, highs in zip(self._low, self._high, strict=True):
            count //= FAN
            del lows[count:]
            del highs[count:]

    def _of_values(self, start: int, stop: int) -> tuple[float, float]:
        part = self.values[start:stop]
        if self.nans:
            part = array("f", [value for value in part if value == value])
        return (min(part), max(part)) if part else (inf, -inf)

    def extent(self, start: int, stop: int) -> tuple[float, float] | None:
        """Least and greatest of `values[start:stop]`, or None where it holds no number."""
        start, stop = max(start, 0), min(stop, len(self.values))
        if start >= stop:
            return None
        if len(self.values) // FAN > len(self._low[0]):
            self.settle()
        low, high = self._extent(start, stop)
        return (low, high) if low <= high else None

    def _extent(self, start: int, stop: int) -> tuple[float, float]:
        """Climb while whole groups lie inside; add the loose ends of each level."""
        if stop - start <= 2 * FAN:
            return self._of_values(start, stop)
        first, last = -(-start // FAN), stop // FAN
        low, high = inf, -inf
        for a, b in ((start, first * FAN), (last * FAN, stop)):
            if a < b:
                part_low, part_high = self._of_values(a, b)
                low, high = min(low, part_low), max(high, part_high)
        level = 0
        while first < last:
            lows, highs = self._low[level], self._high[level]
            if last - first <= 2 * FAN or level + 1 == len(self._low):
                return min(low, min(lows[first:last])), max(high, max(highs[first:last]))
            up, down = -(-first // FAN), last // FAN
            for a, b in ((first, up * FAN), (down * FAN, last)):
                if a < b:
                    low, high = min(low, min(lows[a:b])), max(high, max(highs[a:b]))
            first, last, level = up, down, level + 1
        return low, high

    def beyond(self, start: int, stop: int, low: float, high: float) -> tuple[int, int]:
        """How many of `values[start:stop]` lie below `low`, and how many above `high`."""
        self.settle()
        first, last = -(-start // FAN), stop // FAN
        if first >= last:
            return _beyond(self.values[start:stop], low, high)
        below, above = _beyond(self.values[start : first * FAN], low, high)
        lows, highs = self._low[0], self._high[0]
        blocks = (block for block in range(first, last) if lows[block] < low or highs[block] > high)
        parts = [self.values[block * FAN : (block + 1) * FAN] for block in blocks]
        for part in (*parts, self.values[last * FAN : stop]):
            found = _beyond(part, low, high)
            below, above = below + found[0], above + found[1]
        return below, above


def _beyond(part: "array[float]", low: float, high: float) -> tuple[int, int]:
    return sum(value < low for value in part), sum(value > high for value in part)
