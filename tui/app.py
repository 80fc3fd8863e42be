"""The cockpit: paints first, then connects; drains every session twice a second into one store."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import App, SystemCommand
from textual.screen import Screen

from tui.acting import SessionActs
from tui.keys import TABLE
from tui.screens.base import CockpitScreen
from tui.screens.bridge import Acts
from tui.screens.fleet import Fleet
from tui.screens.run import RunScreen
from tui.store.store import RunKey, Store
from tui.store.wanted import Followers
from tui.theme import NAME, THEME

if TYPE_CHECKING:
    from remote.session import Session

TICK_S = 0.5
BUDGET_S = 0.04  # a flood of updates never holds the keyboard for longer than this
BATCH = 200


class Cockpit(App[str]):
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
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        tick_s: float = TICK_S,
    ) -> None:
        super().__init__()
        self.sessions = {session.host.name: session for session in sessions}
        self.store = Store(self.sessions)
        self.acts: Acts = acts or SessionActs(self.sessions, self.post)
        self.focus_run = focus_run
        self._clock, self._wall, self._tick_s = clock, wall, tick_s
        self._opened: RunKey | None = None
        self._followers = Followers()

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
        from tui.health import health_bands

        try:
            self.store.bands = health_bands()
        except (ValueError, OSError) as error:  # somebody edited the bands: everything but the lamps works
            self.notify(f"no lamps: {error}", severity="error", markup=False, timeout=30)
        threading.Thread(target=self._connect, name="photinus-connect", daemon=True).start()
        self.set_interval(self._tick_s, self.tick)

    def _connect(self) -> None:
        for session in self.sessions.values():
            session.start()

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
        busy = self._drain()
        self._followers.sync(self.sessions, self.store, self._opened)
        self._open_focus()
        for alert in self.store.take_news():
            self.notify(alert.text, severity=alert.level, markup=False)
        screen = self.screen
        if isinstance(screen, CockpitScreen) and screen.is_mounted:
            screen.paint()
        if busy:
            self.set_timer(0.02, self.tick)

    def _drain(self) -> bool:
        """Take what the sessions have, within the budget; whether something is left."""
        until = time.perf_counter() + BUDGET_S
        for name, session in self.sessions.items():
            while updates := session.drain(BATCH):
                now, wall = self.now(), self.wall()
                for update in updates:
                    if self._followers.is_current(name, update):
                        self.store.apply(name, update, now, wall)
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

    def open_when_heard(self, run_id: str) -> None:
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
        elif isinstance(screen, Fleet):
            self.push_screen(RunScreen(key))

    def show_fleet(self) -> None:
        """Show the Fleet screen."""
        if isinstance(self.screen, RunScreen):
            self._opened = None
            self.pop_screen()
        else:
            self.notify("this is the fleet", timeout=2)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The palette: every key of the screen in front, by name, with the reason where it cannot act."""
        if not isinstance(screen, CockpitScreen):
            return
        for key in TABLE:
            if screen.where not in key.where or key.action == "palette":
                continue
            reason = screen.why_not(key.action)
            text = f"{key.text} ({key.shown})" if not reason else f"not now: {reason}"
            yield SystemCommand(_named(key.label, key.text), text, self._runner(screen, key.action))

    def _runner(self, screen: CockpitScreen, action: str) -> Callable[[], None]:
        def run() -> None:
            self.run_worker(self.run_action(action, screen), exit_on_error=True)

        return run

    async def action_quit(self) -> None:
        """Leave; runs go on, and the last line says so."""
        self.exit(self.last_words())

    def last_words(self) -> str:
        """What the command prints last: which runs go on, and how to come back."""
        live = [run for run in self.store.runs.values() if not run.view.is_terminal]
        if not live:
            return "No run is going on. `photinus` opens the cockpit again."
        names = ", ".join(f"{run.run_id} on {run.host}" for run in live[:3])
        more = f" and {len(live) - 3} more" if len(live) > 3 else ""
        verb = "goes" if len(live) == 1 else "go"
        return f"{names}{more} {verb} on without the cockpit. `photinus` brings you back."


def _named(label: str, text: str) -> str:
    """A palette entry begins with the footer's word and says enough to be told apart."""
    return f"{label}: {text.split(':')[0]}"


def run_cockpit(sessions: "list[Session]", focus_run: str | None = None) -> str:
    """Open the cockpit on these sessions (not yet started) until `q`; the sentence to print last.

    Sessions are started after the first paint and closed at the end; runs go on.
    """
    app = Cockpit(sessions, focus_run)
    try:
        said = app.run()
    finally:
        for session in sessions:
            session.close()
    return said or app.last_words()
