"""Which lines of a log a view has: all or those that a filter leaves, what was found and marked in them."""

from bisect import bisect_left
from collections.abc import Iterable

from tui.store.log_ring import LogRing
from tui.widgets.log.log_filter import LogFilter
from tui.widgets.log.log_search import LogSearch, next_match

MAX_WIDTH = 2000
SLICE_S = 0.02  # of looking for a text, before keys have their turn


class LogContent:
    """Lines by their place in the view, and by their number since the first byte was heard.

    Attributes:
        searched: what is searched for, None for nothing.
        filtered: which lines are shown, None for all.
        marks: numbers of the lines that were marked.
        here: the number of the line that was found or clicked last.
    """

    def __init__(self, ring: LogRing) -> None:
        self.ring = ring
        self.searched: LogSearch | None = None
        self.filtered: LogFilter | None = None
        self.marks: set[int] = set()
        self.here: int | None = None

    def turn_to(self, ring: LogRing) -> None:
        """The log of another run: what is searched for stays, what was found and marked does not."""
        self.ring, self.here = ring, None
        self.marks.clear()

    @property
    def count(self) -> int:
        """Lines in the view."""
        return len(self.ring) if self.filtered is None else len(self.filtered.numbers)

    @property
    def version(self) -> object:
        """Another value with every change of the lines in the view."""
        return self.ring, self.ring.version, self.filtered, self.count

    def number(self, place: int) -> int:
        """The number of a line in the view."""
        return place + self.ring.dropped if self.filtered is None else self.filtered.numbers[place]

    def place_of(self, number: int) -> int:
        """Where a line stands in the view, or the next one that is there."""
        if self.filtered is None:
            return number - self.ring.dropped
        return bisect_left(self.filtered.numbers, number)

    def text(self, number: int) -> str:
        """A line as it is shown."""
        return self.ring.line(number - self.ring.dropped)[:MAX_WIDTH].expandtabs(8)

    @property
    def is_looking(self) -> bool:
        """Whether lines are still to be looked at."""
        return any(scan is not None and not scan.done for scan in (self.filtered, self.searched))

    def look_on(self) -> bool:
        """Look at more lines for what is filtered and searched; whether a pattern had to be given up."""
        try:
            for scan in (self.filtered, self.searched):
                if scan is not None:
                    scan.work(self.ring, SLICE_S)
        except TimeoutError:
            self.searched = self.filtered = None
            return True
        return False

    def matches(self) -> list[int]:
        """Numbers of the lines in the view that were found."""
        numbers = self.searched.numbers if self.searched is not None else []
        if self.filtered is None or not numbers:
            return numbers
        shown = set(self.filtered.numbers)
        return [number for number in numbers if number in shown]

    def next_mark(self, here: int) -> int | None:
        """The next marked line in the view after `here`, going round."""
        shown = self.marks if self.filtered is None else self.marks & set(self.filtered.numbers)
        return next_match(sorted(one for one in shown if one >= self.ring.dropped), here, forward=True)

    def to_copy(self, on_screen: Iterable[int]) -> str:
        """The marked lines, else the one that was found or clicked, else those on the screen; all whole."""
        seen = list(dict.fromkeys(on_screen))
        found = [one for one in seen if one == self.here]
        chosen = sorted(self.marks) or found or seen
        first, after = self.ring.dropped, self.ring.dropped + len(self.ring)
        there = (one for one in chosen if first <= one < after)
        return "\n".join(self.ring.line(one - first) for one in there)
