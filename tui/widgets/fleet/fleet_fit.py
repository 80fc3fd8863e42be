"""The columns of the Fleet table that a width leaves room for."""

from dataclasses import dataclass

# Column, title, and its width from 208, 184, 158, 126, 98, 78 columns on, and below; 0 leaves it out.
COLUMNS: tuple[tuple[str, str, tuple[int, ...]], ...] = (
    ("run", "host and run", (30, 30, 24, 38, 35, 33, 28)),
    ("link", "link, loss", (24, 18, 18, 0, 0, 0, 0)),
    ("state", "state", (14, 14, 12, 12, 11, 11, 10)),
    ("step", "step", (14, 14, 13, 13, 11, 11, 10)),
    ("eta", "time left", (16, 10, 0, 0, 0, 0, 0)),
    ("loss", "loss", (7, 7, 6, 6, 6, 6, 0)),
    ("u_val", "u_val", (8, 7, 6, 6, 6, 0, 0)),
    ("R", "R zone", (16, 16, 15, 15, 7, 7, 0)),
    ("grad", "grad", (8, 8, 7, 7, 0, 0, 0)),
    ("load", "device", (9, 9, 8, 0, 0, 0, 0)),
    ("memory", "memory", (12, 12, 11, 0, 0, 0, 0)),
    ("power", "power", (7, 0, 0, 0, 0, 0, 0)),
    ("data", "data age", (15, 15, 15, 12, 7, 0, 0)),
)
TIERS = (208, 184, 158, 126, 98, 78)
RIGHT = frozenset({"step", "loss"})  # the lamps lay their numbers out themselves


@dataclass(frozen=True, slots=True)
class Fit:
    """What a width of the terminal leaves room for."""

    tier: int
    without: frozenset[str] = frozenset()

    @classmethod
    def of(cls, width: int, without: frozenset[str] = frozenset()) -> "Fit":
        """The columns for this many cells, but for those that no run has anything for."""
        return cls(next((tier for tier, least in enumerate(TIERS) if width >= least), len(TIERS)), without)

    @property
    def columns(self) -> list[tuple[str, str, int]]:
        """Name, title and width of each column shown."""
        shown = [(name, title, width) for name, title, _ in COLUMNS if (width := self.width(name))]
        return [(name, _title(title, width), width) for name, title, width in shown]

    def width(self, name: str) -> int:
        """The width of a column, 0 where it is left out."""
        if name in self.without:
            return 0
        room = sum(self._usual(other) + 1 for other in self.without if self._usual(other))
        return self._usual(name) + (room if name == "run" else 0)

    def _usual(self, name: str) -> int:
        return next(widths[self.tier] for known, _, widths in COLUMNS if known == name)


def _title(title: str, width: int) -> str:
    return title if len(title) <= width else title.split()[-1]
