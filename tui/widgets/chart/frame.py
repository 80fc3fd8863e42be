"""One frame of a chart: series, zones and floors in, lines of styled text out."""

from math import inf

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui.store.metrics.chart_window import Extent
from tui.store.metrics.sums import window
from tui.store.words import count, duration
from tui.theme import FAINT, hue
from tui.widgets.chart import envelope
from tui.widgets.chart.chart_title import NOTHING, PlotFacts, title
from tui.widgets.chart.curves import Curves
from tui.widgets.chart.grid import Grid, Place, Ruler
from tui.widgets.chart.look import SHARES, ChartLook, View
from tui.widgets.chart.robust_range import robust_range
from tui.widgets.chart.scale import Scale, fit, label

GUTTER = 7
LEGEND = 13
WIDE = 46  # from this width on there is room for a legend at the right
LEAST_MEAN = 8  # rows
AS_AT_FIRST = View()


def extent_of(shown: Curves, look: ChartLook) -> Extent:
    """How far the axis reaches: that of all charts together, else of the series; (0, 0) without values."""
    if look.extent is not None:
        return look.extent
    steps = shown.series.steps
    return (shown.axis.place(steps[0]), shown.axis.place(steps[-1])) if len(steps) else (0.0, 0.0)


def plot_place(look: ChartLook, width: int, height: int) -> Place:
    """The cells of the plot in a chart of this size."""
    wants = bool(look.legend or look.zones or look.floors) and width >= WIDE
    legend = LEGEND if wants else 0
    return Place(width - GUTTER - legend, height - 2, legend)


def ruler_of(shown: Curves, look: ChartLook, view: View, width: int) -> Ruler:
    """The axis along the plot of a chart that wide."""
    low, high = view.window.bounds(extent_of(shown, look))
    return Ruler(shown.axis, low, high, max(plot_place(look, width, 3).columns, 1))


def draw(
    shown: Curves, look: ChartLook, width: int, height: int, *, focused: bool, view: View = AS_AT_FIRST
) -> list[Strip]:
    """Draw a whole chart: a title, the plot, and its axis below it.

    Args:
        shown: the series; sparse values (evaluations) are diamonds, a second series circles.
        look: titles and backdrop.
        width, height: cells, the title and the axis included.
        focused: whether the keyboard acts on this chart.
        view: which stretch, how smooth, where the cursor is.
    """
    is_drawn = height >= 4 and width > GUTTER + 8
    plot = Plot(shown, look, view, width, height) if is_drawn and len(shown.series) else None
    lines = [title(shown, look, view, width, focused, plot.facts if plot else NOTHING)]
    if is_drawn:
        lines += plot.lines() if plot else _nothing(width, height - 1)
    lines += [Strip.blank(width)] * (height - len(lines))
    return lines[:height]


