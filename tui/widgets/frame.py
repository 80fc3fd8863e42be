"""One frame of a chart: series, zones and floors in, lines of styled text out."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from math import inf

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from trainer.telemetry.bands import Colour
from tui.store.series import Series
from tui.store.words import number
from tui.theme import DIM, FAINT, HUES, PLAIN, STRONG, TINTS, hue
from tui.widgets import envelope
from tui.widgets.scale import Scale, fit, label

GUTTER = 7
LEGEND = 13
WIDE = 46  # from this width on there is room for a legend at the right
Cell = tuple[str, Style | None, Colour | None]


@dataclass(frozen=True, slots=True)
class Zone:
    """A range of values with a name, drawn as a breath of colour behind the curve."""

    low: float
    high: float
    colour: Colour
    label: str


@dataclass(frozen=True, slots=True)
class Floor:
    """A level worth knowing, drawn as a labelled line."""

    value: float
    label: str


@dataclass(frozen=True, slots=True)
class Look:
    """How a chart is drawn.

    Attributes:
        zoom: halves the steps shown so many times, the newest kept.
        include: values that stretch the axis.
        cursor: a step whose values stand in the title, marked by a line; None for the newest values.
    """

    title: str
    unit: str = ""
    colour: Colour = "blue"
    log: bool = False
    zoom: int = 0
    zones: tuple[Zone, ...] = ()
    floors: tuple[Floor, ...] = ()
    include: tuple[float, ...] = ()
    marks_title: str = ""
    cursor: int | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """The cells of the plot itself: columns, rows, and the room for names at its right."""

    columns: int
    rows: int
    legend: int


def window(series: Series, zoom: int) -> tuple[float, float]:
    """The steps shown: all of them, or the newest half, quarter, ... of them."""
    first, last = series.steps[0], series.steps[-1]
    return last - (last - first) / 2**zoom, last


def draw(
    series: Series, marks: Series | None, look: Look, width: int, height: int, *, focused: bool
) -> list[Strip]:
    """Draw a whole chart: a title, the plot, and the steps below it.

    Args:
        series: what is drawn; its moving average too where it has one.
        marks: sparse values (evaluations) drawn as diamonds on the same axis.
        look: titles, axis and backdrop.
        width, height: cells, the title and the step axis included.
        focused: whether the keyboard acts on this chart.
    """
    lines = [_title(series, marks, look, width, focused)]
    if height >= 4 and width > GUTTER + 8:
        lines += _body(series, marks, look, width, height - 1) if len(series) else _nothing(width, height - 1)
    lines += [Strip.blank(width)] * (height - len(lines))
    return lines[:height]


def _title(series: Series, marks: Series | None, look: Look, width: int, focused: bool) -> Strip:
    """Name and newest value; then, as far as there is room, what else is worth knowing."""
    name = STRONG if focused else PLAIN + Style(bold=True)
    parts = [Segment("▌" if focused else " ", hue("blue")), Segment(look.title, name)]
    more: list[Segment] = []
    if look.cursor is not None:
        parts += _reading(series, marks, look, look.cursor)
        return Strip(parts).adjust_cell_length(width)
    if series.last is not None:
        finite = series.last == series.last and abs(series.last) != inf
        parts.append(Segment(f"  {number(series.last)}", hue(look.colour if finite else "red", bold=True)))
        more.append(Segment(f" {look.unit}" if look.unit else "", DIM))
    if len(series.gaps):
        more.append(Segment(f"  ✕ {len(series.gaps)} not finite", hue("red")))
    if look.log:
        more.append(Segment("  log", DIM))
    if look.zoom:
        more.append(Segment(f"  last 1/{2**look.zoom}", DIM))
    if marks is not None and marks.last is not None:
        more.append(Segment(f"  ◆ {look.marks_title} {number(marks.last)}", hue("violet")))
    if series.average is not None:
        more.append(Segment(f"  mean {number(series.average)}", DIM))
    room = width - sum(part.cell_length for part in parts)
    for part in more:
        if part.cell_length <= room:
            parts.append(part)
            room -= part.cell_length
    return Strip(parts).adjust_cell_length(width)


def _reading(series: Series, marks: Series | None, look: Look, step: int) -> list[Segment]:
    """What the chart says at the cursor: the value there, its moving average, the evaluation before it."""
    index = series.index_at(step)
    if index is None:
        return [Segment(f"  n/a at step {step:,}", DIM)]
    value = series.tree.values[index]
    parts = [
        Segment(f"  {number(value)}", hue(look.colour if value == value else "red", bold=True)),
        Segment(f" at step {series.steps[index]:,}", PLAIN),
    ]
    if series.average is not None:
        parts.append(Segment(f"  mean {number(series.average_at(index))}", DIM))
    if marks is not None and (mark := marks.index_at(step)) is not None:
        parts.append(Segment(f"  ◆ {look.marks_title} {number(marks.tree.values[mark])}", hue("violet")))
    return parts


def _nothing(width: int, height: int) -> list[Strip]:
    text = "no values yet"
    lines = [Strip.blank(width)] * height
    lines[height // 2] = Strip(
        [Segment(" " * max((width - len(text)) // 2, 0)), Segment(text, FAINT)]
    ).adjust_cell_length(width)
    return lines


def _body(series: Series, marks: Series | None, look: Look, width: int, height: int) -> list[Strip]:
    wants = bool(look.zones or look.floors) and width >= WIDE
    legend = LEGEND if wants else 0
    place = Place(width - GUTTER - legend, height - 1, legend)
    low, high = window(series, look.zoom)
    cut = envelope.columns(series, low, high, 2 * place.columns)
    scale = _scale(series, marks, look, cut, place.rows)
    gaps = envelope.gap_columns(series, low, high, 2 * place.columns)
    values = envelope.draw_values(series, cut, scale, gaps)
    smooth = series.average is not None
    means = envelope.draw_average(series, cut, scale) if smooth else [0] * len(cut)
    grid = Grid(place, scale, look)
    grid.curve(values, means)
    grid.floor_names()
    grid.marks(marks, low, high)
    grid.cursor(look.cursor, low, high)
    grid.gaps(gaps)
    left, right = _left_labels(scale, place.rows), _right_labels(look, scale, place)
    return [grid.line(row, left[row], right[row]) for row in range(place.rows)] + [
        _steps(low, high, width, place)
    ]


def _scale(series: Series, marks: Series | None, look: Look, cut: list[envelope.Column], rows: int) -> Scale:
    found = envelope.visible_extent(series, cut) or (0.0, 1.0)
    values = [*found, *look.include, *(floor.value for floor in look.floors)]
    if marks is not None and len(marks) and (others := marks.tree.extent(0, len(marks))) is not None:
        values += others
    return fit(min(values), max(values), 4 * rows, log=look.log)


class Grid:
    """The cells of a plot, layer over layer: zones, floors, curve, marks."""

    def __init__(self, place: Place, scale: Scale, look: Look) -> None:
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
        under = Style(color=_dimmed(self._look.colour)) if any(means) else main
        braille = envelope.BRAILLE
        for row, cells in enumerate(self._cells):
            shift = 4 * row
            for column in range(self._place.columns):
                left, right = 2 * column, 2 * column + 1
                mean_a, mean_b = means[left] >> shift & 15, means[right] >> shift & 15
                a, b = values[left] >> shift & 15 | mean_a, values[right] >> shift & 15 | mean_b
                if a or b:
                    cells[column] = (braille[a][b], main if mean_a or mean_b else under, cells[column][2])

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


def _dimmed(colour: Colour) -> str:
    """Half-way from the hue to the ground."""
    value = HUES[colour]
    parts = [int(value[i : i + 2], 16) for i in (1, 3, 5)]
    return "#" + "".join(f"{int(0.42 * part + 0.58 * 0x16):02x}" for part in parts)


def _left_labels(scale: Scale, rows: int) -> list[str]:
    """The values at round places of the axis."""
    labels = [" " * (GUTTER - 1) + "│"] * rows
    for tick in scale.ticks(max(2, round(rows / 2.5))):
        row = scale.place(tick) // 4
        labels[row] = f"{label(tick):>{GUTTER - 1}}┤"
    return labels


def _right_labels(look: Look, scale: Scale, place: Place) -> list[tuple[str, Style]]:
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


def _steps(low: float, high: float, width: int, place: Place) -> Strip:
    """The step axis: first, middle and last step shown."""
    first, last = f"{low:,.0f}", f"step {high:,.0f}"
    middle = f"{(low + high) / 2:,.0f}" if place.columns > 36 else ""
    room = place.columns - len(first) - len(last) - len(middle)
    half = max(place.columns // 2 - len(first) - len(middle) // 2, 1)
    text = first + " " * half + middle + " " * max(room - half, 1) + last
    return Strip([Segment(" " * GUTTER), Segment(text[: place.columns], FAINT)]).adjust_cell_length(width)
