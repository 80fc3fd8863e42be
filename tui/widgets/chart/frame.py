"""One frame of a chart: series, zones and floors in, lines of styled text out."""

from dataclasses import dataclass
from math import inf

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui.store.metrics.series import Series
from tui.store.words import fine
from tui.theme import DIM, FAINT, PLAIN, STRONG, hue
from tui.widgets.chart import envelope
from tui.widgets.chart.grid import OVERLAY, Grid, Place
from tui.widgets.chart.look import ChartLook
from tui.widgets.chart.scale import Scale, fit, label

GUTTER = 7
LEGEND = 13
WIDE = 46  # from this width on there is room for a legend at the right


@dataclass(frozen=True, slots=True)
class Curves:
    """What one frame shows: the series, sparse values beside it, and a second series on the same axis."""

    series: Series
    marks: Series | None
    overlay: Series | None


def window(series: Series, zoom: int) -> tuple[float, float]:
    """The steps shown: all of them, or the newest half, quarter, ... of them."""
    first, last = series.steps[0], series.steps[-1]
    return last - (last - first) / 2**zoom, last


def draw(
    series: Series,
    marks: Series | None,
    look: ChartLook,
    width: int,
    height: int,
    *,
    focused: bool,
    overlay: Series | None = None,
) -> list[Strip]:
    """Draw a whole chart: a title, the plot, and the steps below it.

    Args:
        series: what is drawn; its moving average too where it has one.
        marks: sparse values (evaluations) drawn as diamonds on the same axis.
        look: titles, axis and backdrop.
        width, height: cells, the title and the step axis included.
        focused: whether the keyboard acts on this chart.
        overlay: a second series on the same axis, drawn as circles.
    """
    shown = Curves(series, marks, overlay)
    lines = [_title(shown, look, width, focused)]
    if height >= 4 and width > GUTTER + 8:
        lines += _body(shown, look, width, height - 1) if len(series) else _nothing(width, height - 1)
    lines += [Strip.blank(width)] * (height - len(lines))
    return lines[:height]


def _title(shown: Curves, look: ChartLook, width: int, focused: bool) -> Strip:
    """Name and newest value; then, as far as there is room, what else is worth knowing."""
    series, marks, overlay = shown.series, shown.marks, shown.overlay
    name = STRONG if focused else PLAIN + Style(bold=True)
    parts = [Segment("▌" if focused else " ", hue("blue")), Segment(look.title, name)]
    more: list[Segment] = []
    if look.cursor is not None:
        parts += _reading(shown, look, look.cursor)
        return Strip(parts).adjust_cell_length(width)
    if series.last is not None:
        finite = series.last == series.last and abs(series.last) != inf
        parts.append(Segment(f"  {fine(series.last)}", hue(look.colour if finite else "red", bold=True)))
        more.append(Segment(f" {look.unit}" if look.unit else "", DIM))
    if overlay is not None and overlay.last is not None:
        more.append(Segment(f"  {OVERLAY} {look.overlay_title} {fine(overlay.last)}", hue("amber")))
    if len(series.gaps):
        more.append(Segment(f"  ✕ {len(series.gaps)} not finite", hue("red")))
    if look.log:
        more.append(Segment("  log", DIM))
    if look.zoom:
        more.append(Segment(f"  last 1/{2**look.zoom}", DIM))
    if marks is not None and marks.last is not None:
        more.append(Segment(f"  ◆ {look.marks_title} {fine(marks.last)}", hue("violet")))
    if series.average is not None and _is_averaged(series, len(series), width):
        more.append(Segment(f"  mean {fine(series.average)}", DIM))
    room = width - sum(part.cell_length for part in parts)
    for part in more:
        if part.cell_length <= room:
            parts.append(part)
            room -= part.cell_length
    return Strip(parts).adjust_cell_length(width)


