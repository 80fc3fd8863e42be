"""Which row of a table is under the cursor, whatever comes, goes or moves."""

from collections.abc import Sequence


class RowCursor:
    """It stays on its row. When that row goes, nothing is chosen until the operator moves.

    Attributes:
        rows: their names, from the top.
        place: the cursor's place among them.
        adrift: whether its row has gone.
    """

    def __init__(self) -> None:
        self.rows: list[str] = []
        self.place = 0
        self.adrift = False

    @property
    def chosen(self) -> str | None:
        """The row under the cursor; None in an empty table, and once that row has gone."""
        return self.rows[self.place] if self.rows and not self.adrift else None

    def take(self, rows: Sequence[str]) -> None:
        """These rows are shown from now on, in this order."""
        chosen, order = self.chosen, list(rows)
        if chosen is not None:
            places = {row: place for place, row in enumerate(order)}
            self.adrift = chosen not in places
            self.place = places.get(chosen, self.place)
        self.rows = order
        self.place = min(self.place, max(len(order) - 1, 0))

    def go(self, place: int) -> None:
        """To this row, or the nearest there is."""
        self.place, self.adrift = min(max(place, 0), max(len(self.rows) - 1, 0)), False
