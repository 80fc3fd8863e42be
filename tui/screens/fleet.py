"""Screen 1: every host and every run in one table, painted before any connection is tried."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input

from tui.keys import Where, bindings
from tui.screens.run_actions import RunActions
from tui.store.fleet_view import SORTS, FleetFilter, Sort, read_filter
from tui.store.store import RunKey
from tui.theme import PLAIN, STRONG, hue
from tui.widgets import lines
from tui.widgets.fleet.fleet_columns import Fit, titled, without
from tui.widgets.fleet.fleet_rows import FleetLook, chosen_line, rows
from tui.widgets.keyed_table import KeyedTable
from tui.widgets.panel import Panel

TALL = 36
HINT = "text  host:NAME  state:failed  tag:NAME  preset:NAME  age:<2h  !inverts"
EMPTY = (
    "No runs yet.",
    "",
    "s   start one: choose a preset, see what it would do, press enter",
    "8   hosts: add a machine that you can ssh to",
    "?   every key",
    "q   leave",
)


class Fleet(RunActions):
    """Each host, then its runs: what lives, what failed, the rest. The cursor stays on its row."""

    where: ClassVar[Where] = "fleet"
    BINDINGS: ClassVar = bindings("fleet")
    AUTO_FOCUS: ClassVar[str | None] = "#fleet"
    STYLE: ClassVar[str] = """
    Fleet { layout: vertical; }
    Fleet KeyedTable { margin: 1 0 0 0; }
    Fleet #filter { display: none; height: 1; border: none; padding: 0 2; background: $panel; }
    Fleet #filter.-shown { display: block; }
    Fleet #chosen { height: auto; padding: 0 2; }
    Fleet #empty { height: auto; padding: 1 4; display: none; }
    Fleet #empty.-shown { display: block; }
    Fleet #alerts { height: auto; max-height: 6; padding: 0 2; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._keys: dict[str, RunKey] = {}
        self._unfolded: set[str] = set()
        self._marked: set[RunKey] = set()
        self._filter = FleetFilter()
        self._sort: Sort = ""
        self._reverse = False
        self._placed = False

    def body(self) -> ComposeResult:
        """The table, what to do while it is empty, and the newest alerts."""
        yield Input(
            id="filter", placeholder="text  host:NAME  state:failed  tag:NAME  preset:NAME  age:<2h  !inverts"
        )
        yield KeyedTable("fleet")
        yield Panel("chosen")
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
        self._marked &= store.runs.keys()
        look = FleetLook(self._filter, self._sort, self._reverse, self._unfolded, self._marked)
        shown, self._keys = rows(store, self.bridge.now(), fit, look, self.bridge.wall())
        self.table.lay(titled(fit.columns, self._sort, reverse=self._reverse))
        self.table.show(shown)
        said = chosen_line(self._filter, len(self._keys), len(store.runs), len(self.marked()))
        self.query_one("#chosen", Panel).lay(lambda _width, _height: said)
        self._place()
        self._show_empty()
        alerts = [
            lines.line((alert.text, hue("red" if alert.level == "error" else "amber")))
            for alert in store.unseen
        ]
        shown_alerts = alerts[-4:] if self.app.size.height >= TALL else alerts[-2:]
        self.query_one("#alerts", Panel).lay(lambda _width, _height: shown_alerts)

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

    def marked(self) -> list[RunKey]:
        """The marked runs that are shown: a key acts on what is on the screen, or not at all."""
        return [key for key in self._keys.values() if key in self._marked]

    def action_mark(self) -> None:
        """Mark the run under the cursor, or take its mark away; the cursor goes on."""
        key = self._keys.get(self.table.chosen or "")
        if key is not None:
            self._marked ^= {key}
            self.paint()
            self.table.action_move(1)

    def action_mark_all(self) -> None:
        """Mark every run that is shown; none where all are."""
        shown = set(self._keys.values())
        self._marked = set() if shown and shown <= self._marked else self._marked | shown
        self.paint()

    def action_filter(self) -> None:
        """Type a filter."""
        typed = self.query_one("#filter", Input)
        typed.add_class("-shown")
        typed.focus()

    @on(Input.Changed, "#filter")
    def _typed(self, event: Input.Changed) -> None:
        self._filter = read_filter(event.value)
        self.paint()

    def action_back(self) -> None:
        """Take the filter away; then the marks."""
        typed = self.query_one("#filter", Input)
        if typed.has_class("-shown"):
            typed.value = ""
            typed.remove_class("-shown")
            self._filter = FleetFilter()
            self.table.focus()
        else:
            self._marked.clear()
        self.paint()

    def action_sort(self, change: int) -> None:
        """Order by the next column."""
        self._sort, self._reverse = SORTS[(SORTS.index(self._sort) + change) % len(SORTS)], False
        self.paint()

    def action_reverse(self) -> None:
        """The same order from its other end."""
        self._reverse = not self._reverse
        self.paint()

    @on(KeyedTable.HeaderPressed)
    def _sort_by(self, event: KeyedTable.HeaderPressed) -> None:
        column = next((known for known in SORTS if known == event.column), None)
        if column is None:
            self.notify(f"there is no order by {event.column}", timeout=2)
            return
        self._reverse = not self._reverse if column == self._sort else False
        self._sort = column
        self.paint()

    def action_open(self) -> None:
        """Leave the filter's field for the table; else open what is chosen.

        Of a host that is its question, its newest live run, or itself; of the line below, the folded runs.
        """
        if isinstance(self.focused, Input):
            self.table.focus()
            return
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
