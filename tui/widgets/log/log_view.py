"""The log of a run: a view into the ring, styled line by line as it is looked at."""

import time
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual.binding import Binding
from textual.events import Click
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.store.log_ring import LogRing
from tui.theme import DIM, hue
from tui.widgets.log.log_content import MAX_WIDTH, LogContent
from tui.widgets.log.log_filter import LogFilter
from tui.widgets.log.log_layout import Row, from_top, parts_of, to_end
from tui.widgets.log.log_row import cut, styled
from tui.widgets.log.log_search import LogSearch, next_match

SIDE_STEP = 20  # cells
PAUSE_S = 0.03  # between two slices of looking for a text


class LogView(ScrollView, can_focus=True, inherit_bindings=False):
    """Shows a LogRing; follows its end until somebody scrolls up.

    Attributes:
        follow: whether the newest line stays in view.
        content: which lines there are, what was found and marked.
        wraps: whether a long line goes on in the next row.
        timed: whether the time at which a line came stands before it, where that is known.
    """

    class Top(Message):
        """Somebody has scrolled up to the first line."""

    class Looked(Message):
        """A search or a filter has looked at more; `fault`: why it was given up."""

        def __init__(self, fault: str = "") -> None:
            super().__init__()
            self.fault = fault

    BINDINGS: ClassVar = [  # those of a scrolled widget but left and right, which move cut lines
        Binding("up", "scroll_up", show=False),
        Binding("down", "scroll_down", show=False),
        Binding("pageup", "page_up", show=False),
        Binding("pagedown", "page_down", show=False),
        Binding("home", "scroll_home", show=False),
        Binding("end", "scroll_end", show=False),
    ]
    DEFAULT_CSS: ClassVar[str] = """
    LogView { height: 1fr; min-height: 3; scrollbar-size-vertical: 1; scrollbar-size-horizontal: 0;
        background: $background; }
    """

    def __init__(self, name: str = "log") -> None:
        super().__init__(id=name, name=name)
        self.follow, self.wraps, self.timed = True, False, False
        self.content = LogContent(LogRing())
        self._version: object = None
        self._aside = 0
        self._waits = False  # to look at more lines
        self._top = 0  # the number of the line at the top
        self._rows: tuple[object, list[Row]] = (None, [])

    @property
    def searched(self) -> LogSearch | None:
        """What is searched for."""
        return self.content.searched

    # What is shown.

    def show(self, ring: LogRing) -> None:
        """Show this ring from now on; refreshes only if it changed."""
        content = self.content
        if ring is not content.ring:
            content.turn_to(ring)
            self._aside = 0
        self._look_on()
        if content.version != self._version:
            self._version = content.version
            self._lay()

    def _lay(self) -> None:
        """The height of what there is; the end stays in view, or the line that was at the top."""
        count, height = self.content.count, self.size.height
        if self.wraps:
            rows = to_end(count, height, self._parts)
            count = rows[0][0] + (rows[0][1] > 0) + height if rows else 0
        self.virtual_size = Size(self._width, count)
        self._put(count if self.follow else self.content.place_of(self._top))
        self.refresh()

    def _put(self, top: int) -> None:
        """Put this line at the top, at once; forced, as the scrollbar may not have been laid out yet."""
        self.scroll_to(y=max(top, 0), animate=False, immediate=True, force=True)

    @property
    def _width(self) -> int:
        return self.scrollable_content_region.width  # what the scrollbar leaves

    @property
    def _before(self) -> int:
        """Cells that stand before each line."""
        return 9 * self.timed + 2 * bool(self.content.marks)

    def _parts(self, place: int) -> int:
        text = self.content.text(self.content.number(place))
        return parts_of(cell_len(text), self._width - self._before)

    def _laid(self) -> list[Row]:
        """The rows on the screen."""
        top, height, count = self.scroll_offset.y, self.size.height, self.content.count
        key = (self._version, top, self.size, self._width, self.wraps, self._before, self.content.version)
        if self._rows[0] != key:
            if not self.wraps:
                rows = [(place, 0) for place in range(top, min(top + height, count))]
            elif top >= self.max_scroll_y:
                rows = to_end(count, height, self._parts)
            else:
                rows = from_top(top, count, height, self._parts)
            self._rows = (key, rows)
            self._top = self.content.number(rows[0][0]) if rows else 0
        return self._rows[1]

    def render_line(self, y: int) -> Strip:
        """One row on the screen."""
        rows, width = self._laid(), self._width
        if y >= len(rows):
            return Strip.blank(width, self.rich_style)
        place, part = rows[y]
        number = self.content.number(place)
        line = styled(self.content.text(number), self.searched, is_here=number == self.content.here)
        room = max(width - self._before, 1)
        if self.wraps:
            shown = line.crop_extend(part * room, (part + 1) * room, None)
        else:
            shown = cut(line, self._aside, room)
        return (
            Strip([*self._head(number, part), *shown])
            .crop_extend(0, width, None)
            .apply_style(self.rich_style)
        )

    def _head(self, number: int, part: int) -> list[Segment]:
        """What stands before a line: when it came, and its mark."""
        head = []
        if self.timed:
            at = self.content.ring.time_of(number) if part == 0 else None
            text = time.strftime("%H:%M:%S ", time.localtime(at)) if at is not None else " " * 9
            head.append(Segment(text, DIM))
        if self.content.marks:
            head.append(Segment("◆ " if number in self.content.marks and part == 0 else "  ", hue("violet")))
        return head

    # Moving in it.

    def action_move(self, lines: int) -> None:
        """So many lines down; upwards it stops following, at the end it follows again."""
        last = max(int(self.max_scroll_y), 0)
        top = min(max(self.scroll_offset.y + lines, 0), last)
        self.follow = top >= last
        self._put(top)
        self.refresh()

    def toggle_follow(self) -> bool:
        """Follow the end, or stay here; whether it follows now."""
        self.follow = not self.follow
        if self.follow:
            self._put(self.content.count)
        self.refresh()
        return self.follow

    def toggle_wrap(self) -> bool:
        """Go on in the next row, or cut lines; whether it wraps now."""
        self.wraps, self._aside = not self.wraps, 0
        self._lay()
        return self.wraps

    def toggle_times(self) -> bool:
        """Show when lines came, or not; whether it does now."""
        self.timed = not self.timed
        self._lay()
        return self.timed

    def aside(self, change: int) -> bool:
        """Further to the right (1) or the left (-1) in lines that are cut; whether that is possible."""
        if self.wraps:
            return False
        self._aside = min(max(self._aside + change * SIDE_STEP, 0), MAX_WIDTH)
        self.refresh()
        return True

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Scrolling up by hand stops following; scrolling back to the end resumes it."""
        super().watch_scroll_y(old_value, new_value)
        if 0 <= new_value < self.content.count:
            self._top = self.content.number(int(new_value))
        if new_value < old_value and new_value < self.max_scroll_y:
            self.follow = False
            if new_value <= 0:
                self.post_message(self.Top())
        elif self.max_scroll_y and new_value >= self.max_scroll_y:
            self.follow = True

    def on_resize(self) -> None:
        """Lines are cut to the width; the end stays in view."""
        self._version = None
        self.show(self.content.ring)

    def on_click(self, event: Click) -> None:
        """A click chooses the log, and the line under it."""
        event.stop()
        self.focus()
        rows = self._laid()
        if event.y < len(rows):
            self.content.here = self.content.number(rows[event.y][0])
            self.refresh()

    # Marks, and what is copied.

    def _on_screen(self) -> list[int]:
        return [self.content.number(place) for place, _ in self._laid()]

    def current(self) -> int | None:
        """The line that was clicked or found, if it is on the screen, else the first one there."""
        numbers, here = self._on_screen(), self.content.here
        return here if here in numbers else next(iter(numbers), None)

    def toggle_mark(self) -> None:
        """Mark the current line, or no longer."""
        number = self.current()
        if number is not None:
            self.content.marks ^= {number}
            self._lay()

    def next_mark(self) -> bool:
        """Show the next marked line, going round; whether there is one."""
        target = self.content.next_mark(self.current() or 0)
        if target is not None:
            self._show_line(target)
        return target is not None

    def to_copy(self) -> str:
        """The marked lines, else the one that was found or clicked, else those on the screen; all whole."""
        return self.content.to_copy(self._on_screen())

    def _show_line(self, number: int) -> None:
        self.content.here, self.follow = number, False
        self._put(self.content.place_of(number) - self.size.height // 2)
        self.refresh()

    # Searching and filtering: in slices, the newest lines first.

    def search(self, text: str) -> None:
        """Look for a text or a regular expression."""
        self.content.here = None
        self.content.searched = LogSearch(text) if text else None
        self._look_on()
        self.refresh()

    def filter(self, text: str, level: int) -> None:
        """Show lines with a text (`!`: without) of a level at least; all for none of both."""
        self.content.filtered = LogFilter(text, level) if text or level else None
        self.show(self.content.ring)

    def _look_on(self) -> None:
        """Look at more lines; where some are left, go on when the keys had their turn."""
        content = self.content
        before = content.is_looking
        if content.look_on():
            self.post_message(self.Looked("that pattern takes too long on this log: nothing is searched for"))
        elif before:
            self.post_message(self.Looked())
        if content.is_looking and not self._waits:
            self._waits = True
            self.set_timer(PAUSE_S, self._go_on)

    def _go_on(self) -> None:
        self._waits = False
        self.show(self.content.ring)

    def go(self, *, forward: bool) -> tuple[int, int] | None:
        """Show the next match, or the one before, at first the newest; its place among all, or None."""
        content = self.content
        numbers = content.matches()
        at_first = self._top - 1 if forward else 1 << 60
        start = at_first if content.here is None else content.here
        target = next_match(numbers, start, forward=forward)
        if target is None:
            return None
        self._show_line(target)
        return numbers.index(target) + 1, len(numbers)
