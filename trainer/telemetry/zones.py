"""Zones visited: a visit needs three rows in a row, so that noise on a border is not a journey."""

from dataclasses import dataclass, field

from trainer.telemetry.bands import MetricBands

ROWS_A_VISIT = 3


@dataclass(slots=True)
class ZoneCounter:
    """Counts visits of each band, value by value.

    Attributes:
        visits: word of the zone -> visits so far.
        current: word of the zone of the last value, "" before the first.
    """

    visits: dict[str, int] = field(default_factory=dict)
    current: str = ""
    _rows: int = 0
    _counted: str = ""

    def add(self, entry: MetricBands, value: float) -> None:
        """Take one finite value."""
        word = next(band.word for low, high, band in entry.edges({}) if value < high or high == float("inf"))
        self._rows = self._rows + 1 if word == self.current else 1
        self.current = word
        if self._rows >= ROWS_A_VISIT and word != self._counted:
            self.visits[word] = self.visits.get(word, 0) + 1
            self._counted = word

    @property
    def visited(self) -> int:
        """How many different zones were visited."""
        return len(self.visits)
