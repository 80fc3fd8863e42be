"""A series as columns of dots: least to greatest a column, so that no spike is ever hidden."""

from bisect import bisect_left

from tui.store.metrics.series import Series
from tui.widgets.chart.scale import Scale

Column = tuple[int, int]  # indices [start, stop) of the values in one column of dots


def columns(series: Series, low: float, high: float, count: int) -> list[Column]:
    """Cut the steps `[low, high]` into `count` columns of equal width."""
    steps = series.steps
    width = (high - low) / count if high > low else 1.0
    start = bisect_left(steps, low)
    cut = []
    for number in range(1, count + 1):
        edge = low + number * width if number < count else high + 0.5
        stop = bisect_left(steps, edge, start)
        cut.append((start, stop))
        start = stop
    return cut


def visible_extent(series: Series, cut: list[Column]) -> tuple[float, float] | None:
    """Least and greatest value of all columns together."""
    return series.tree.extent(cut[0][0], cut[-1][1]) if cut else None


def gap_columns(series: Series, low: float, high: float, count: int) -> set[int]:
    """Columns in which the run said nan or inf."""
    if not series.gaps:
        return set()
    start, stop = bisect_left(series.gaps, low), bisect_left(series.gaps, high + 0.5)
    width = (high - low) / count if high > low else 1.0
    return {min(int((step - low) / width), count - 1) for step in series.gaps[start:stop]}


def _bar(a: int, b: int) -> int:
    """Dots a..b of one column, in either order."""
    if a > b:
        a, b = b, a
    return ((1 << (b - a + 1)) - 1) << a


class Pen:
    """Draws into columns of dots; dot 0 is the top bit, and values are joined unless the pen is lifted."""

    __slots__ = ("_column", "_dot", "masks")

    def __init__(self, count: int) -> None:
        self.masks = [0] * count
        self._column = -1
        self._dot = 0

    def lift(self) -> None:
        """Do not join the next value with the last one."""
        self._column = -1

    def join(self, column: int, dot: int) -> None:
        """A line from the last place to this one."""
        masks = self.masks
        if self._column < 0:
            masks[column] |= 1 << dot
        elif column == self._column + 1:
            # Half of a rise belongs to each of two neighbours: steep lines keep their weight.
            middle = (self._dot + dot) >> 1
            masks[self._column] |= _bar(self._dot, middle)
            masks[column] |= _bar(middle, dot)
        else:
            rise = (dot - self._dot) / (column - self._column) if column > self._column else 0.0
            before = self._dot
            for between in range(self._column + 1, column + 1):
                here = round(self._dot + rise * (between - self._column))
                masks[between] |= _bar(before, here)
                before = here
        self._column, self._dot = column, dot

    def bar(self, column: int, a: int, b: int) -> None:
        """Everything from a to b in one column."""
        self.masks[column] |= _bar(a, b)

    def rest(self, column: int, dot: int) -> None:
        """Go on from here without drawing."""
        self._column, self._dot = column, dot


def draw_values(series: Series, cut: list[Column], scale: Scale, gaps: set[int]) -> list[int]:
    """The envelope: every column from its least to its greatest, joined with its neighbours."""
    pen = Pen(len(cut))
    values, extent, place = series.tree.values, series.tree.extent, scale.place
    for column, (start, stop) in enumerate(cut):
        if column in gaps:
            pen.lift()
        if start == stop or (found := extent(start, stop)) is None:
            continue
        first, last = values[start], values[stop - 1]
        low, high = place(found[0]), place(found[1])
        pen.join(column, place(first) if first == first else low)
        pen.bar(column, high, low)
        pen.rest(column, place(last) if last == last else low)
        if column in gaps:
            pen.lift()
    return pen.masks


def draw_average(series: Series, cut: list[Column], scale: Scale) -> list[int]:
    """The moving average of each column, as one line."""
    pen = Pen(len(cut))
    for column, (start, stop) in enumerate(cut):
        if start < stop and (mean := series.average_over(start, stop)) == mean:
            pen.join(column, scale.place(mean))
    return pen.masks


_LEFT = tuple(sum((n >> i & 1) << bit for i, bit in enumerate((0, 1, 2, 6))) for n in range(16))
_RIGHT = tuple(sum((n >> i & 1) << bit for i, bit in enumerate((3, 4, 5, 7))) for n in range(16))
# Two nibbles of dots, top dot first, to the braille pattern that shows them.
BRAILLE = tuple(tuple(chr(0x2800 | _LEFT[a] | _RIGHT[b]) for b in range(16)) for a in range(16))
