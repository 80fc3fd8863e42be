"""Which lines of a log fit, looked for a slice at a time, so that no key waits for it."""

import time
from bisect import bisect_left
from collections.abc import Callable

from tui.store.log_ring import LogRing

SLICE = 128  # lines between two looks at the clock


class LineScan:
    """Numbers of the lines that fit: the newest are looked at first, and each once.

    Attributes:
        numbers: those found so far, in order, from the first byte on.
        done: whether every line that is there was looked at.
    """

    def __init__(self, fits: Callable[[str], bool]) -> None:
        self._fits = fits
        self._ring: LogRing | None = None
        self.numbers: list[int] = []
        self.done = False
        self._low = self._high = 0

    def work(self, ring: LogRing, seconds: float) -> bool:
        """Go on for so long; whether all was looked at.

        Raises:
            TimeoutError: a line alone takes too long.
        """
        first, end = ring.dropped, ring.dropped + len(ring.lines)
        if ring is not self._ring or self._high < first or self._high > end:
            self._ring, self.numbers, self._low, self._high = ring, [], end, end
        if self._low < first:
            self._low = first
            del self.numbers[: bisect_left(self.numbers, first)]
        deadline = time.monotonic() + seconds
        while self._high < end or self._low > first:
            if self._high < end:
                after = min(self._high + SLICE, end)
                self.numbers += self._among(ring, self._high, after)
                self._high = after
            else:
                begin = max(self._low - SLICE, first)
                self.numbers[:0] = self._among(ring, begin, self._low)
                self._low = begin
            if time.monotonic() >= deadline:
                break
        self.done = self._low <= first and self._high >= end
        return self.done

    def _among(self, ring: LogRing, start: int, end: int) -> list[int]:
        lines, fits = ring.lines[start - ring.dropped : end - ring.dropped], self._fits
        return [number for number, line in enumerate(lines, start) if fits(line)]
