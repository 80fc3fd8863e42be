"""R that stays in one zone and hardly moves in it: the oscillators are locked, or nothing reaches them."""

from trainer.telemetry.alerts.occasion import Firing
from trainer.telemetry.bands import MetricBands

ROWS = 500  # at least, and half of the run
SPREAD = 0.01  # it moves by less than this


class LockedRule:
    """Watches R within its zones."""

    __slots__ = ("_edges", "_from", "_has_fired", "_high", "_low", "_rows", "_since", "_to", "_zone")

    def __init__(self, zones: MetricBands) -> None:
        self._edges = zones.edges({})
        self._rows = 0
        self._begin(0.0)

    def _begin(self, value: float) -> None:
        """Another zone, or another place in it."""
        self._since, self._has_fired = self._rows, False
        zones = (edge for edge in self._edges if edge[0] <= value < edge[1])
        self._from, self._to, band = next(zones, (value, value, None))
        self._zone = band.word if band is not None else "in no zone"
        self._low = self._high = value

    def row(self, step: int, value: float) -> Firing | None:
        """Take one finite R."""
        self._rows += 1
        if not self._from <= value < self._to:
            self._begin(value)
            return None
        low, high = min(self._low, value), max(self._high, value)
        if high - low > SPREAD:
            self._begin(value)
            return None
        self._low, self._high = low, high
        stayed = self._rows - self._since
        if self._has_fired or stayed < max(ROWS, self._rows / 2):
            return None
        self._has_fired = True
        message = f"R has stood at {value:.3f} ({self._zone}) for {stayed:,} rows"
        return Firing("locked", "warning", message, step)