def _reading(shown: Curves, look: ChartLook, step: int) -> list[Segment]:
    """What the chart says at the cursor: the value there, its moving average, the evaluation before it."""
    series, marks, overlay = shown.series, shown.marks, shown.overlay
    index = series.index_at(step)
    if index is None:
        return [Segment(f"  n/a at {look.axis} {step:,}", DIM)]
    value = series.tree.values[index]
    parts = [
        Segment(f"  {fine(value)}", hue(look.colour if value == value else "red", bold=True)),
        Segment(f" at {look.axis} {series.steps[index]:,}", PLAIN),
    ]
    if overlay is not None and (other := overlay.index_at(step)) is not None:
        overlaid = fine(overlay.tree.values[other])
        parts.append(Segment(f"  {OVERLAY} {look.overlay_title} {overlaid}", hue("amber")))
    if series.average is not None:
        parts.append(Segment(f"  mean {fine(series.average_at(index))}", DIM))
    if marks is not None and (mark := marks.index_at(step)) is not None:
        parts.append(Segment(f"  ◆ {look.marks_title} {fine(marks.tree.values[mark])}", hue("violet")))
    return parts


def _is_averaged(series: Series, rows: int, columns: int) -> bool:
    """Whether the moving average is worth a line: while each row has its own place, rows are the curve."""
    return series.average is not None and rows > columns


def _nothing(width: int, height: int) -> list[Strip]:
    text = "no values yet"
    lines = [Strip.blank(width)] * height
    lines[height // 2] = Strip(
        [Segment(" " * max((width - len(text)) // 2, 0)), Segment(text, FAINT)]
    ).adjust_cell_length(width)
    return lines


def _body(shown: Curves, look: ChartLook, width: int, height: int) -> list[Strip]:
    series = shown.series
    wants = bool(look.zones or look.floors) and width >= WIDE
    legend = LEGEND if wants else 0
    place = Place(width - GUTTER - legend, height - 1, legend)
    low, high = window(series, look.zoom)
    cut = envelope.columns(series, low, high, 2 * place.columns)
    scale = _scale(shown, look, cut, place.rows)
    gaps = envelope.gap_columns(series, low, high, 2 * place.columns)
    values = envelope.draw_values(series, cut, scale, gaps)
    shown_rows = cut[-1][1] - cut[0][0] if cut else 0
    smooth = _is_averaged(series, shown_rows, place.columns)
    means = envelope.draw_average(series, cut, scale) if smooth else [0] * len(cut)
    grid = Grid(place, scale, look)
    grid.curve(values, means)
    grid.floor_names()
    grid.overlay(shown.overlay, low, high)
    grid.marks(shown.marks, low, high)
    grid.cursor(look.cursor, low, high)
    grid.gaps(gaps)
    left, right = _left_labels(scale, place.rows), _right_labels(look, scale, place)
    return [grid.line(row, left[row], right[row]) for row in range(place.rows)] + [
        _steps(low, high, width, place, look.axis)
    ]


def _scale(shown: Curves, look: ChartLook, cut: list[envelope.Column], rows: int) -> Scale:
    series, marks, overlay = shown.series, shown.marks, shown.overlay
    values = [*(envelope.visible_extent(series, cut) or (0.0, 1.0)), *look.include]
    values += (floor.value for floor in look.floors)
    if marks is not None and len(marks):
        values += marks.tree.extent(0, len(marks)) or ()
    if overlay is not None and len(overlay) and cut[-1][1]:
        span = overlay.span(series.steps[cut[0][0]], series.steps[cut[-1][1] - 1])
        values += overlay.tree.extent(*span) or ()
    return fit(min(values), max(values), 4 * rows, log=look.log)


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


def _steps(low: float, high: float, width: int, place: Place, axis: str) -> Strip:
    """The step axis: first, middle and last step shown."""
    first, last = f"{low:,.0f}", f"{axis} {high:,.0f}"
    middle = f"{(low + high) / 2:,.0f}" if place.columns > 36 else ""
    room = place.columns - len(first) - len(last) - len(middle)
    half = max(place.columns // 2 - len(first) - len(middle) // 2, 1)
    text = first + " " * half + middle + " " * max(room - half, 1) + last
    return Strip([Segment(" " * GUTTER), Segment(text[: place.columns], FAINT)]).adjust_cell_length(width)
