"""Which screen is in front, and which run it shows."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from textual.app import SystemCommand
from textual.screen import Screen

from tui.crash import SturdyApp
from tui.keys import PLACES, Where, shown
from tui.palette import commands, places
from tui.remembered.kept_place import CockpitPlace, KeptPlace
from tui.screens.base import CockpitScreen
from tui.screens.bridge import Acts
from tui.screens.fleet import Fleet
from tui.screens.log import LogScreen
from tui.screens.run import RunScreen
from tui.store.compare.comparison import LETTERS, Comparison
from tui.store.compare.config_sheet import ConfigSheets
from tui.store.fleet.tour import Tour
from tui.store.past.replay import Replay
from tui.store.store import RunKey, Store
from tui.store.wanted import Followers

if TYPE_CHECKING:
    from remote.session.session import Session

OF_ONE_RUN: tuple[Where, ...] = ("run", "log", "checkpoints")
OTHERS: dict[str, Where] = {where: where for where in PLACES if where != "fleet"}


class Navigator(SturdyApp):
    """The part of the application that moves between screens. One at most stands on the Fleet.

    Attributes:
        focus_run: a run to open as soon as it is heard of.
        comparison: what the Compare screen shows, wherever it was chosen.
        sheets: the configurations that hosts have told.
        tour: the hints of a new operator; none unless somebody opens the cockpit for himself.
        replay: the time that Fleet, Run and Log show; None for now.
        kept_place: where the place is kept, for a page of a browser that is loaded again.
        return_to: the place to go to as soon as its run is heard of.
    """

    store: Store
    acts: Acts
    sessions: "dict[str, Session]"

    def __init__(self, focus_run: str | None) -> None:
        super().__init__()
        self.focus_run = focus_run
        self.comparison = Comparison()
        self.sheets = ConfigSheets()
        self.tour: Tour | None = None
        self.replay: Replay | None = None
        self.kept_place: KeptPlace | None = None
        self.return_to: CockpitPlace | None = None
        self._opened: RunKey | None = None
        self._followers = Followers()

    def get_default_screen(self) -> Screen[object]:
        """The Fleet is the ground on which all else stands."""
        return Fleet()  # type: ignore[return-value]

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The palette: every key of the screen in front, with the reason where it cannot act; every run,
        host and preset by name."""
        return (*commands(self, screen), *places(screen)) if isinstance(screen, CockpitScreen) else ()

    def _open_focus(self) -> None:
        """Open the run that was asked for on the command line, once it is heard of."""
        if self.focus_run is None:
            return
        key = next((key for key in self.store.runs if key[1] == self.focus_run), None)
        if key is not None:
            self.focus_run = None
            self.open_run(key)

    def _keep_place(self) -> None:
        """Keep where a page is, for when it is loaded again; but first go back to where it was."""
        kept, screen = self.kept_place, self.screen
        if kept is None or not isinstance(screen, CockpitScreen):
            return
        if (place := self.return_to) is None:
            kept.keep(CockpitPlace(screen.where, *(self._opened or ("", ""))))
            return
        key = (place.host, place.run_id)
        is_known = key in self.store.runs
        if is_known and self._opened is None:
            self._opened = key
        if not isinstance(screen, Fleet):
            place = replace(place, where="fleet")  # somebody was quicker
        if place.where not in OTHERS:
            kept.keep(replace(place, where=screen.where))
        elif is_known or place.where not in OF_ONE_RUN:
            self.go(place.where, key)
            place = replace(place, where="fleet")
        is_there = place.where not in OTHERS and (is_known or not place.run_id)
        self.return_to = None if is_there else place

    def go(self, name: str, key: RunKey) -> None:
        """Show a screen by its name, of this run where it is the screen of one."""
        if name == "run":
            self.open_run(key)
        elif name == "log":
            self.open_log(key)
        elif name == "checkpoints":
            self.open_checkpoints(key)
        else:
            self.show(OTHERS[name])

    def open_when_known(self, run_id: str) -> None:
        """Open a run at the first tick that knows it."""
        self.focus_run = run_id

    def open_run(self, key: RunKey | None) -> None:
        """Show the Run screen of this run, or of the one opened last."""
        self._open("run", RunScreen, key)

    def open_log(self, key: RunKey | None) -> None:
        """Show the log of this run, or of the one opened last, on a screen of its own."""
        self._open("log", LogScreen, key)

    def open_logs(self, keys: Sequence[RunKey]) -> None:
        """Show the logs of these runs as one."""
        if isinstance(self.screen, CockpitScreen):
            screen = self._front("log", LogScreen)
            assert isinstance(screen, LogScreen)
            screen.open_merged(keys)

    def _open(self, where: Where, kind: type[RunScreen] | type[LogScreen], key: RunKey | None) -> None:
        key = key or self._opened or next(iter(self.store.runs), None)
        if key is None or key not in self.store.runs:
            self.notify(f"no run yet: press {shown('start')} to start one", severity="warning")
            return
        self._opened = key
        self._followers.sync(self.sessions, self.store, key)
        screen = self.screen
        if isinstance(screen, kind):
            screen.open(key)
        elif isinstance(screen, CockpitScreen):
            front = self._front(where, kind)
            assert isinstance(front, kind)
            front.open(key)

    def _watched(self) -> RunKey | None:
        """The run whose log is on the screen, behind a dialog perhaps."""
        shown = any(isinstance(screen, RunScreen | LogScreen) for screen in self.screen_stack)
        return self._opened if shown else None

    def to_terminal(self, sequence: str) -> None:
        """Write a control sequence of ours to the terminal."""
        if self._driver is not None:
            self._driver.write(sequence)

    def _listened(self) -> tuple[RunKey | None, tuple[RunKey, ...], tuple[RunKey, ...]]:
        """The opened run, those that were compared (they are heard from their beginning), those whose logs
        are merged on the screen."""
        logs = next((screen.merged for screen in self.screen_stack if isinstance(screen, LogScreen)), ())
        return self._watched(), self.comparison.runs, logs

    def compare(self, marked: Sequence[RunKey], chosen: RunKey | None) -> None:
        """Show the marked runs over one another, else those before; the chosen one too if open or alone."""
        comparison = self.comparison
        left = comparison.take(marked) if marked else 0
        is_open = isinstance(self.screen, RunScreen)
        if not marked and chosen is not None and (is_open or not comparison.runs):
            left = int(not comparison.add(chosen))
        if left:
            self.notify(f"{left} more: {len(LETTERS)} are compared at once", severity="warning")
        self.show("compare")

    def open_checkpoints(self, key: RunKey | None) -> None:
        """Show the checkpoints of this run, or of the one opened last."""
        key = key or self._opened or next(iter(self.store.runs), None)
        if key is None or key not in self.store.runs:
            self.notify(f"no run yet: press {shown('start')} to start one", severity="warning")
        elif isinstance(self.screen, CockpitScreen):
            from tui.screens.checkpoints import Checkpoints

            if self.screen.where == "checkpoints":
                self.notify("this is Checkpoints", timeout=2)
                return
            self._opened = key
            screen = self._front("checkpoints", Checkpoints)
            assert isinstance(screen, Checkpoints)
            screen.open(key)

    def open_host(self, name: str) -> None:
        """Show this host among all of them."""
        from tui.screens.hosts import Hosts

        screen = self.screen if isinstance(self.screen, Hosts) else self._front("hosts", Hosts)
        assert isinstance(screen, Hosts)
        screen.want(name)

    def show(self, where: Where) -> None:
        """Show one of the screens that need no run."""
        screen = self.screen
        if not isinstance(screen, CockpitScreen):
            return  # a dialog is in front: it is answered or left first
        if screen.where == where:
            self.notify(f"this is {PLACES[where][1]}", timeout=2)
        elif where == "fleet":
            self.pop_screen()
        elif where == "compare":
            from tui.screens.compare import Compare

            self._front("compare", Compare)
        elif where == "queue":
            from tui.screens.queue import Queue

            self._front("queue", Queue)
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
