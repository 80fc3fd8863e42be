"""The cells of a plot, layer over layer, and the lines that are made of them."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from trainer.telemetry.bands import Colour
from tui.store.metrics.series import Series
from tui.theme import DIM, FAINT, TINTS, hue, under
from tui.widgets.chart import envelope
from tui.widgets.chart.look import ChartLook
from tui.widgets.chart.scale import Scale

Cell = tuple[str, Style | None, Colour | None]
OVERLAY, OVERLAY_EVERY = "○", 4


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

    def curve(self, values: list[int], means: list[int]) -> None:
        """The envelope, dim under the moving average where there is one, and the average itself."""
        main = hue(self._look.colour)
        beneath = Style(color=under(self._look.colour)) if any(means) else main
        braille = envelope.BRAILLE
        for row, cells in enumerate(self._cells):
            shift = 4 * row
            for column in range(self._place.columns):
                left, right = 2 * column, 2 * column + 1
                mean_a, mean_b = means[left] >> shift & 15, means[right] >> shift & 15
                a, b = values[left] >> shift & 15 | mean_a, values[right] >> shift & 15 | mean_b
                if a or b:
                    cells[column] = (braille[a][b], main if mean_a or mean_b else beneath, cells[column][2])

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

    def marks(self, marks: Series | None, low: float, high: float) -> None:
        """Sparse values as diamonds."""
        if marks is None or not len(marks):
            return
        start, stop = marks.span(low, high)
        for step, value in zip(marks.steps[start:stop], marks.tree.values[start:stop], strict=True):
            if value == value:
                column = int((step - low) / (high - low) * (self._place.columns - 1)) if high > low else 0
                self._put(self._scale.place(value) // 4, column, "◆", hue("violet"))

    def overlay(self, other: Series | None, low: float, high: float) -> None:
        """A second series as circles with room between, so that the curve shows where they agree."""
        if other is None or not len(other) or high <= low:
            return
        column_steps = (high - low) / self._place.columns
        for column in range(OVERLAY_EVERY // 2, self._place.columns, OVERLAY_EVERY):
            index = other.index_at(low + (column + 0.5) * column_steps)
            value = other.tree.values[index] if index is not None else float("nan")
            if value == value:
                self._put(self._scale.place(value) // 4, column, OVERLAY, hue("amber"))

    def cursor(self, step: int | None, low: float, high: float) -> None:
        """A line at a step, behind the curve."""
        if step is None or not low <= step <= high:
            return
        column = int((step - low) / (high - low) * (self._place.columns - 1)) if high > low else 0
        for row, cells in enumerate(self._cells):
            if cells[column][0] in " ╌":
                self._put(row, column, "│", DIM)

    def gaps(self, columns: set[int]) -> None:
        """A cross at the foot of each column in which a value was not finite."""
        for column in columns:
            self._put(self._place.rows - 1, column // 2, "✕", hue("red", bold=True))

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
