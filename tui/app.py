"""The cockpit: paints first, then connects; drains every session twice a second into one store."""

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from remote.hosts.host import Host
from tui.baselines import Baselines
from tui.chosen_charts import ChosenCharts
from tui.keys import keymap
from tui.keys.keys_file import take_own_keys
from tui.navigation import Navigator
from tui.palette import last_words
from tui.screens.base import CockpitScreen
from tui.screens.bridge import Acts, Shelves, Works
from tui.screens.fleet import Fleet
from tui.store.alerts import Level
from tui.store.past.offline import Now, recall, retell
from tui.store.store import Store
from tui.theme import STYLE
from tui.workers.checkpoint_work import CheckpointWork
from tui.workers.host_work import HostWork
from tui.workers.offline_runs import OfflineRuns
from tui.workers.pull_work import AutoPulls
from tui.workers.run_work import SessionActs

if TYPE_CHECKING:
    from remote.session.session import Session

TICK_S = 0.5
TELEMETRY_S = 2.0
BUDGET_S = 0.04  # a flood of updates never holds the keyboard for longer than this
PAINT_S = 0.5  # between two paints while there is more to take
BATCH = 4  # updates of a host at once: of 64 kB each they are a quarter of the budget


class Cockpit(Navigator):
    """The application. Its screens see it as a `Bridge`.

    Attributes:
        store: the picture.
        acts: what keys do to hosts.
        offline: runs kept on this machine; none unless somebody opens the cockpit for himself.
    """

    TITLE = "Photinus"
    ENABLE_COMMAND_PALETTE = True
    CSS: ClassVar[str] = STYLE + Fleet.STYLE  # a default screen's own CSS is not read

    def __init__(
        self,
        sessions: Sequence["Session"],
        focus_run: str | None = None,
        *,
        acts: Acts | None = None,
        work: Works | None = None,
        shelves: Shelves | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        tick_s: float = TICK_S,
    ) -> None:
        super().__init__(focus_run)
        self.sessions = {session.host.name: session for session in sessions}
        self.store = Store([session.host for session in sessions])
        self.read_only = any(session.read_only for session in sessions)
        self.acts: Acts = acts or SessionActs(self.sessions, self.post)
        self.work: Works = work or HostWork(self.sessions, self.post, clock)
        self.charts = ChosenCharts()
        self.baselines = Baselines()
        self.shelves = shelves or CheckpointWork(self.sessions, self.post, clock)
        self.trouble = ""
        self._key_faults = take_own_keys()
        self._signals: Callable[[str, Level], str] = lambda *_: ""
        self._clock, self._wall, self._tick_s = clock, wall, tick_s
        self.pulls = AutoPulls()
        self.offline: OfflineRuns | None = None
        self._retold: Iterator[None] = iter(())
        self._turn = 0
        self._painted_at = 0.0

    def on_mount(self) -> None:
        """Paint, then connect."""
        self.suit(self.console)
        self.set_keymap(keymap())
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        """What the first paint need not wait for: bands, links, the timer."""
        from tui.notices.notices_file import cockpit_signals
        from tui.operator_files import read_into, remember_looks

        self._signals, fault = cockpit_signals()
        remember_looks(self.store)
        troubles = (*self._key_faults, *read_into(self.store), self.trouble, self.charts.trouble, fault)
        for trouble in filter(None, troubles):
            self.notify(trouble, severity="error", markup=False, timeout=60)
        threading.Thread(target=self._connect, name="photinus-connect", daemon=True).start()
        if self.offline is not None:
            at = Now(self.now(), self.wall())
            recalled = recall(self.store, self.offline.runs(), at)
            self._retold = retell(self.store, recalled, self.offline.read, at)
        self.set_interval(self._tick_s, self.tick)

    def _connect(self) -> None:
        for session in list(self.sessions.values()):
            self.pulls.begin(session)
            session.start()
        import tui.screens.hosts
        import tui.screens.processes  # noqa: F401  their first key need not wait for them

    def now(self) -> float:
        """Monotonic seconds."""
        return self._clock()

    def wall(self) -> float:
        """Epoch seconds."""
        return self._wall()

    def post(self, function: Callable[[], None]) -> None:
        """Run a function on the screen's thread; nothing if the cockpit has closed meanwhile."""
        with contextlib.suppress(RuntimeError):
            self.call_from_thread(function)

    def tick(self) -> None:
        """Drain every session into the store, follow what is worth it, paint what is in front."""
        if not self.screen_stack:
            return  # it is being closed
        busy = self._drain()
        self._followers.sync(self.sessions, self.store, *self._listened())
        self._open_focus()
        self._keep_place()
        for alert in self.store.take_news(self.now()):
            self.notify(alert.text, severity=alert.level, markup=False)
            if (signal := self._signals(alert.text, alert.level)) and self._driver is not None:
                self._driver.write(signal)
        for text, level in self.pulls.news():
            self.notify(text, title="auto-pull", severity=level, markup=False)
        due = not busy or time.perf_counter() - self._painted_at > PAINT_S
        if due and isinstance(screen := self.screen, CockpitScreen) and screen.is_mounted:
            self._painted_at = time.perf_counter()
            try:
                screen.paint()
            except Exception as error:  # the next turn paints again
                self.lament(f"this screen could not be painted: {error!r}")
        if busy:
            self.set_timer(0.02, self.tick)

    def _drain(self) -> bool:
        """Take what the sessions have, in turn, within the budget; whether something is left."""
        until = time.perf_counter() + BUDGET_S
        waiting = deque(self.sessions.items())
        waiting.rotate(self._turn)  # a host that never stops talking delays no other
        self._turn += 1
        while waiting:
            name, session = waiting.popleft()
            if not (updates := session.drain(BATCH)):
                continue
            now, wall = self.now(), self.wall()
            for update in updates:
                try:
                    self.pulls.take(name, update)
                    if self._followers.is_current(name, update):
                        self.store.apply(name, update, now, wall)
                        if self.offline is not None:
                            self.offline.take(name, update)
                except Exception as error:  # one update that we cannot take ends no cockpit
                    self.lament(f"{name}: something it said could not be taken: {error!r}")
            waiting.append((name, session))
            if time.perf_counter() > until:
                return True
        while next(self._retold, self) is None:  # what runs said that are shown from this machine
            if time.perf_counter() > until:
                return True
        return False

    def add_host(self, host: Host) -> None:
        """Know one more host from now on, and connect to it."""
        from remote.session.session import Session

        like = next(iter(self.sessions.values()), None)
        session = Session(host, telemetry_s=TELEMETRY_S, read_only=self.read_only, watches=True)
        if like is not None:
            session.read_only = like.read_only
        self.store.add_host(host)
        self.pulls.begin(session)
        self.sessions[host.name] = session.start()

    def set_read_only(self, on: bool) -> None:
        """Let keys change hosts, or not."""
        self.read_only = on
        for session in self.sessions.values():
            session.read_only = on

    async def action_quit(self) -> None:
        """Leave; runs go on, and the last line says so."""
        self.exit(last_words(self.store))
