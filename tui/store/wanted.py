"""Which files of which runs the cockpit follows, and from how far back."""

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Protocol

from remote.session.updates import Bytes, Update
from tui.store.store import RunKey, Store

WHOLE = 64 << 20
TAIL = 256 << 10
GLIMPSE = 64 << 10
GLIMPSES = 12
WATCHED_MAX = 24  # files that others write, read whole at once: a host follows 64 for one client
StreamKey = tuple[str, str, str]  # host, run, what


class Follows(Protocol):
    """What is needed of a session."""

    def follow(
        self, run_id: str, what: str = ..., cursor: None = ..., last: int = ..., *, skip: bool = ...
    ) -> int:
        """Follow a file from `last` bytes before its end; the key of its bytes. `skip`: keep close to it."""
        ...

    def unfollow(self, key: int) -> None:
        """Follow it no longer."""
        ...


def wanted(
    store: Store,
    opened: RunKey | None,
    compared: Collection[RunKey] = (),
    merged: Collection[RunKey] = (),
) -> dict[StreamKey, int]:
    """Bytes from the end for every file worth following.

    Live runs, the opened one and those that are compared are heard from their beginning; of each host's
    newest runs that are over, the end is enough for the table. The log of a run of our own trainer is read
    only while it is looked at, alone or merged with others.
    Of what is only watched, what is being written counts as live. What is shown from this machine is not
    followed before its host tells of it.
    """
    found: dict[StreamKey, int] = {}
    over: dict[str, int] = {}
    watched: Counter[str] = Counter()
    for (host, run_id), run in store.runs.items():
        if run.offline_at:
            continue
        what = "log" if run.view.kind == "command" else "events"
        watched[host] += run.view.is_watched and run.view.is_live
        goes_on = run.view.is_live and not (run.view.is_watched and watched[host] > WATCHED_MAX)
        if goes_on or (host, run_id) == opened or (host, run_id) in compared:
            found[host, run_id, what] = WHOLE
        elif run.view.state == "awaited":
            continue
        elif over.setdefault(host, 0) < GLIMPSES:
            found[host, run_id, what] = GLIMPSE
            over[host] += 1
    for key in (opened, *merged):
        if key is not None and key in store.runs and not store.runs[key].offline_at:
            found.setdefault((*key, "log"), TAIL)
    return found


class Followers:
    """Keeps the followed files of every session as `wanted` says."""

    def __init__(self) -> None:
        self._keys: dict[StreamKey, tuple[int, int]] = {}

    def is_current(self, host: str, update: Update) -> bool:
        """Whether bytes belong to a file that is still followed under that key; other updates always do."""
        if not isinstance(update, Bytes):
            return True
        key, _ = self._keys.get((host, update.run_id, update.what), (update.key, 0))
        return key == update.key

    def sync(
        self,
        sessions: Mapping[str, Follows],
        store: Store,
        opened: RunKey | None,
        compared: Collection[RunKey] = (),
        merged: Collection[RunKey] = (),
    ) -> None:
        """Follow what is wanted and not yet followed, deeper where more is wanted; let go of closed logs."""
        want = wanted(store, opened, compared, merged)
        for stream in [stream for stream in self._keys if stream not in want and stream[2] == "log"]:
            self._let_go(sessions, stream)
        for stream, last in want.items():
            host, run_id, what = stream
            _, depth = self._keys.get(stream, (0, 0))
            if depth >= last:
                continue
            if depth:
                self._let_go(sessions, stream)
            store.forget_stream((host, run_id), what)
            looked_at = what == "log" and last == TAIL  # by a person, and by nothing that counts its rows
            key = sessions[host].follow(run_id, what, None, last, skip=looked_at)
            self._keys[stream] = (key, last)

    def _let_go(self, sessions: Mapping[str, Follows], stream: StreamKey) -> None:
        key, _ = self._keys.pop(stream)
        sessions[stream[0]].unfollow(key)
