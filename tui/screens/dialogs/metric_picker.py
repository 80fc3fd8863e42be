"""Every metric of a run, to choose one for a chart: typed letters narrow the list."""

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text

from tui.screens.dialogs.picker import Picker
from tui.store.metrics.catalogue import Metric
from tui.store.runs import RunRecord
from tui.store.words import fine
from tui.theme import DIM, FAINT, PLAIN, STRONG, hue
from tui.widgets.lines import line

BY_ITSELF = ""
"""What is answered for the charts that a run has by itself."""


class MetricPicker(Picker):
    """Answers the name of a metric, BY_ITSELF for the charts as they were at first, None for nothing."""

    CSS: ClassVar[str] = Picker.CSS + "MetricPicker > Vertical { width: 96; }"

    def __init__(self, run: RunRecord, charted: Sequence[str], where: str) -> None:
        """`charted`: what is on charts now; `where`: which chart is meant, in words."""
        rows = {name: metric_row(run, one, name in charted) for name, one in run.catalogue.items()}
        rows[BY_ITSELF] = line(("  as at first: ", DIM), ("the most telling ones by themselves", PLAIN))
        title = line(("a metric onto ", DIM), (where, STRONG))
        super().__init__(title, rows, "letters of its name", "no metric of this run has these letters")

    def fits(self, text: str) -> list[str]:
        """Those whose name has the letters, as they stand in the catalogue."""
        typed = text.strip().lower()
        return [name for name in self._rows if typed in name.lower()]


def metric_row(run: RunRecord, one: Metric, charted: bool) -> Text:
    """Its name, newest value and unit, what kind it is, and since when it is told."""
    kind = f"{'held-out ' if one.is_held_out else ''}{one.kind}"
    return line(
        ("● " if charted else "  ", hue("green")),
        (f"{one.name[:29]:<30}", STRONG if charted else PLAIN),
        (f"{fine(run.newest(one.name)):>9}", PLAIN),
        (f" {one.unit:<10}", DIM),
        (f" {kind:<18}", DIM),
        (f"from {one.axis} {one.first:,}", FAINT),
    )
