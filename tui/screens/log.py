"""Screen 3: the log of one run, and nothing else."""

from collections import Counter
from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.widgets import Input

from tui.keys import Where, bindings, shown
from tui.screens.keys.log_keys import LogKeys
from tui.store.merged_logs import MergedRing
from tui.store.store import RunKey, Store
from tui.theme import DIM, STRONG
from tui.widgets.lines import line
from tui.widgets.log.log_title import log_title
from tui.widgets.log.log_view import LogView
from tui.widgets.panel import Panel
from tui.widgets.run_head import log_head


class LogScreen(LogKeys):
    """The log of the run that was opened."""

    where: ClassVar[Where] = "log"
    BINDINGS: ClassVar = bindings("log")
    CSS: ClassVar[str] = """
    LogScreen { layout: vertical; }
    LogScreen #head { height: 1; padding: 0 1; }
    LogScreen #logtitle { height: 1; }
    LogScreen #search { height: 1; border: none; padding: 0; display: none; background: $surface; }
    LogScreen #search.-shown { display: block; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._key: RunKey | None = None
        self.merged: tuple[RunKey, ...] = ()
        self._ring = MergedRing()

    def body(self) -> ComposeResult:
        """Whose log it is, and the log."""
        yield Panel("head")
        yield Panel("logtitle")
        yield LogView()
        yield Input(id="search", compact=True)

    def on_mount(self) -> None:
        """The log has the keyboard."""
        super().on_mount()
        self.set_focus(self.log_view)

    def target(self) -> RunKey | None:
        """The run whose log it is; of several at once none is meant."""
        return self._key if not self.merged else None

    def open(self, key: RunKey) -> None:
        """Show the log of this run; what was searched for in another one does not stay."""
        if self.is_mounted and (self.merged or self._key not in (key, None)):
            self.fresh_log()
        self._key, self.merged = key, ()
        if self.is_mounted:
            self.call_after_refresh(self.paint)

    def open_merged(self, keys: Sequence[RunKey]) -> None:
        """Show the logs of these runs as one."""
        if self.is_mounted and tuple(keys) != self.merged:
            self.fresh_log()
        self.merged, self._ring = tuple(keys), MergedRing()
        if self.is_mounted:
            self.call_after_refresh(self.paint)

    def paint(self) -> None:
        """Show the log as it is known now."""
        super().paint()
        bridge, past = self.bridge, self.shown
        if self.merged:
            self._paint_merged(past.store)
            return
        run = past.store.run_of(self._key)
        if run is None:
            if self.is_current and bridge.replay is None:  # its host no longer has it
                bridge.show("fleet")
            return
        head = log_head(run, past.store.host_of(run), past.now)
        self.query_one("#head", Panel).lay(lambda _width, _height: [head])
        self.look_as_chosen(run)
        self.log_view.show(run.log)
        self.query_one("#logtitle", Panel).lay(lambda _width, _height: [log_title(self.log_view)])

    def _paint_merged(self, store: Store) -> None:
        """Several logs as one."""
        runs = [run for key in self.merged if (run := store.run_of(key)) is not None]
        names = Counter(run.name for run in runs)
        logs = {run.name if names[run.name] == 1 else run.run_id: run.log for run in runs}
        head = line((f"{len(logs)} logs by time: ", DIM), (", ".join(logs), STRONG))
        self.query_one("#head", Panel).lay(lambda _width, _height: [head])
        self._ring.show(logs)
        self.log_view.show(self._ring)
        self.query_one("#logtitle", Panel).lay(lambda _width, _height: [log_title(self.log_view)])

    def action_back(self) -> None:
        """Back by one: a search, a filter, a replay, the screen."""
        if not (self.leave_log() or self.leave_replay()):
            self.bridge.show("fleet")

    def action_aside(self, change: int) -> None:
        """Move cut lines aside."""
        if not self.log_view.aside(change):
            self.notify(f"lines are wrapped: {shown('wrap')} cuts them", timeout=2)
