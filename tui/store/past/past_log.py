"""The log of a run as it was at an earlier time, as far as the times of its lines are known."""

import re
from bisect import bisect_right

from tui.store.log_ring import LogRing

UNKNOWN = "── the times of this log are not known: a replay cannot tell what stood here then ──"
_STEP = re.compile(r"^\s*(?:\[?step\s*[:=]?\s*)?(\d{1,9})\b", re.IGNORECASE)


class PastLog(LogRing):
    """A log that ends earlier than it does by now.

    Attributes:
        whole: all of it; `count`: how many of its lines are shown.
    """

    def __init__(self, whole: LogRing) -> None:
        super().__init__()
        self.whole, self.count = whole, -1
        self._made_of, self._told = -1, ([0], [0])

    def time_of(self, number: int) -> float | None:
        """When a line came."""
        return self.whole.time_of(number)

    def show(self, t: float, step: int | None) -> None:
        """End at `t`, epoch seconds of the host, at which the run had reached `step`."""
        whole = self.whole
        if self._made_of != whole.version:
            self._made_of, self.count, self._told = whole.version, -1, _steps(whole)
        steps, places = self._told
        known = places[bisect_right(steps, step) - 1] if step is not None and len(steps) > 1 else 0
        count = max(known, whole.lines_by(t))
        if count == self.count:
            return
        self.count, self.dropped = count, whole.dropped
        self.lines = whole.lines[:count] if count or not whole.lines else [UNKNOWN]
        self.version += 1


def past_log(whole: LogRing, t: float, step: int | None, before: LogRing | None) -> LogRing:
    """The log at a time; what was made for the moment before is moved on."""
    log = before if isinstance(before, PastLog) and before.whole is whole else PastLog(whole)
    log.show(t, step)
    return log


def _steps(whole: LogRing) -> tuple[list[int], list[int]]:
    """Growing steps that lines begin with, and how many lines there were up to the one of each."""
    steps, places = [-1], [0]
    for place, line in enumerate(whole.lines):
        found = _STEP.match(line)
        if found is not None and int(found[1]) >= steps[-1]:
            steps.append(int(found[1]))
            places.append(place + 1)
    return steps, places
