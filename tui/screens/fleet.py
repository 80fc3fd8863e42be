"""Screen 1: every host and every run in one table, painted before any connection is tried."""

from typing import ClassVar

from textual.app import ComposeResult

from tui.keys import Where, bindings
from tui.screens.run_actions import RunActions
from tui.store.store import RunKey
from tui.theme import PLAIN, STRONG, hue
from tui.widgets import lines
from tui.widgets.fleet.alert_lines import alert_lines
from tui.widgets.fleet.fleet_fit import RIGHT, Fit
from tui.widgets.fleet.fleet_rows import rows, without
from tui.widgets.keyed_table import KeyedTable
from tui.widgets.panel import Panel

TALL = 36
EMPTY = (
    "No runs yet.",
    "",
    "s   start one: choose a preset, see what it would do, press enter",
    "8   hosts: add a machine that you can ssh to",
    "?   every key",
    "q   leave",
)


class Fleet(RunActions):
    """Each host, then its runs: live, failed and not yet seen, the rest. The cursor stays on its row."""

    where: ClassVar[Where] = "fleet"
    BINDINGS: ClassVar = bindings("fleet")
    AUTO_FOCUS: ClassVar[str | None] = "#fleet"
    STYLE: ClassVar[str] = """
    Fleet { layout: vertical; }
    Fleet KeyedTable { margin: 1 0 0 0; }
    Fleet #empty { height: auto; padding: 1 4; display: none; }
    Fleet #empty.-shown { display: block; }
    Fleet #alerts { height: auto; max-height: 6; padding: 0 2; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._keys: dict[str, RunKey] = {}
        self._unfolded: set[str] = set()
        self._placed = False

    def body(self) -> ComposeResult:
        """The table, what to do while it is empty, and the newest alerts."""
        yield KeyedTable("fleet")
        yield Panel("empty")
        yield Panel("alerts")

    @property
    def table(self) -> KeyedTable:
        """The one table."""
        return self.query_one("#fleet", KeyedTable)

    def chosen_host(self) -> str | None:
        """The host under the cursor, or that of the run under it."""
        row = self.table.chosen
        if row is None:
            return None
        if (key := self._keys.get(row)) is not None:
            return key[0]
        return row.partition(" ")[2]

    def target(self) -> RunKey | None:
        """The run under the cursor; on a host's row, its newest live run."""
        row = self.table.chosen
        if row is None:
            return None
        if (key := self._keys.get(row)) is not None:
            return key
        runs, host = self.bridge.store.runs, self.chosen_host()
        of_host = [key for key in runs if key[0] == host]
        return next((key for key in of_host if runs[key].view.is_live), of_host[0] if of_host else None)

    def paint(self) -> None:
        """Every cell that differs, and nothing else."""
        super().paint()
        store, fit = self.bridge.store, Fit.of(self.app.size.width, without(self.bridge.store))
        now, wall = self.bridge.now(), self.bridge.wall()
        shown, self._keys = rows(store, now, wall, fit, self._unfolded)
        self.table.lay(fit.columns, RIGHT)
        self.table.show(shown)
        self._place()
        self._show_empty()
        most = 4 if self.app.size.height >= TALL else 2
        alerts = alert_lines(store.unseen[-most:], now, wall)
        self.query_one("#alerts", Panel).lay(lambda _width, _height: alerts)

    def _place(self) -> None:
        """Once, when a host has told its runs: the newest live one. Then only the operator moves."""
        store = self.bridge.store
        if self._placed or not store.runs or not any(host.runs_seen for host in store.hosts.values()):
            return
        self._placed = True
        live = [row for row, key in self._keys.items() if store.runs[key].view.is_live]
        if self.table.chosen == self.table.row_names[0] and self._keys:
            self.table.choose((live or list(self._keys))[0])

    def _show_empty(self) -> None:
        """What to press, once the hosts have answered that there is nothing."""
        store = self.bridge.store
        empty = self.query_one("#empty", Panel)
        shown = not store.runs and any(host.runs_seen for host in store.hosts.values())
        empty.set_class(shown, "-shown")
        if shown:
            hints = [
                lines.line((EMPTY[0], STRONG)),
                *(lines.line((text[:4], hue("blue", bold=True)), (text[4:], PLAIN)) for text in EMPTY[1:]),
            ]
            empty.lay(lambda _width, _height: hints)

    def action_open(self) -> None:
        """Open the chosen run; of a host its question, its newest live run, or itself; unfold the rest."""
        row = self.table.chosen or ""
        kind, _, name = row.partition(" ")
        if kind == "more" and name in self.bridge.store.hosts:
            self._unfolded.add(name)
            self.paint()
        elif kind == "host" and self.bridge.ask(name):
            return
        elif kind == "host" and self.target() is None:
            self.bridge.show("hosts")
        else:
            self.bridge.open_run(self.target())
