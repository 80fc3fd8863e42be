"""The logs of several runs as one, by the times at which their lines came."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from heapq import merge

from tui.store.log_ring import LogRing

MOST = 20_000  # lines of each log, the newest


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
