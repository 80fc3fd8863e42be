"""Screen 3: the log of one run, and nothing else."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.widgets import Input

from tui.keys import Where, bindings, shown
from tui.screens.keys.log_keys import LogKeys
from tui.store.store import RunKey
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
        """The run whose log it is."""
        return self._key

    def open(self, key: RunKey) -> None:
        """Show the log of this run; what was searched for in another one does not stay."""
        if key != self._key and self._key is not None and self.is_mounted:
            self.fresh_log()
        self._key = key
        if self.is_mounted:
            self.call_after_refresh(self.paint)

    def paint(self) -> None:
        """Show the log as it is known now."""
        super().paint()
        bridge, past = self.bridge, self.shown
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

    def action_back(self) -> None:
        """Back by one: a search, a filter, a replay, the screen."""
        if not (self.leave_log() or self.leave_replay()):
            self.bridge.show("fleet")

    def action_aside(self, change: int) -> None:
        """Move cut lines aside."""
        if not self.log_view.aside(change):
            self.notify(f"lines are wrapped: {shown('wrap')} cuts them", timeout=2)
