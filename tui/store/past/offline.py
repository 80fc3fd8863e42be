"""Runs as they were heard last, kept on this machine: what is shown until their host is heard again."""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from remote.protocol.views import RunView
from tui.store.edge import cleaned
from tui.store.run_streams import EventStream, LogStream
from tui.store.runs import RunRecord
from tui.store.store import RunKey, Store

What = Literal["events", "log"]
WHATS: tuple[What, ...] = ("events", "log")


@dataclass(frozen=True, slots=True)
class OfflineRun:
    """A run whose bytes lie on this machine. `at`: when it was heard last, epoch seconds of this machine."""

    host: str
    view: RunView
    at: float

    @property
    def key(self) -> RunKey:
        """Host and id."""
        return self.host, self.view.run_id


Read = Callable[[OfflineRun, What], Iterable[tuple[int, bytes]]]  # pieces, each with its offset


@dataclass(frozen=True, slots=True)
class Now:
    """Now: monotonic seconds, and epoch seconds of this machine."""

    now: float
    wall: float


def recall(store: Store, kept: Iterable[OfflineRun], at: Now) -> list[OfflineRun]:
    """Put runs of known hosts into the store, as of when they were heard last; those that were put there."""
    recalled = []
    for one in sorted(kept, key=lambda one: (one.view.is_terminal, -one.view.created)):
        if one.host in store.hosts and one.key not in store.runs:
            received_at = at.now - max(at.wall - one.at, 0.0)
            store.runs[one.key] = RunRecord(one.host, one.view, received_at, offline_at=one.at)
            recalled.append(one)
    return recalled


def retell(store: Store, recalled: Iterable[OfflineRun], read: Read, at: Now) -> Iterator[None]:
    """What these runs had said, a piece at a time; of a run whose host is heard meanwhile no more."""
    for one in recalled:
        for what in WHATS:
            stream = EventStream() if what == "events" else LogStream(lambda: 0.0, store.formats)
            for offset, data in read(one, what):
                run = store.runs.get(one.key)
                if run is None or not run.offline_at:
                    break
                _take(store, one, stream, offset, data, at)
                yield


def _take(
    store: Store, one: OfflineRun, stream: EventStream | LogStream, offset: int, data: bytes, at: Now
) -> None:
    """One piece of a file: its rows are as old as they say, and no news."""
    run, zones = store.runs[one.key], store.bands.metrics.get("R") if store.bands else None
    if isinstance(stream, EventStream):
        events = stream.take(run, 0, offset, data)
    else:
        events = stream.take(run, 0, offset, data, "")
    for event in map(cleaned, events):
        written_at = at.now - max(at.wall - (event.t or one.at), 0.0)
        with contextlib.suppress(Exception):  # one that cannot be taken costs itself, as when it was heard
            run.apply(event, written_at, zones)
    run.version += 1
