"""A search of a log: a text or a regular expression, on which no line may keep the cockpit for long."""

from bisect import bisect_right

import regex

from tui.widgets.log.line_scan import LineScan

LINE_MAX = 2000  # characters of a line that are looked at, as they are shown
LINE_S = 0.1  # a pattern that takes longer on one line is given up
LOOK_S = 0.02


class LogSearch(LineScan):
    """A text or a regular expression that is looked for, in any case if it has no capitals.

    Attributes:
        text: as it was typed.
        fault: why it is no regular expression, and was taken as it stands; empty where it is one.
    """

    def __init__(self, text: str) -> None:
        super().__init__(self.is_in)
        self.text = text
        flags = regex.IGNORECASE if text.islower() else 0
        self.fault = ""
        try:
            self._pattern = regex.compile(text, flags)
        except (regex.error, OverflowError, RecursionError) as error:
            self.fault = str(error) or type(error).__name__
            self._pattern = regex.compile(regex.escape(text), flags)

    def is_in(self, line: str) -> bool:
        """Whether it stands in a line.

        Raises:
            TimeoutError: that takes longer than `LINE_S`.
        """
        return self._pattern.search(line[:LINE_MAX], timeout=LINE_S) is not None

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
