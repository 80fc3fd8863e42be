"""A table whose rows have names: only what differs is redrawn, and the cursor stays on its row."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from rich.text import Text
from textual.events import Click, Key
from textual.widgets import DataTable

Cells = Mapping[str, Text]


class KeyedTable(DataTable[Text]):
    """A DataTable that is told all its rows, and works out what to change.

    A row that appears above the cursor pushes it down with its row, on the screen too it stays where it was.
    When the cursor's own row goes, nothing is chosen until the operator moves: a key pressed at that moment
    must not meet the row that took its place.
    """

    DEFAULT_CSS: ClassVar[str] = """
    KeyedTable { height: 1fr; background: $background;
        scrollbar-size-horizontal: 0; scrollbar-size-vertical: 1; }
    KeyedTable:focus { background-tint: $foreground 0%; }
    KeyedTable > .datatable--hover { background: $surface; }
    KeyedTable > .datatable--header { background: $background; color: $text-muted; text-style: none; }
    """

    def __init__(self, name: str, *, choosable: bool = True) -> None:
        """`choosable` false: rows are shown, and no key reaches them."""
        super().__init__(id=name, cursor_type="row" if choosable else "none", cell_padding=1)
        self.can_focus = choosable
        self._cells: dict[str, dict[str, Text]] = {}
        self._columns: tuple[tuple[str, str, int], ...] = ()
        self._adrift = False

    @property
    def chosen(self) -> str | None:
        """The row under the cursor; None in an empty table, and once that row has gone."""
        if self._adrift or not self.row_count:
            return None
        return self.coordinate_to_cell_key(self.cursor_coordinate).row_key.value

    @property
    def row_names(self) -> list[str]:
        """The rows, from the top."""
        return list(self._cells)

    def choose(self, row: str) -> None:
        """Put the cursor on a row."""
        if row in self._cells:
            self._adrift = False
            self.move_cursor(row=self.get_row_index(row), animate=False)

    def lay(self, columns: Sequence[tuple[str, str, int]]) -> None:
        """Show these columns: name, title, width. The table is laid anew only where they differ."""
        wanted = tuple(columns)
        if wanted == self._columns:
            return
        place, top = self.cursor_row, self.scroll_y
        self._columns = wanted
        self.clear(columns=True)
        for name, title, width in wanted:
            self.add_column(Text(title), key=name, width=width)
        for row, cells in self._cells.items():
            self.add_row(*(cells.get(name, Text("")) for name, *_ in wanted), key=row)
        self.move_cursor(row=place, animate=False, scroll=False)
        self.scroll_to(y=top, animate=False, force=True)

    def show(self, rows: Mapping[str, Cells]) -> None:
        """Show exactly these rows, in this order."""
        chosen, before = self.chosen, self.cursor_row
        for row in [row for row in self._cells if row not in rows]:
            self._adrift = self._adrift or row == chosen
            self.remove_row(row)
            del self._cells[row]
        for row, cells in rows.items():
            self._put(row, cells)
        if list(self._cells) != list(rows):
            self._arrange(list(rows))
        if chosen is not None and chosen in rows:
            here = self.get_row_index(chosen)
            if here != self.cursor_row:
                self.move_cursor(row=here, animate=False, scroll=False)
            if here != before and self.scroll_y:
                self.scroll_to(y=self.scroll_y + here - before, animate=False, force=True)

    def _put(self, row: str, cells: Cells) -> None:
        known = self._cells.get(row)
        if known is None:
            self._cells[row] = dict(cells)
            self.add_row(*(cells.get(name, Text("")) for name, *_ in self._columns), key=row)
            return
        for name, *_ in self._columns:
            new, old = cells.get(name), known.get(name)
            if new is not None and (old is None or new != old or new.spans != old.spans):
                self.update_cell(row, name, new)
        known.update(cells)

    def _arrange(self, order: list[str]) -> None:
        """Put the rows in this order."""
        first = self._columns[0][0]
        ranks = {id(self.get_cell(row, first)): rank for rank, row in enumerate(order)}
        self.sort(first, key=lambda cell: ranks[id(cell)])
        self._cells = {row: self._cells[row] for row in order}

    def on_key(self, event: Key) -> None:
        """Only the operator chooses another row than the one that has gone."""
        if event.key in ("up", "down", "home", "end", "pageup", "pagedown"):
            self._adrift = False

    def on_click(self, _event: Click) -> None:
        """So does a click."""
        self._adrift = False
