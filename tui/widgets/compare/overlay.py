"""One frame of several curves over one another: each has a colour and a letter, and one lies on top."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui.store.compare.comparison import Contender
from tui.store.metrics.series import Series
from tui.theme import DIM, FAINT, PLAIN, STRONG, hue, under
from tui.widgets.chart import envelope
from tui.widgets.chart.scale import Scale, fit, label

GUTTER, MARGIN = 7, 3
LETTER_EVERY = 24  # cells between two letters on a curve
MAX_ZOOM = 12


@dataclass(frozen=True, slots=True)
class OverlayLook:
    """How curves are shown.

    Attributes:
        zoom: halves the steps shown so many times, the newest kept.
        cursor: a step at which the curves are read off.
        shared: only the steps that all of them have told.
    """

    title: str
    axis: str = "step"
    log: bool = False
    zoom: int = 0
    cursor: int | None = None
    shared: bool = False


def window(curves: Sequence[Contender], look: OverlayLook) -> tuple[float, float] | None:
    """The steps shown: those of any or those that all have told, of these all or the newest ones."""
    told = [one.series for one in curves if len(one.series)]
    if not told:
        return None
    first, last = min(one.steps[0] for one in told), max(one.steps[-1] for one in told)
    if look.shared and (end := min(one.steps[-1] for one in told)) >= (
        begin := max(one.steps[0] for one in told)
    ):
        first, last = begin, end
    return last - (last - first) / 2**look.zoom, last


def draw(
    curves: Sequence[Contender], look: OverlayLook, width: int, height: int, *, empty: str = "no values yet"
) -> list[Strip]:
    """A title, the plot and its steps.

    Args:
        curves: in the order of their letters.
        width, height: cells.
        empty: what stands there where none of them tells the metric.
    """
    lines = [_title(curves, look, width)]
    span = window(curves, look)
    if height >= 4 and width > GUTTER + MARGIN + 8:
        lines += _body(curves, look, span, width, height - 1) if span else _nothing(empty, width, height - 1)
    return [*lines, *[Strip.blank(width)] * (height - len(lines))][:height]


def _title(curves: Sequence[Contender], look: OverlayLook, width: int) -> Strip:
    parts = [Segment(" ", DIM), Segment(look.title, STRONG)]
    if look.cursor is not None:
        parts.append(Segment(f"  at {look.axis} {look.cursor:,}", PLAIN))
    top = next((one for one in curves if one.is_pinned and len(one.series)), None)
    if top is not None and len(curves) > 1:
        parts += [Segment("  "), Segment(top.letter, hue(top.colour, bold=True)), Segment(" on top", DIM)]
    if look.log:
        parts.append(Segment("  log", DIM))
    if look.shared:
        parts.append(Segment("  steps that all have", DIM))
    if look.zoom:
        parts.append(Segment(f"  last 1/{2**look.zoom}", DIM))
    if any(_is_wide(one.series, width) for one in curves):
        parts.append(Segment("  lines: the mean of each column", DIM))
    return Strip(parts).adjust_cell_length(width)


def _is_wide(series: Series, width: int) -> bool:
    """Whether it has more rows than columns of dots."""
    return len(series) > 2 * (width - GUTTER - MARGIN)


def _nothing(text: str, width: int, height: int) -> list[Strip]:
    lines = [Strip.blank(width)] * height
    shown = Segment(text[: width - 2], FAINT)
    lines[height // 2] = Strip(
        [Segment(" " * max((width - shown.cell_length) // 2, 0)), shown]
    ).adjust_cell_length(width)
    return lines


Cell = tuple[str, Style | None]


def _body(
    curves: Sequence[Contender], look: OverlayLook, span: tuple[float, float] | None, width: int, height: int
) -> list[Strip]:
    assert span is not None  # draw
    low, high = span
    columns, rows = width - GUTTER - MARGIN, height - 1
    told = [one for one in curves if len(one.series)]
    cuts = {one.letter: envelope.columns(one.series, low, high, 2 * columns) for one in told}
    extents = [one.series.tree.extent(cuts[one.letter][0][0], cuts[one.letter][-1][1]) for one in told]
    known = [extent for extent in extents if extent is not None] or [(0.0, 1.0)]
    scale = fit(min(low for low, _ in known), max(high for _, high in known), 4 * rows, log=look.log)
    cells: list[list[Cell]] = [[(" ", None)] * columns for _ in range(rows)]
    _cursor(cells, look.cursor, low, high)
    ends: list[Cell] = [(" ", None)] * rows
    for place, one in sorted(enumerate(told), key=lambda item: item[1].is_pinned):
        cut = cuts[one.letter]
        gaps = envelope.gap_columns(one.series, low, high, 2 * columns)
        values = _values(one.series, cut, scale, gaps)
        style = hue(one.colour, bold=one.is_pinned)
        line = values
        if cut[-1][1] - cut[0][0] > 2 * columns:
            if one.is_pinned:
                _put(cells, values, Style(color=under(one.colour)))
            line = _means(one.series, cut, scale)
        _put(cells, line, style)
        _letters(cells, line, one, place, style)
        for column in gaps:
            cells[-1][column // 2] = ("✕", hue(one.colour, bold=True))
        _end(ends, one, scale, style)
    left = _left(scale, rows)
    body = [
        Strip(
            [
                Segment(left[row], FAINT),
                *(Segment(sign, style) for sign, style in cells[row]),
                Segment(f" {ends[row][0]} ", ends[row][1]),
            ]
        ).simplify()
        for row in range(rows)
    ]
    return [*body, _steps(low, high, width, columns, look.axis)]


def _put(cells: list[list[Cell]], masks: list[int], style: Style) -> None:
    """The dots of one curve; what lay in its cells goes under."""
    for row, line in enumerate(cells):
        shift = 4 * row
        for column in range(len(line)):
            a, b = masks[2 * column] >> shift & 15, masks[2 * column + 1] >> shift & 15
            if a or b:
                line[column] = (envelope.BRAILLE[a][b], style)


def _values(series: Series, cut: Sequence[envelope.Column], scale: Scale, gaps: set[int]) -> list[int]:
    """Every column from its least to its greatest, joined with its neighbours; no line goes over a gap."""
    pen = envelope.Pen(len(cut))
    values = series.tree.values
    for column, (start, stop) in enumerate(cut):
        if column in gaps:
            pen.lift()
        found = series.tree.extent(start, stop) if start < stop else None
        if found is not None:
            low, high = scale.place(found[0]), scale.place(found[1])
            first, last = values[start], values[stop - 1]
            pen.join(column, scale.place(first) if first == first else low)
            pen.bar(column, high, low)
            pen.rest(column, scale.place(last) if last == last else low)
        if column in gaps:
            pen.lift()
    return pen.masks


def _means(series: Series, cut: Sequence[envelope.Column], scale: Scale) -> list[int]:
    """The mean of all values of each column, as one line: no value is left out, and none is weighed twice."""
    pen = envelope.Pen(len(cut))
    for column, (start, stop) in enumerate(cut):
        if start < stop and (mean := _mean(series, start, stop)) is not None:
            pen.join(column, scale.place(mean))
    return pen.masks


def _mean(series: Series, start: int, stop: int) -> float | None:
    values = series.tree.values[start:stop]
    total, count = sum(values), len(values)
    if total != total:  # a gap among them
        finite = [value for value in values if value == value]
        total, count = sum(finite), len(finite)
    return total / count if count and isfinite(total) else None


def _letters(cells: list[list[Cell]], masks: list[int], one: Contender, place: int, style: Style) -> None:
    """Its letter on the curve now and then, so that it is known without its colour."""
    columns = len(cells[0]) if cells else 0
    for column in range(4 + 4 * place, columns, LETTER_EVERY):
        mask = masks[2 * column] | masks[2 * column + 1]
        if mask:
            row = ((mask & -mask).bit_length() - 1) // 4
            cells[row][column] = (one.letter, style + Style(bold=True))


def _end(ends: list[Cell], one: Contender, scale: Scale, style: Style) -> None:
    """Its letter at the right, where its newest value lies, or at the nearest free place."""
    last = one.series.tree.values[-1]
    if last != last or not ends:
        return
    wanted = scale.place(last) // 4
    free = [row for row, (sign, _) in enumerate(ends) if sign == " "]
    if free:
        ends[min(free, key=lambda row: abs(row - wanted))] = (one.letter, style)


def _cursor(cells: list[list[Cell]], step: int | None, low: float, high: float) -> None:
    if step is None or not cells or not low <= step <= high:
        return
    column = int((step - low) / (high - low) * (len(cells[0]) - 1)) if high > low else 0
    for row in cells:
        row[column] = ("│", DIM)


def _left(scale: Scale, rows: int) -> list[str]:
    labels = [" " * (GUTTER - 1) + "│"] * rows
    for tick in scale.ticks(max(2, round(rows / 2.5))):
        labels[scale.place(tick) // 4] = f"{label(tick):>{GUTTER - 1}}┤"
    return labels


def _steps(low: float, high: float, width: int, columns: int, axis: str) -> Strip:
    first, last = f"{low:,.0f}", f"{axis} {high:,.0f}"
    middle = f"{(low + high) / 2:,.0f}" if columns > 36 else ""
    half = max(columns // 2 - len(first) - len(middle) // 2, 1)
    room = columns - len(first) - half - len(middle) - len(last)
    text = first + " " * half + middle + " " * max(room, 1) + last
    return Strip([Segment(" " * GUTTER), Segment(text[:columns], FAINT)]).adjust_cell_length(width)
