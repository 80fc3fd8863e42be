"""The cockpit: paints first, then connects; drains every session twice a second into one store."""

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import SystemCommand
from textual.screen import Screen

from remote.hosts.host import Host
from tui.chosen_charts import ChosenCharts
from tui.crash import SturdyApp
from tui.keys import PLACES, Where
from tui.palette import commands, last_words
from tui.screens.base import CockpitScreen
from tui.screens.bridge import Acts, Works
from tui.screens.fleet import Fleet
from tui.screens.run import RunScreen
from tui.store.alerts import Level
from tui.store.store import RunKey, Store
from tui.store.wanted import Followers
from tui.theme import NAME, THEME
from tui.workers.host_work import HostWork
from tui.workers.pull_work import AutoPulls
from tui.workers.run_work import SessionActs

if TYPE_CHECKING:
    from remote.session.session import Session

TICK_S = 0.5
TELEMETRY_S = 2.0
BUDGET_S = 0.04  # a flood of updates never holds the keyboard for longer than this
BATCH = 200


class Cockpit(SturdyApp):
    """The application. Its screens see it as a `Bridge`.

    Attributes:
        store: the picture.
        acts: what keys do to hosts.
        focus_run: a run to open as soon as it is heard of.
    """

    TITLE = "Photinus"
    ENABLE_COMMAND_PALETTE = True
    CSS: ClassVar[str] = (
        """
    Screen { background: $background; }
    Toast { background: $surface; border-left: outer $primary; padding: 0 2; width: 60; max-width: 90%; }
    Toast.-warning { border-left: outer $warning; }
    Toast.-error { border-left: outer $error; }
    """
        + Fleet.STYLE
    )  # a default screen's own CSS is not read

    def __init__(
        self,
        sessions: Sequence["Session"],
        focus_run: str | None = None,
        *,
        acts: Acts | None = None,
        work: Works | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        tick_s: float = TICK_S,
    ) -> None:
        super().__init__()
        self.sessions = {session.host.name: session for session in sessions}
        self.store = Store([session.host for session in sessions])
        self.read_only = any(session.read_only for session in sessions)
        self.acts: Acts = acts or SessionActs(self.sessions, self.post)
        self.work: Works = work or HostWork(self.sessions, self.post, clock)
        self.charts = ChosenCharts()
        self.focus_run = focus_run
        self.trouble = ""
        self._signals: Callable[[str, Level], str] = lambda *_: ""
        self._clock, self._wall, self._tick_s = clock, wall, tick_s
        self._opened: RunKey | None = None
        self._followers = Followers()
        self.pulls = AutoPulls()
        self._turn = 0

    def get_default_screen(self) -> Screen[object]:
        """The Fleet is the ground on which all else stands."""
        return Fleet()  # type: ignore[return-value]

    def on_mount(self) -> None:
        """Paint, then connect."""
        self.register_theme(THEME)
        self.theme = NAME
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        """What the first paint need not wait for: bands, links, the timer."""
        from tui.notices.notices_file import cockpit_signals
        from tui.operator_files import read_into, remember_looks

        self._signals, fault = cockpit_signals()
        remember_looks(self.store)
        troubles = (*read_into(self.store), self.trouble, self.charts.trouble, fault)
        for trouble in filter(None, troubles):
            self.notify(trouble, severity="error", markup=False, timeout=60)
        threading.Thread(target=self._connect, name="photinus-connect", daemon=True).start()
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
        self._followers.sync(self.sessions, self.store, self._watched())
        self._open_focus()
        for alert in self.store.take_news(self.now()):
            self.notify(alert.text, severity=alert.level, markup=False)
            if (signal := self._signals(alert.text, alert.level)) and self._driver is not None:
                self._driver.write(signal)
        for text, level in self.pulls.news():
            self.notify(text, title="auto-pull", severity=level, markup=False)
        if isinstance(screen := self.screen, CockpitScreen) and screen.is_mounted:
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
                except Exception as error:  # one update that we cannot take ends no cockpit
                    self.lament(f"{name}: something it said could not be taken: {error!r}")
            waiting.append((name, session))
            if time.perf_counter() > until:
                return True
        return False

    def _open_focus(self) -> None:
        """Open the run that was asked for on the command line, once it is heard of."""
        if self.focus_run is None:
            return
        key = next((key for key in self.store.runs if key[1] == self.focus_run), None)
        if key is not None:
            self.focus_run = None
            self.open_run(key)

    def open_when_known(self, run_id: str) -> None:
        """Open a run at the first tick that knows it."""
        self.focus_run = run_id

    def open_run(self, key: RunKey | None) -> None:
        """Show the Run screen of this run, or of the one opened last."""
        key = key or self._opened or next(iter(self.store.runs), None)
        if key is None or key not in self.store.runs:
            self.notify("no run yet: press s to start one", severity="warning")
            return
        self._opened = key
        self._followers.sync(self.sessions, self.store, key)
        screen = self.screen
        if isinstance(screen, RunScreen):
            screen.open(key)
        elif isinstance(screen, CockpitScreen):
            run = self._front("run", RunScreen)
            assert isinstance(run, RunScreen)
            run.open(key)

    def _watched(self) -> RunKey | None:
        """The run whose log is on the screen, behind a dialog perhaps."""
        return self._opened if any(isinstance(screen, RunScreen) for screen in self.screen_stack) else None

    def show(self, where: Where) -> None:
        """Show the Fleet, the processes or the hosts."""
        screen = self.screen
        if not isinstance(screen, CockpitScreen):
            return  # a dialog is in front: it is answered or left first
        if screen.where == where:
            self.notify(f"this is {PLACES[where][1]}", timeout=2)
        elif where == "fleet":
            self.pop_screen()
        elif where == "processes":
            from tui.screens.processes import Processes

            self._front("processes", Processes)
        elif where == "hosts":
            from tui.screens.hosts import Hosts

            self._front("hosts", Hosts)

    def _front(self, where: Where, make: Callable[[], CockpitScreen]) -> CockpitScreen:
        """Show a screen, made when it is first needed. One at most stands on the Fleet."""
        if not self.is_screen_installed(where):
            self.install_screen(make(), where)
        if isinstance(self.screen, Fleet):
            self.push_screen(where)
        else:
            self.switch_screen(where)
        screen = self.get_screen(where)
        assert isinstance(screen, CockpitScreen)
        return screen

    def ask(self, host: str | None) -> bool:
        """Open the dialog of what this host asks (None: the first that asks); whether one does."""
        asking = [name for name, record in self.store.hosts.items() if record.is_asking]
        name = next((name for name in asking if host in (None, name)), None)
        if name is None:
            return False
        from tui.screens.dialogs.question import QuestionDialog

        record = self.store.hosts[name]
        question = record.question

        def answered(text: str | None) -> None:
            if text is not None and question is not None:
                self.acts.reply(name, question, text)

        self.push_screen(QuestionDialog(name, question, record.link.reason), answered)
        return True

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

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The palette: every key of the screen in front, by name, with the reason where it cannot act."""
        return commands(self, screen) if isinstance(screen, CockpitScreen) else ()

    async def action_quit(self) -> None:
        """Leave; runs go on, and the last line says so."""
        self.exit(last_words(self.store))


def run_cockpit(
    sessions: "list[Session]", focus_run: str | None = None, trouble: str = ""
) -> tuple[str, bool]:
    """Open the cockpit on these sessions (not yet started) until `q`.

    Returns the sentence to print last, and whether it ended as it was asked to: a crash has told itself.

    `trouble` is what went wrong before it opened, and is shown in it.
    Sessions are started after the first paint and closed at the end; runs go on.
    """
    app = Cockpit(sessions, focus_run)
    app.trouble = trouble
    try:
        message = app.run()
    finally:
        app.pulls.close()
        for session in app.sessions.values():  # those that were added meanwhile too
            session.close()
    return message or last_words(app.store), not app.return_code
