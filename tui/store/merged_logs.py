"""The logs of several runs as one, by the times at which their lines came."""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from heapq import merge

from tui.store.log_ring import LogRing
from tui.store.words import shortened

MOST = 2_000  # lines of each log, the newest: they are merged anew with each that comes
NAME = 14  # cells


@dataclass(frozen=True, slots=True)
class MergedLine:
    """A line, whose it is, and when it came; `at` is 0 where that is unknown: before all whose time is."""

    at: float
    whose: str
    text: str


def merged(logs: Mapping[str, LogRing]) -> list[MergedLine]:
    """The newest lines of all of them; those of one log stay in its order, whatever its clock did."""
    return list(merge(*(_timed(whose, ring) for whose, ring in logs.items()), key=lambda one: one.at))


def _timed(whose: str, ring: LogRing) -> Iterable[MergedLine]:
    return _growing(whose, ring, range(max(len(ring.lines) - MOST, 0), len(ring.lines)))


def _growing(whose: str, ring: LogRing, places: range) -> Iterator[MergedLine]:
    last = 0.0
    for place in places:
        last = max(last, ring.time_of(ring.dropped + place) or 0.0)
        yield MergedLine(last, whose, ring.lines[place])


class MergedRing(LogRing):
    """Several logs as one: before each line its time, or that it is unknown, and whose it is."""

    def __init__(self) -> None:
        super().__init__()
        self._made_of: object = None

    def show(self, logs: Mapping[str, LogRing]) -> None:
        """Take the newest lines of these."""
        made_of = tuple((whose, id(ring), ring.version) for whose, ring in logs.items())
        if made_of == self._made_of:
            return
        self._made_of = made_of
        self.lines = [_shown(one) for one in merged(logs)]
        self.dropped = max(sum(ring.received for ring in logs.values()) - len(self.lines), 0)
        self.version += 1


def _shown(one: MergedLine) -> str:
    at = time.strftime("%H:%M:%S", time.localtime(one.at)) if one.at else "unknown "
    return f"{at} {shortened(one.whose, NAME):<{NAME}} │ {one.text}"
