"""Means of any stretch of a long series, each from the values of that stretch alone."""

from array import array

from tui.store.metrics.pyramid import FAN

FINE = 16 * FAN  # rows: a shorter window is summed value by value
PARTS = 16  # a window is moved by a sixteenth of itself at most


class Sums:
    """Sums and numbers of finite values over FAN rows, over two such, over four, and so on.

    No sum from the beginning on: after one value of 1e30 its differences would be noise.
    """

    __slots__ = ("_counts", "_has_gaps", "_totals")

    def __init__(self) -> None:
        self._totals: list[array[float]] = [array("d")]
        self._counts: list[array[int]] = [array("I")]
        self._has_gaps = False

    def __len__(self) -> int:
        return len(self._totals[0])

    def add(self, block: "array[float]") -> None:
        """The next FAN values."""
        total = sum(block)
        count = len(block)
        if total != total:
            kept = [value for value in block if value == value]
            total, count = sum(kept), len(kept)
            self._has_gaps = True
        level = 0
        while True:
            totals, counts = self._totals[level], self._counts[level]
            totals.append(total)
            counts.append(count)
            if len(totals) % 2:
                return
            total, count = totals[-2] + totals[-1], counts[-2] + counts[-1]
            level += 1
            if level == len(self._totals):
                self._totals.append(array("d"))
                self._counts.append(array("I"))

    def truncate(self, count: int) -> None:
        """Keep what the first `count` values made."""
        count //= FAN
        for totals, counts in zip(self._totals, self._counts, strict=True):
            del totals[count:]
            del counts[count:]
            count //= 2

    def mean(self, values: "array[float]", start: int, stop: int) -> float:
        """The mean of `values[start:stop]`, NaN where it holds no number."""
        start, stop = max(start, 0), min(stop, len(values))
        first, last = -(-start // FAN), stop // FAN
        if first >= last:
            return _mean(values[start:stop])
        ends = [
            value for value in (*values[start : first * FAN], *values[last * FAN : stop]) if value == value
        ]
        total, count, level = sum(ends), len(ends), 0
        while first < last:
            totals, counts = self._totals[level], self._counts[level]
            if first % 2:
                total, count, first = total + totals[first], count + counts[first], first + 1
            if last % 2:
                last -= 1
                total, count = total + totals[last], count + counts[last]
            first, last, level = first // 2, last // 2, level + 1
        return total / count if count else float("nan")

    def moving(self, values: "array[float]", start: int, stop: int, width: int) -> list[tuple[int, float]]:
        """Means of `width` values about rows of `[start, stop)`, at most a sixteenth of that apart.

        At both ends of the series a window holds what there is. Without a number in it it is left out.

        Args:
            width: as `window` gave it.
        """
        if start >= stop:
            return []
        half = width // 2
        if width < FINE:
            rows = [*range(start, stop, max(width // PARTS, 1)), stop - 1]
            means = [_mean(values[max(row - half, 0) : row - half + width]) for row in rows]
            return [(row, mean) for row, mean in zip(rows, means, strict=True) if mean == mean]
        level = min(_level(width)[0], len(self._totals) - 1)
        unit, totals, counts = FAN << level, self._totals[level], self._counts[level]
        parts = width // unit
        # Windows that begin with a block are sums of blocks; the others, at the ends, are summed one by one.
        first = max(-(-(start - half) // unit), 0)
        last = max(min((stop - 1 - half) // unit, len(totals) - parts) + 1, first)
        sums = [sum(totals[begin : begin + parts]) for begin in range(first, last)]
        numbers = [width] * len(sums)
        if self._has_gaps:
            numbers = [sum(counts[begin : begin + parts]) for begin in range(first, last)]
        inner = zip(range(first * unit + half, last * unit + half, unit), sums, numbers, strict=True)
        left, right = range(start, min(first * unit + half, stop), unit), max(last * unit + half, start)
        ends = (*left, *range(right, stop, unit))
        found = [(row, total / count) for row, total, count in inner if count]
        found += [
            (row, mean) for row in (*ends, stop - 1) if (mean := self.around(values, row, width)) == mean
        ]
        return sorted(found)

    def around(self, values: "array[float]", row: int, width: int) -> float:
        """The mean of `width` values about one row, fewer at the ends of the series."""
        return self.mean(values, row - width // 2, row - width // 2 + width)


def window(rows: int, share: float) -> int:
    """The width of a moving mean over so many rows, in rows: that share, a little less; 1 is none."""
    width = int(rows * share)
    if width < FINE:
        return max(width, 1)
    _, unit = _level(width)
    return width // unit * unit


def _level(width: int) -> tuple[int, int]:
    """The level whose blocks are a sixteenth of a window, or a little less; and their rows."""
    level = (width // (PARTS * FAN)).bit_length() - 1
    return level, FAN << level


def _mean(part: "array[float]") -> float:
    total = sum(part)
    if total == total and part:
        return total / len(part)
    kept = [value for value in part if value == value]
    return sum(kept) / len(kept) if kept else float("nan")
