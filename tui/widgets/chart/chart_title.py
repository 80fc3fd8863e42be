"""The line above a chart: its newest value or the one at the cursor, and what was done to its numbers."""

from dataclasses import dataclass
from math import inf

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui.keys import shown as key_shown
from tui.store.metrics.chart_window import WHOLE
from tui.store.words import fine
from tui.theme import DIM, PLAIN, STRONG, hue
from tui.widgets.chart.curves import Curves
from tui.widgets.chart.grid import MEAN, OVERLAY
from tui.widgets.chart.look import ChartLook, View


@dataclass(frozen=True, slots=True)
class PlotFacts:
    """What a plot did to its numbers.

    Attributes:
        rows: how many are shown.
        mean: over how many of them the moving mean goes, 0 without one.
        below, above: how many lie outside of the axis.
    """

    rows: int = 0
    mean: int = 0
    below: int = 0
    above: int = 0


NOTHING = PlotFacts()


def title(shown: Curves, look: ChartLook, view: View, width: int, focused: bool, facts: PlotFacts) -> Strip:
    """Name and newest value; then, as far as there is room, what else is worth knowing."""
    series, marks, overlay = shown.series, shown.marks, shown.overlay
    name = STRONG if focused else PLAIN + Style(bold=True)
    parts = [Segment("▌" if focused else " ", hue("blue")), Segment(look.title, name)]
    if view.cursor is not None:
        parts += _reading(shown, look, view, facts)
        return Strip(parts).adjust_cell_length(width)
    more: list[Segment] = []
    if series.last is not None:
        finite = series.last == series.last and abs(series.last) != inf
        parts.append(Segment(f"  {fine(series.last)}", hue(look.colour if finite else "red", bold=True)))
        more.append(Segment(f" {look.unit}" if look.unit else "", DIM))
    if overlay is not None and overlay.last is not None:
        more.append(Segment(f"  {OVERLAY} {look.overlay_title} {fine(overlay.last)}", hue("amber")))
    if len(series.gaps):
        more.append(Segment(f"  ✕ {len(series.gaps)} not finite", hue("red")))
    beyond = [f"{sign} {many:,}" for sign, many in (("▲", facts.above), ("▼", facts.below)) if many]
    if beyond:
        more.append(Segment(f"  {' '.join(beyond)} outside", hue("amber")))
    if view.log:
        more.append(Segment("  log", DIM))
    if view.window != WHOLE:
        more.append(Segment("  zoomed", DIM))
    if marks is not None and marks.last is not None:
        more.append(Segment(f"  ◆ {look.marks_title} {fine(marks.last)}", hue("violet")))
    if facts.mean:
        mean = series.mean_around(len(series) - 1, facts.mean)
        more.append(Segment(f"  mean of {facts.mean:,} rows {fine(mean)}", MEAN))
    room = width - sum(part.cell_length for part in parts)
    for part in more:
        if part.cell_length <= room:
            parts.append(part)
            room -= part.cell_length
    return Strip(parts).adjust_cell_length(width)


def _reading(shown: Curves, look: ChartLook, view: View, facts: PlotFacts) -> list[Segment]:
    """What the chart says at the cursor: the value there, its moving mean, the evaluation before it."""
    series, marks, overlay, step = shown.series, shown.marks, shown.overlay, view.cursor or 0
    index = series.index_at(step)
    if index is None:
        return [Segment(f"  n/a at {look.axis} {step:,}", DIM)]
    value = series.tree.values[index]
    parts = [
        Segment(f"  {fine(value)}", hue(look.colour if value == value else "red", bold=True)),
        Segment(f" at {look.axis} {series.steps[index]:,}", PLAIN),
    ]
    if view.begun is not None:
        parts.append(Segment(f", from {view.begun:,}: {key_shown('zoom(1)', 'run')} zooms", DIM))
    if overlay is not None and (other := overlay.index_at(step)) is not None:
        overlaid = fine(overlay.tree.values[other])
        parts.append(Segment(f"  {OVERLAY} {look.overlay_title} {overlaid}", hue("amber")))
    if facts.mean:
        parts.append(Segment(f"  mean {fine(series.mean_around(index, facts.mean))}", MEAN))
    if marks is not None and (mark := marks.index_at(step)) is not None:
        parts.append(Segment(f"  ◆ {look.marks_title} {fine(marks.tree.values[mark])}", hue("violet")))
    return parts