class Plot:
    """The plot of one frame.

    Attributes:
        facts: what the title says of it.
    """

    def __init__(self, shown: Curves, look: ChartLook, view: View, width: int, height: int) -> None:
        self._shown, self._look, self._view, self._width = shown, look, view, width
        self._place = plot_place(look, width, height)
        self._ruler = ruler_of(shown, look, view, width)
        series, ruler = shown.series, self._ruler
        self._cut = envelope.columns(series, ruler.low, ruler.high, 2 * self._place.columns, shown.axis)
        self._extents = envelope.extents(series, self._cut)
        self._scale = self._fitted()
        rows = self._cut[-1][1] - self._cut[0][0]
        share = SHARES[view.smoothing]
        is_smooth = bool(share) and rows > self._place.columns
        self.facts = PlotFacts(
            rows, max(window(rows, share), LEAST_MEAN) if is_smooth else 0, *self._outside()
        )

    def _fitted(self) -> Scale:
        """The axis of values: of what is shown, without the few far out of all others where that is asked."""
        shown, look, ruler = self._shown, self._look, self._ruler
        found = [extent for extent in self._extents if extent is not None]
        if found and self._view.robust and not self._view.log:
            values = [*robust_range(found), *look.include]
        elif found:
            values = [min(low for low, _ in found), max(high for _, high in found), *look.include]
        else:
            values = [0.0, 1.0, *look.include]
        values += (floor.value for floor in look.floors)
        for other in (shown.marks, shown.overlay):
            if other is not None and len(other):
                values += other.tree.extent(*ruler.span(other)) or ()
        return fit(min(values), max(values), 4 * self._place.rows, log=self._view.log)

    def _outside(self) -> tuple[int, int]:
        """How many values lie below the axis, and how many above."""
        below = above = 0
        low, high = self._scale.low, self._scale.high
        if self._scale.log:
            return 0, 0  # what is at or below zero stands at its foot
        for (start, stop), extent in zip(self._cut, self._extents, strict=True):
            if extent is not None and (extent[0] < low or extent[1] > high):
                found = self._shown.series.tree.beyond(start, stop, low, high)
                below, above = below + found[0], above + found[1]
        return below, above

    def lines(self) -> list[Strip]:
        """The rows of the plot, and the axis."""
        series, ruler, place, scale = self._shown.series, self._ruler, self._place, self._scale
        gaps = envelope.gap_columns(series, ruler.low, ruler.high, 2 * place.columns, ruler.axis)
        values = envelope.draw_values(series, self._cut, self._extents, scale, gaps)
        nothing = [0] * len(self._cut)
        mean = self.facts.mean
        means = envelope.draw_mean(series, self._cut, scale, mean, gaps) if mean else nothing
        middles = envelope.draw_middle(series, self._cut, scale) if mean else nothing
        grid = Grid(place, scale, self._look)
        grid.curve(values, middles, means)
        grid.floor_names()
        grid.overlay(self._shown.overlay, ruler)
        grid.marks(self._shown.marks, ruler)
        grid.upright(self._view.begun, ruler, "┊")
        grid.upright(self._view.cursor, ruler, "│")
        grid.gaps(gaps)
        if self.facts.below or self.facts.above:
            grid.outside(self._extents)
        grid.picked(self._view.picked, ruler)
        left, right = _left_labels(scale, place.rows), _right_labels(self._look, scale, place)
        return [grid.line(row, left[row], right[row]) for row in range(place.rows)] + [
            _axis_line(ruler, self._width, place, self._look.axis)
        ]


def _nothing(width: int, height: int) -> list[Strip]:
    text = "no values yet"
    lines = [Strip.blank(width)] * height
    lines[height // 2] = Strip(
        [Segment(" " * max((width - len(text)) // 2, 0)), Segment(text, FAINT)]
    ).adjust_cell_length(width)
    return lines


def _left_labels(scale: Scale, rows: int) -> list[str]:
    """The values at round places of the axis."""
    labels = [" " * (GUTTER - 1) + "│"] * rows
    for tick in scale.ticks(max(2, round(rows / 2.5))):
        row = scale.place(tick) // 4
        labels[row] = f"{label(tick):>{GUTTER - 1}}┤"
    return labels


def _right_labels(look: ChartLook, scale: Scale, place: Place) -> list[tuple[str, Style]]:
    """Names of floors at their lines, and of zones in the middle of what is seen of them."""
    names: list[tuple[str, Style]] = [("", FAINT)] * place.rows
    for zone in look.zones:
        top = scale.place(min(zone.high, scale.high)) if zone.high < inf else 0
        foot = scale.place(max(zone.low, scale.low)) if zone.low > -inf else scale.dots - 1
        if zone.low < scale.high and zone.high > scale.low and foot - top >= 2:
            names[min((top + foot) // 8, place.rows - 1)] = (
                f" {zone.label}"[: place.legend],
                hue(zone.colour),
            )
    for floor in look.floors:
        row = scale.place(floor.value) // 4
        names[row] = (f" {floor.label} {floor.value:.3g}"[: place.legend], hue("amber"))
    return names


def _step(step: float) -> str:
    return f"{step:,.0f}"


def _time(seconds: float) -> str:
    return duration(seconds) if seconds else "0"


def _axis_line(ruler: Ruler, width: int, place: Place, axis: str) -> Strip:
    """The axis below the plot: its first, middle and last place shown."""
    said = {"step": _step, "time": _time, "tokens": count}[ruler.axis.along]
    word = axis if ruler.axis.along == "step" else ruler.axis.along
    first, last = said(ruler.low), f"{word} {said(ruler.high)}"
    middle = said((ruler.low + ruler.high) / 2) if place.columns > 36 else ""
    room = place.columns - len(first) - len(last) - len(middle)
    half = max(place.columns // 2 - len(first) - len(middle) // 2, 1)
    text = first + " " * half + middle + " " * max(room - half, 1) + last
    return Strip([Segment(" " * GUTTER), Segment(text[: place.columns], FAINT)]).adjust_cell_length(width)
