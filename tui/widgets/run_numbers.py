"""What a run tells beside its charts, as numbers with their units; and what a log may print to be known."""

from collections.abc import Sequence

from rich.cells import cell_len
from rich.text import Text

from tui.keys import shown as key_shown
from tui.store.metrics.catalogue import Metric
from tui.store.metrics.chart_plan import ChartPlan
from tui.store.runs import RunRecord
from tui.store.words import count, fine
from tui.theme import DIM, FAINT, PLAIN, STRONG, hue
from tui.widgets.lines import line
from tui.widgets.run_look import EXAMPLES, has_our_look

MOST = 10
NAME_WIDTH = 22


def uncharted(run: RunRecord, charted: Sequence[ChartPlan]) -> list[Metric]:
    """The metrics that no chart shows, of a run that is none of ours: those have lamps."""
    if has_our_look(run):
        return []
    shown = {name for plan in charted for name in (plan.metric, plan.marks, plan.overlay)}
    return [one for one in run.catalogue.values() if one.name not in shown]


def number_rows(run: RunRecord, charted: Sequence[ChartPlan]) -> list[Text]:
    """A line a metric: name, newest value, unit."""
    metrics = uncharted(run, charted)
    rows = [_row(one, run.newest(one.name)) for one in metrics[:MOST]]
    if left := len(metrics) - MOST:
        rows += [line((f"{left} more: {key_shown('metric', 'run')} lists them", FAINT))] if left > 0 else []
    return rows


def _row(one: Metric, value: float | None) -> Text:
    name = one.name if cell_len(one.name) <= NAME_WIDTH else f"{one.name[: NAME_WIDTH - 1]}…"
    shown = count(value) if one.kind == "count" and value is not None and abs(value) >= 1e4 else fine(value)
    style = hue("red", bold=True) if value is not None and value != value else PLAIN
    return line(
        (name + " " * (NAME_WIDTH - cell_len(name)), DIM), (f"{shown:>9}", style), (f" {one.unit}", DIM)
    )


def hint_rows() -> list[Text]:
    """Above the text of a log in which nothing is known."""
    first, second = EXAMPLES
    return [
        line(("No known metrics in this log so far.", STRONG)),
        line(("A line of it may say  ", PLAIN), (first, hue("cyan"))),
        line(("                  or  ", DIM), (second, hue("cyan"))),
        line(("Formats of your own:  ", DIM), ("photinus formats try FILE", hue("blue"))),
    ]
