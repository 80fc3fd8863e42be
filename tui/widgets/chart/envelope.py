"""A series as columns of dots: least to greatest a column, so that no spike is ever hidden."""

from bisect import bisect_left

from tui.store.metrics.axis import BY_STEP, Axis
from tui.store.metrics.chart_window import Extent
from tui.store.metrics.series import Series
from tui.widgets.chart.scale import Scale

Column = tuple[int, int]  # indices [start, stop) of the values in one column of dots
CROWDED = 32  # rows a column, from which on an envelope of noise is a wall


def columns(series: Series, low: float, high: float, count: int, axis: Axis = BY_STEP) -> list[Column]:
    """Cut `[low, high]` of the axis into `count` columns of equal width."""
    steps, step_at = series.steps, axis.step_at
    width = (high - low) / count if high > low else 1.0
    start = bisect_left(steps, step_at(low))
    end = _past(series, high, axis)
    cut = []
    for number in range(1, count + 1):
        stop = (
            bisect_left(steps, step_at(low + number * width), start, max(end, start))
            if number < count
            else end
        )
        cut.append((start, max(stop, start)))
        start = max(stop, start)
    return cut


def _past(series: Series, high: float, axis: Axis) -> int:
    """The index after the last value that lies at `high` or before it."""
    end = bisect_left(series.steps, axis.step_at(high))
    while end < len(series.steps) and axis.place(series.steps[end]) <= high:
        end += 1
    return end


def extents(series: Series, cut: list[Column]) -> list[Extent | None]:
    """Least and greatest of each column."""
    extent = series.tree.extent
    return [extent(start, stop) if start < stop else None for start, stop in cut]


def gap_columns(series: Series, low: float, high: float, count: int, axis: Axis = BY_STEP) -> set[int]:
    """Columns in which the run said nan or inf."""
    if not series.gaps:
        return set()
    width = (high - low) / count if high > low else 1.0
    places = (axis.place(step) for step in series.gaps)
    return {min(int((place - low) / width), count - 1) for place in places if low <= place <= high}


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


def draw_values(
    series: Series, cut: list[Column], found_in: list[Extent | None], scale: Scale, gaps: set[int]
) -> list[int]:
    """The envelope: every column from its least to its greatest (`found_in`), joined with its neighbours."""
    pen = Pen(len(cut))
    values, place = series.tree.values, scale.placer()
    for column, ((start, stop), found) in enumerate(zip(cut, found_in, strict=True)):
        if column in gaps:
            pen.lift()
        if found is None:
            continue
        first, last = values[start], values[stop - 1]
        low, high = place(found[0]), place(found[1])
        pen.join(column, place(first) if first == first else low)
        pen.bar(column, high, low)
        pen.rest(column, place(last) if last == last else low)
        if column in gaps:
            pen.lift()
    return pen.masks


def draw_mean(series: Series, cut: list[Column], scale: Scale, width: int, gaps: set[int]) -> list[int]:
    """The moving mean: every column from the least to the greatest that it has there, joined."""
    pen = Pen(len(cut))
    found = series.sums.moving(series.tree.values, cut[0][0], cut[-1][1], width)
    place, at = scale.placer(), 0
    for column, (start, stop) in enumerate(cut):
        first = at
        while at < len(found) and found[at][0] < stop:
            at += 1
        if column in gaps and series.tree.extent(start, stop) is None:
            pen.lift()  # nothing but gaps: no mean goes on over them
        elif first < at:
            means = [mean for _, mean in found[first:at]]
            pen.join(column, place(means[0]))
            pen.bar(column, place(max(means)), place(min(means)))
            pen.rest(column, place(means[-1]))
    return pen.masks


def draw_middle(series: Series, cut: list[Column], scale: Scale) -> list[int]:
    """Where the middle half of the rows of each crowded column lies; 0 where a column holds few."""
    masks, place = [], scale.placer()
    for start, stop in cut:
        crowded = stop - start >= CROWDED
        found = series.quartiles.band(series.tree.values, start, stop) if crowded else None
        masks.append(_bar(place(found[1]), place(found[0])) if found is not None else 0)
    return masks


_LEFT = tuple(sum((n >> i & 1) << bit for i, bit in enumerate((0, 1, 2, 6))) for n in range(16))
_RIGHT = tuple(sum((n >> i & 1) << bit for i, bit in enumerate((3, 4, 5, 7))) for n in range(16))
# Two nibbles of dots, top dot first, to the braille pattern that shows them.
BRAILLE = tuple(tuple(chr(0x2800 | _LEFT[a] | _RIGHT[b]) for b in range(16)) for a in range(16))
