"""What somebody chose for the charts and the log of a kind of run."""

from dataclasses import dataclass

from tui.store.metrics.axis import Along

COLUMNS_MAX = 4


@dataclass(frozen=True, slots=True)
class GridChoice:
    """The charts of a kind of run, and its log.

    Attributes:
        names: their metrics in order; none for those that come by themselves.
        columns: charts in a row, 0 for as many as fit well.
        along: what lies along them.
        smoothing: of the moving mean, -1 for the usual one.
        alone: zooming and panning change the focused chart only.
        log_text, log_level: the lines of its log that are shown.
        log_wraps: whether they go on in the next row.
    """

    names: tuple[str, ...] = ()
    columns: int = 0
    along: Along = "step"
    smoothing: int = -1
    alone: bool = False
    log_text: str = ""
    log_level: int = 0
    log_wraps: bool = False


AS_IT_COMES = GridChoice()
