"""What somebody chose for the charts of a kind of run."""

from dataclasses import dataclass

from tui.store.metrics.axis import Along

COLUMNS_MAX = 4


@dataclass(frozen=True, slots=True)
class GridChoice:
    """The charts of a kind of run.

    Attributes:
        names: their metrics in order; none for those that come by themselves.
        columns: charts in a row, 0 for as many as fit well.
        along: what lies along them.
        smoothing: of the moving mean, -1 for the usual one.
        alone: zooming and panning change the focused chart only.
    """

    names: tuple[str, ...] = ()
    columns: int = 0
    along: Along = "step"
    smoothing: int = -1
    alone: bool = False


AS_IT_COMES = GridChoice()
