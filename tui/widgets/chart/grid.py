"""The cells of a plot, layer over layer, and the lines that are made of them."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from trainer.telemetry.bands import Colour
from tui.store.metrics.axis import Axis
from tui.store.metrics.chart_window import Extent
from tui.store.metrics.series import Series
from tui.theme import CHOSEN, DIM, FAINT, TINTS, hue, under
from tui.widgets.chart import envelope
from tui.widgets.chart.look import ChartLook
from tui.widgets.chart.scale import Scale

Cell = tuple[str, Style | None, Colour | None]
OVERLAY, OVERLAY_EVERY = "○", 4


MEAN = Style(color="#ffffff")
PICKED = Style(bgcolor=CHOSEN)


@dataclass(frozen=True, slots=True)
class Ruler:
    """The axis along a plot: what lies in which column of cells."""

    axis: Axis
    low: float
    high: float
    columns: int

    def column_of(self, place: float) -> int:
        """The column of a place on the axis, the nearest one outside of it."""
        share = (place - self.low) / (self.high - self.low) if self.high > self.low else 0.0
        return min(max(int(share * self.columns), 0), self.columns - 1)

    def column(self, step: float) -> int | None:
        """The column of a step; None where it is not shown."""
        place = self.axis.place(step)
        return self.column_of(place) if self.low <= place <= self.high else None

    def place(self, column: float) -> float:
        """What lies so many columns from the left."""
        return self.low + (self.high - self.low) * column / self.columns

    def step(self, column: float) -> float:
        """The step that lies there."""
        return self.axis.step_at(self.place(column))

    def span(self, series: Series) -> tuple[int, int]:
        """Indices [start, stop) of what may be shown of a series."""
        start = series.index_at(self.axis.step_at(self.low))
        stop = series.index_at(self.axis.step_at(self.high))
        return start or 0, len(series) if stop is None else min(stop + 2, len(series))


@dataclass(frozen=True, slots=True)
class Place:
    """The cells of the plot itself: columns, rows, and the room for names at its right."""

    columns: int
    rows: int
    legend: int


class Grid:
    """The cells of a plot, layer over layer: zones, floors, curve, marks."""

    def __init__(self, place: Place, scale: Scale, look: ChartLook) -> None:
        self._place = place
        self._scale = scale
        self._look = look
        self._cells: list[list[Cell]] = [self._backdrop(row) for row in range(place.rows)]

    def _backdrop(self, row: int) -> list[Cell]:
        """An empty row: the zone that it lies in, and a floor where one passes."""
        middle = self._scale.value(min(4 * row + 1.5, self._scale.dots - 1))
        tint = next((zone.colour for zone in self._look.zones if zone.low <= middle < zone.high), None)
        on_floor = any(self._scale.place(floor.value) // 4 == row for floor in self._look.floors)
        cell: Cell = ("╌", hue("amber") + Style(dim=True), tint) if on_floor else (" ", None, tint)
        return [cell] * self._place.columns

    def curve(self, values: list[int], middles: list[int], means: list[int]) -> None:
        """The values, dim where the middle half of a crowd stands out; the moving mean over them in white."""
        main, beneath = hue(self._look.colour), Style(color=under(self._look.colour))
        braille, crowded = envelope.BRAILLE, any(middles)
        for row, cells in enumerate(self._cells):
            shift = 4 * row
            for column in range(self._place.columns):
                left, right = 2 * column, 2 * column + 1
                a, b = values[left] >> shift & 15, values[right] >> shift & 15
                mean_a, mean_b = means[left] >> shift & 15, means[right] >> shift & 15
                if mean_a or mean_b:
                    if a & b == 15:  # in a wall a line is what is left of it
                        a = b = 0
                    cells[column] = (braille[a | mean_a][b | mean_b], MEAN, cells[column][2])
                elif a or b:
                    inner = not crowded or (middles[left] | middles[right]) >> shift & 15
                    cells[column] = (braille[a][b], main if inner else beneath, cells[column][2])

    def floor_names(self) -> None:
        """Where there is no room for a legend a floor's name stands in its line."""
        if self._place.legend:
            return
        for floor in self._look.floors:
            row, text = self._scale.place(floor.value) // 4, f" {floor.label} {floor.value:.3g} "
            free = "".join(" " if cell[0] in " ╌" else "x" for cell in self._cells[row])
            start = free.rfind(" " * (len(text) + 1))  # as far right as the curve leaves room
            for offset, sign in enumerate(text if start >= 0 else ""):
                self._put(row, start + offset, sign, hue("amber"))

    def marks(self, marks: Series | None, ruler: Ruler) -> None:
        """Sparse values as diamonds."""
        if marks is None or not len(marks):
            return
        start, stop = ruler.span(marks)
        for step, value in zip(marks.steps[start:stop], marks.tree.values[start:stop], strict=True):
            column = ruler.column(step)
            if value == value and column is not None:
                self._put(self._scale.place(value) // 4, column, "◆", hue("violet"))

    def overlay(self, other: Series | None, ruler: Ruler) -> None:
        """A second series as circles with room between, so that the curve shows where they agree."""
        if other is None or not len(other) or ruler.high <= ruler.low:
            return
        for column in range(OVERLAY_EVERY // 2, self._place.columns, OVERLAY_EVERY):
            index = other.index_at(ruler.step(column + 0.5))
            value = other.tree.values[index] if index is not None else float("nan")
            if value == value:
                self._put(self._scale.place(value) // 4, column, OVERLAY, hue("amber"))

    def upright(self, step: int | None, ruler: Ruler, sign: str) -> None:
        """A line at a step, behind the curve."""
        column = ruler.column(step) if step is not None else None
        if column is None:
            return
        for row, cells in enumerate(self._cells):
            if cells[column][0] in " ╌":
                self._put(row, column, sign, DIM)

    def picked(self, extent: Extent | None, ruler: Ruler) -> None:
        """The stretch over which the mouse is drawn, on a ground of its own."""
        if extent is None:
            return
        first, last = sorted(ruler.column_of(place) for place in extent)
        for cells in self._cells:
            for column in range(first, last + 1):
                sign, style, _ = cells[column]
                cells[column] = (sign, (style or DIM) + PICKED, None)

    def gaps(self, columns: set[int]) -> None:
        """A cross at the foot of each column in which a value was not finite."""
        for column in columns:
            self._put(self._place.rows - 1, column // 2, "✕", hue("red", bold=True))

    def outside(self, found: list[Extent | None]) -> None:
        """A mark at the edge of each column that holds a value which the axis does not reach."""
        for column, extent in enumerate(found):
            if extent is not None and extent[1] > self._scale.high:
                self._put(0, column // 2, "▲", hue("amber", bold=True))
            if extent is not None and extent[0] < self._scale.low:
                self._put(self._place.rows - 1, column // 2, "▼", hue("amber", bold=True))

    def _put(self, row: int, column: int, sign: str, style: Style) -> None:
        self._cells[row][column] = (sign, style, self._cells[row][column][2])

    def line(self, row: int, left: str, right: tuple[str, Style]) -> Strip:
        """One finished row with its labels: cells of equal style become one segment."""
        segments = [Segment(left, FAINT)]
        style_of: Callable[[Cell], tuple[Style | None, Colour | None]] = lambda cell: (cell[1], cell[2])  # noqa: E731
        for (style, tint), cells in groupby(self._cells[row], style_of):
            text = "".join([cell[0] for cell in cells])
            segments.append(Segment(text, _on(style, tint)))
        if self._place.legend:
            text, style = right
            segments.append(Segment(text + " " * (self._place.legend - cell_len(text)), style))
        return Strip(segments)


_STYLES: dict[tuple[Style | None, Colour | None], Style | None] = {}


def _on(style: Style | None, tint: Colour | None) -> Style | None:
    """A style on a zone's tint; made once."""
    key = (style, tint)
    if key not in _STYLES:
        ground = Style(bgcolor=TINTS[tint]) if tint else None
        _STYLES[key] = style + ground if style and ground else style or ground
    return _STYLES[key]
