"""A table whose rows have names: only what differs is drawn anew, and the cursor stays on its row.

Textual's DataTable draws every visible cell again after any change (75 ms for fifty runs, measured); this one
keeps each drawn row until one of its cells differs.
"""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import ClassVar

from rich.segment import Segment
from rich.text import Text
from textual.binding import Binding
from textual.events import Click
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.store.fleet.row_cursor import RowCursor
from tui.theme import CURSOR, CURSOR_BLURRED, DIM

Cells = Mapping[str, Text]
OVER = "+"  # the cell `name+` stands in that column and in those to its right that the row has no cell for
HEADER = 1


class KeyedTable(ScrollView, can_focus=True):
    """It is told all its rows, and works out what to change.

    A row that appears above the cursor pushes it down with its row; on the screen it stays where it was. When
    the cursor's own row goes, nothing is chosen until the operator moves: a key pressed at that moment must
    not meet the row that took its place.
    """

    class Chosen(Message):
        """Another row is under the cursor."""

    class Titled(Message):
        """The title of a column was clicked."""

        def __init__(self, column: str) -> None:
            super().__init__()
            self.column = column

    DEFAULT_CSS: ClassVar[str] = """
    KeyedTable { height: 1fr; background: $background;
        scrollbar-size-horizontal: 0; scrollbar-size-vertical: 1; overflow-x: hidden; }
    """
    BINDINGS: ClassVar = [
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home", "move(-1099511627776)", show=False),
        Binding("end", "move(1099511627776)", show=False),
    ]

    def __init__(self, name: str, *, choosable: bool = True) -> None:
        """`choosable` false: rows are shown, and no key reaches them."""
        super().__init__(id=name)
        self.can_focus = self._choosable = choosable
        self._columns: tuple[tuple[str, str, int], ...] = ()
        self._right: frozenset[str] = frozenset()
        self._cells: dict[str, dict[str, Text]] = {}
        self._drawn: dict[str, Strip] = {}
        self._cursor = RowCursor()

    @property
    def chosen(self) -> str | None:
        """The row under the cursor; None in an empty table, and once that row has gone."""
        return self._cursor.chosen

    @property
    def _rows(self) -> list[str]:
        return self._cursor.rows

    @property
    def _place(self) -> int:
        return self._cursor.place

    @property
    def row_names(self) -> list[str]:
        """The rows, from the top."""
        return list(self._rows)

    def choose(self, row: str) -> None:
        """Put the cursor on a row."""
        if row in self._cells:
            self._go(self._rows.index(row))

    def lay(self, columns: Sequence[tuple[str, str, int]], right: frozenset[str] = frozenset()) -> None:
        """Show these columns: name, title, width; those of numbers, in `right`, end where they end."""
        wanted = tuple(columns)
        if (wanted, right) != (self._columns, self._right):
            self._columns, self._right = wanted, right
            self._drawn.clear()
            self.refresh()

    def show(self, rows: Mapping[str, Cells]) -> None:
        """Show exactly these rows, in this order; what does not differ is not drawn again."""
        order = list(rows)
        changed = [row for row, cells in rows.items() if self._differs(row, cells)]
        for row in changed:
            self._cells[row] = dict(rows[row])
            self._drawn.pop(row, None)
        if order != self._rows:
            self._arrange(order)
            self.refresh()
            return
        top, room = self.scroll_offset.y, self.size.height - HEADER
        places = {row: place for place, row in enumerate(order)} if changed else {}
        for row in changed:  # bytes to the terminal: a whole screen twice a second fills a slow line
            if top <= places[row] < top + room:
                self.refresh_line(places[row] + HEADER)

    def _differs(self, row: str, cells: Cells) -> bool:
        known = self._cells.get(row)
        if known is None or known.keys() != cells.keys():
            return True
        return any(
            cell.plain != known[name].plain
            or cell.spans != known[name].spans
            or cell.style != known[name].style
            for name, cell in cells.items()
        )

    def _arrange(self, order: list[str]) -> None:
        """Take this order; the cursor goes where its row went."""
        grew, before = len(order) != len(self._rows), self._place
        for row in set(self._rows).difference(order):
            del self._cells[row]
            self._drawn.pop(row, None)
        self._cursor.take(order)
        self.virtual_size = Size(self.size.width, len(order) + HEADER)
        if self._place != before and self.scroll_offset.y:
            self._scroll(self.scroll_offset.y + self._place - before)
        if grew and self.styles.is_auto_height:
            self.refresh(layout=True)

    def get_content_height(self, _container: Size, _viewport: Size, _width: int) -> int:
        """The header and every row."""
        return len(self._rows) + HEADER

    def render_line(self, y: int) -> Strip:
        """The header, which stays, or one row."""
        width, ground = self.size.width, self.rich_style
        if y == 0:
            titles = {name: Text(title, style=DIM) for name, title, _ in self._columns}
            return self._strip(titles).crop_extend(0, width, None).apply_style(ground)
        place = self.scroll_offset.y + y - HEADER
        if place >= len(self._rows):
            return Strip.blank(width, ground)
        row = self._rows[place]
        strip = self._drawn.get(row)
        if strip is None:
            strip = self._drawn[row] = self._strip(self._cells[row])
        strip = strip.crop_extend(0, width, None).apply_style(ground)
        if place != self._place or self._cursor.adrift or not self._choosable:
            return strip
        style = CURSOR if self.has_focus else CURSOR_BLURRED
        return Strip(Segment.apply_style(list(strip), post_style=style), strip.cell_length)

    def _strip(self, cells: Cells) -> Strip:
        """One row: a space at either side of each cell, what is too long cut with an ellipsis."""
        segments: list[Segment] = []
        taken = 0  # of the columns, by a cell that began further left
        for place, (name, _, width) in enumerate(self._columns):
            if place < taken:
                continue
            cell = cells.get(name)
            if cell is None and (cell := cells.get(name + OVER)) is not None:
                taken, width = self._over(place, cells)
            if cell is None:
                segments.append(Segment(" " * (width + 2)))
                continue
            text = cell.copy()
            if not text.spans:  # Text.render forgets a style that no span carries
                text.stylize(text.style)
            text.truncate(width, overflow="ellipsis")
            gap = width - text.cell_len
            (text.pad_left if name in self._right else text.pad_right)(gap)
            segments += [Segment(" "), *text.render(self.app.console), Segment(" ")]
        return Strip(segments)

    def _over(self, place: int, cells: Cells) -> tuple[int, int]:
        """Where a cell that begins in this column ends, and its width."""
        end = place + 1
        while end < len(self._columns) and self._columns[end][0] not in cells:
            end += 1
        return end, sum(width + 2 for _, _, width in self._columns[place:end]) - 2

    def _scroll(self, top: int) -> None:
        self.scroll_to(y=max(top, 0), animate=False, immediate=True, force=True)

    def _go(self, place: int) -> None:
        """Move the cursor, and what is shown with it."""
        before = self._place
        self._cursor.go(place)
        room, top = max(self.size.height - HEADER, 1), self.scroll_offset.y
        if self._place < top:
            self._scroll(self._place)
        elif self._place >= top + room:
            self._scroll(self._place - room + 1)
        for line in (before, self._place):
            self.refresh_line(line + HEADER)
        self.post_message(self.Chosen())

    def action_move(self, change: int) -> None:
        """So many rows down."""
        if self._choosable and self._rows:
            self._go(self._place + change)

    def action_page(self, change: int) -> None:
        """A screenful down (+1) or up (-1)."""
        self.action_move(change * max(self.size.height - HEADER - 1, 1))

    def on_resize(self) -> None:
        """The cursor stays in view."""
        self.virtual_size = Size(self.size.width, len(self._rows) + HEADER)
        room, top = max(self.size.height - HEADER, 1), self.scroll_offset.y
        if not top <= self._place < top + room:
            self._scroll(self._place - room // 2)

    def on_focus(self) -> None:
        """The cursor shows where the keys act."""
        self.refresh()

    def on_blur(self) -> None:
        """The cursor shows where the keys act."""
        self.refresh()

    def on_click(self, event: Click) -> None:
        """A click chooses a row; on a title it is told."""
        event.stop()
        if event.y < HEADER:
            ends = accumulate(width + 2 for _, _, width in self._columns)
            names = (name for (name, _, _), end in zip(self._columns, ends, strict=True) if event.x < end)
            if (column := next(names, None)) is not None:
                self.post_message(self.Titled(column))
        place = self.scroll_offset.y + event.y - HEADER
        if self._choosable and event.y >= HEADER and place < len(self._rows):
            self._go(place)
