"""A time that is replayed, and the store as it was then."""

from dataclasses import dataclass

from remote.session.link.link_state import LinkState
from tui.store.hosts import HostRecord
from tui.store.past.past_run import past_run
from tui.store.store import RunKey, Store
from tui.store.words import moment

WHOLE_S = 60.0  # in which all of it is played at first
STEPS = 50  # of one key across all of it
FASTEST, SLOWEST = 1 << 20, 1.0


@dataclass(frozen=True, slots=True)
class Shown:
    """What screens show: a store, and the time there, monotonic and epoch seconds."""

    store: Store
    now: float
    wall: float


class Replay:
    """Moves from one time to another; a run, or all of them, are shown as they were then.

    Attributes:
        at: the time that is shown, epoch seconds of this machine, within `begin` and `end`.
        speed: seconds that pass there in one of ours.
        plays: whether time passes.
    """

    def __init__(self, begin: float, end: float) -> None:
        self.begin, self.end = begin, max(end, begin + 1.0)
        self.at, self.plays = begin, True
        self.speed = max((self.end - begin) / WHOLE_S, SLOWEST)
        self._last: float | None = None
        self._store: Store | None = None

    def advance(self, now: float) -> None:
        """Let it play on until `now`, monotonic seconds; at the end it stands."""
        if self.plays and self._last is not None:
            self.move_to(self.at + (now - self._last) * self.speed)
            self.plays = self.at < self.end
        self._last = now

    def move_to(self, at: float) -> None:
        """Show another time."""
        self.at = min(max(at, self.begin), self.end)

    def step(self, change: int) -> None:
        """Earlier (-1) or later (1) by a fiftieth of all of it; it stands there."""
        self.plays = False
        self.move_to(self.at + change * (self.end - self.begin) / STEPS)

    def toggle(self) -> None:
        """Play, or stand; from the end it plays from the beginning."""
        self.plays, self._last = not self.plays, None
        if self.plays and self.at >= self.end:
            self.at = self.begin

    def faster(self, change: int) -> None:
        """Twice as fast (1), or half (-1)."""
        self.speed = min(max(self.speed * 2.0**change, SLOWEST), FASTEST)

    def words(self) -> str:
        """Which time is shown, and how fast it passes."""
        return f"replay {moment(self.at, seconds=True)} {f'×{self.speed:,.0f}' if self.plays else 'paused'}"

    def shown(self, store: Store, now: float, wall: float) -> Shown:
        """The store as it was then; `now` and `wall` are the present."""
        mono = now - (wall - self.at)
        past = Store([], store.bands, store.formats)
        past.seen = store.seen
        before = self._store.runs if self._store is not None else {}
        for name, host in store.hosts.items():
            past.hosts[name] = HostRecord(
                name, host.config, LinkState("connected"), hello=host.hello, received_at=mono,
                wall_ahead=host.wall_ahead, runs_seen=host.runs_seen, is_past=True,
            )  # fmt: skip
        for key, run in store.runs.items():
            t = self.at + (store.hosts[run.host].wall_ahead or 0.0)
            if (made := past_run(run, t, mono, before.get(key))) is not None:
                past.runs[key] = made
        self._store = past
        return Shown(past, mono, self.at)


def replay_of(store: Store, key: RunKey | None, wall: float) -> Replay | None:
    """The replay of one run, else of all that are known; None where no times are known."""
    runs = [run] if (run := store.run_of(key)) is not None else list(store.runs.values())
    spans = []
    for one in runs:
        rows = one.axes.rows_by(float("inf"), 1)
        ahead = store.hosts[one.host].wall_ahead or 0.0
        if rows:
            spans.append((one.axes.began_t - ahead, min(rows[-1][1] - ahead, wall)))
    if not spans:
        return None
    return Replay(min(begin for begin, _ in spans), max(end for _, end in spans))
