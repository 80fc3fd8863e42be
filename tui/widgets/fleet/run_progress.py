"""How a run has gone and how long it will: its loss as a line of blocks, a bar with the time left."""

from weakref import WeakKeyDictionary

from rich.text import Text

from tui.store.metrics.catalogue import loss_of
from tui.store.metrics.series import Series
from tui.store.runs import RunRecord
from tui.theme import DIM, FAINT, PLAIN, hue
from tui.widgets import lines
from tui.widgets.chart.envelope import columns
from tui.widgets.chart.robust_range import robust_range

BLOCKS = "▁▂▃▄▅▆▇█"
UNITS = ((86400, "d"), (3600, "h"), (60, "min"))
_kept: "WeakKeyDictionary[Series, tuple[int, int, str]]" = WeakKeyDictionary()


def loss_curve(run: RunRecord, width: int) -> Text:
    """The loss since the first row: the height of a block is the mean of its part of the steps."""
    series = run.series.get(loss_of(run.catalogue))
    if series is None or width < 4:
        return lines.line(("", FAINT))
    kept = _kept.get(series)  # made anew where a row came, however often the table is painted
    if kept is None or kept[:2] != (series.version, width):
        kept = _kept[series] = (series.version, width, blocks(series, width))
    return lines.line((kept[2], hue("blue") if run.view.is_live else DIM))


def blocks(series: Series, width: int) -> str:
    """A block a cell; a space where there is no row, a cross where none of the rows is a number."""
    if len(series) < 2:
        return ""
    cut = columns(series, series.steps[0], series.steps[-1], width)
    means = [series.sums.mean(series.tree.values, start, stop) for start, stop in cut]
    known = [mean for mean in means if mean == mean]
    if not known:
        return ""
    low, high = robust_range([(mean, mean) for mean in known])
    steps = (len(BLOCKS) - 1) / (high - low) if high > low else 0.0
    return "".join(
        BLOCKS[min(max(round((mean - low) * steps), 0), len(BLOCKS) - 1)]
        if mean == mean
        else "✕" if stop > start else " "
        for mean, (start, stop) in zip(means, cut, strict=True)
    )  # fmt: skip


def progress_bar(run: RunRecord, width: int) -> Text:
    """How much of its steps a live run has done, and in one unit how long the rest takes."""
    if not width or not run.view.is_live or not run.max_steps or run.step is None:
        return lines.line(("", FAINT))
    left = time_left(run.eta_s)
    cells = max(width - 8 if width >= 14 else 3, 1)
    full = round(min(run.step / run.max_steps, 1.0) * cells)
    return lines.line(("━" * full, hue("green")), ("─" * (cells - full), FAINT), (f" {left}", PLAIN))


def time_left(seconds: float | None) -> str:
    """In one unit, so that it seldom changes; empty where nobody can tell."""
    if seconds is None or seconds != seconds or seconds < 0:
        return ""
    for unit, name in UNITS:
        if seconds >= unit:
            return f"{min(seconds / unit, 9999):.0f} {name}"
    return "<1 min"
