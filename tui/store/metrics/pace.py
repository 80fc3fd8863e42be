"""How fast a run's rows come, by their own times; and how long a silence is longer than its pace explains."""

from collections import deque
from itertools import pairwise

ROWS = 32  # the newest, of which the pace is made
LOOK = 8  # rows between two looks at what is usual
ENOUGH = 3  # pauses between rows that make a pace
PACES = 10.0  # a run that is silent for so many of its pauses stands still
LEAST_S = 5.0  # however fast it was: a link, a disk or a collection of garbage may hold it up for so long
UNKNOWN_S = 180.0  # the least while its pace is not known yet
BEGINNINGS = 5.0  # times that a row took since the beginning, as long as there is only that to go by
AGAIN = 2.0  # times a pause that it has made before: evaluations and checkpoints come again


class RowPace:
    """Times of a run's rows, by the run's own clock. Rows heard at once are one moment: their last.

    Attributes:
        rows: how many rows there were, with times or without; the first at `first`, the newest at `last`.
    """

    __slots__ = ("_long", "_rows", "_usual", "first", "last", "rows")

    def __init__(self) -> None:
        self.rows = self.first = self.last = 0
        self._usual: float | None = None
        self._rows: deque[tuple[int, float]] = deque(maxlen=ROWS)
        self._long: deque[float] = deque(maxlen=8)  # the newest pauses that were out of proportion

    def row(self, step: int, t: float) -> None:
        """Take a row at `t` seconds; one without a time (0) counts for nothing."""
        rows = self._rows
        if rows and step < rows[-1][0]:
            self.clear()
        self.rows += 1
        self.last = step
        if self.rows == 1:
            self.first = step
        if not t or (rows and step == rows[-1][0]):
            return
        if rows:
            if rows[-1][1] == t:
                rows.pop()
            else:
                self._look(t - rows[-1][1])
        rows.append((step, t))

    def _look(self, gap: float) -> None:
        """Keep a pause that is out of proportion; what is in proportion is looked at now and then."""
        if not self.rows % LOOK or self._usual is None:
            gaps = self._gaps()
            self._usual = _middle(gaps) if len(gaps) >= ENOUGH else None
        if self._usual is not None and gap > PACES * self._usual:
            self._long.append(gap)

    def clear(self) -> None:
        """Another attempt begins."""
        self._usual = None
        self.rows = 0
        self._rows.clear()
        self._long.clear()

    def _gaps(self) -> list[float]:
        return [b[1] - a[1] for a, b in pairwise(self._rows) if b[1] > a[1]]

    @property
    def step_s(self) -> float | None:
        """Usual seconds a step; None before there are two rows with times."""
        gaps = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in pairwise(self._rows) if b[1] > a[1]]
        return _middle(gaps) if gaps else None

    @property
    def row_s(self) -> float | None:
        """Usual seconds between two rows; None before there are two rows with times."""
        return _middle(gaps) if (gaps := self._gaps()) else None

    def row_since(self, began_s: float | None) -> float | None:
        """The same since it began, `began_s` before its newest row: all that is known at first."""
        return began_s / max(self.rows, 1) if began_s is not None else None

    def step_since(self, began_s: float | None) -> float | None:
        """Seconds a step since it began; None before its second step."""
        return began_s / (self.last - self.first) if began_s is not None and self.last > self.first else None

    def stall_s(self, began_s: float | None = None) -> float:
        """Seconds without a row after which the run stands still.

        Ten of its usual pauses, and twice the longest of the newest rows, or one that it made at least twice.

        Args:
            began_s: seconds from its beginning to its newest row, None where unknown.
        """
        gaps = self._gaps()
        if not gaps:
            return max(UNKNOWN_S, BEGINNINGS * (self.row_since(began_s) or 0.0))
        again = sorted(self._long)[-2] if len(self._long) > 1 else 0.0
        least = LEAST_S if len(gaps) >= ENOUGH else UNKNOWN_S
        return max(least, PACES * _middle(gaps), AGAIN * max(gaps), AGAIN * again)


def _middle(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]
