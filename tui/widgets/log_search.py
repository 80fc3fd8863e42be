"""A search of a log: what was found is kept and extended, and no pattern holds the cockpit for longer than a
person waits."""

import time
from bisect import bisect_right
from collections.abc import Iterable

import regex

from tui.store.log_ring import LogRing

LINE_MAX = 2000  # characters of a line that are looked at, as they are shown
SEARCH_S = 2.0
LOOK_S = 0.02


class LogSearch:
    """A text or a regular expression that is looked for, in any case if it has no capitals.

    Attributes:
        text: as it was typed.
        is_literal: whether it is no regular expression and was taken as it stands.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        flags = regex.IGNORECASE if text.islower() else 0
        self.is_literal = False
        try:
            self._pattern = regex.compile(text, flags)
        except (regex.error, OverflowError, RecursionError):
            self.is_literal = True
            self._pattern = regex.compile(regex.escape(text), flags)
        self._ring: LogRing | None = None
        self._numbers: list[int] = []
        self._first = self._next = 0

    def numbers(self, ring: LogRing) -> list[int]:
        """Numbers (from the first byte on) of the lines that match; only lines that are new are looked at.

        Raises:
            TimeoutError: it takes longer than `SEARCH_S`; what was found until then is forgotten.
        """
        if ring is not self._ring:
            self._ring, self._numbers, self._first, self._next = ring, [], ring.dropped, ring.dropped
        first, end = ring.dropped, ring.dropped + len(ring.lines)
        deadline = time.monotonic() + SEARCH_S
        try:
            older = self._among(ring, first, min(self._first, end), deadline)
            newer = self._among(ring, max(self._next, first), end, deadline)
        except TimeoutError:
            self._ring = None
            raise
        kept = self._numbers[bisect_right(self._numbers, first - 1) :]
        self._numbers, self._first, self._next = [*older, *kept, *newer], first, end
        return self._numbers

    def _among(self, ring: LogRing, start: int, end: int, deadline: float) -> list[int]:
        search, clock = self._pattern.search, time.monotonic
        lines: Iterable[str] = ring.lines[start - ring.dropped : max(end, start) - ring.dropped]
        return [
            number
            for number, line in enumerate(lines, start)
            if search(line[:LINE_MAX], timeout=max(deadline - clock(), 1e-3)) is not None
        ]

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where it stands in a line that is shown; nowhere if that takes longer than a look may."""
        try:
            found = [match.span() for match in self._pattern.finditer(text[:LINE_MAX], timeout=LOOK_S)]
        except TimeoutError:
            return []
        return [(start, end) for start, end in found if end > start]


def next_match(numbers: list[int], here: int, *, forward: bool) -> int | None:
    """The match after `here` (before it, unless `forward`), going round; None where there is none."""
    if not numbers:
        return None
    if forward:
        place = bisect_right(numbers, here)
        return numbers[place % len(numbers)]
    return numbers[bisect_right(numbers, here - 1) - 1]
