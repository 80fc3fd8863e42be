"""Screen 1: every host and every run in one table, painted before any connection is tried."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.widgets import Input

from tui.keys import Where, bindings, shown
from tui.screens.keys.fleet_keys import FleetKeys
from tui.store.fleet.fleet_look import FleetLook
from tui.store.fleet.run_query import RunQuery
from tui.store.store import RunKey
from tui.theme import PLAIN, STRONG, hue
from tui.widgets import lines
from tui.widgets.fleet.alert_lines import alert_lines
from tui.widgets.fleet.fleet_fit import RIGHT, Fit
from tui.widgets.fleet.fleet_rows import rows, without
from tui.widgets.fleet.fleet_words import hint_line, summary, titles
from tui.widgets.keyed_table import KeyedTable
from tui.widgets.panel import Panel

TALL = 36
HINT = "words, host: state: tag: preset: age:<2h; ! before one turns it round; enter keeps it, esc clears"
EMPTY = (
    ("start", "start one: choose a preset, see what it would do, press enter"),
    ("hosts", "hosts: add a machine that you can ssh to"),
    ("help", "every key"),
    ("quit", "leave"),
)


class Fleet(FleetKeys):
    """Each host, then its runs: live, failed and not yet seen, the rest. The cursor stays on its row."""

    where: ClassVar[Where] = "fleet"
    BINDINGS: ClassVar = bindings("fleet")
    AUTO_FOCUS: ClassVar[str | None] = "#fleet"
    STYLE: ClassVar[str] = """
    Fleet { layout: vertical; }
    Fleet #summary { height: 1; padding: 0 1; }
    Fleet #filter { display: none; height: 1; border: none; background: $panel; }
    Fleet #filter.-shown { display: block; }
    Fleet #empty { height: auto; padding: 1 4; display: none; }
    Fleet #empty.-shown { display: block; }
    Fleet #tour { height: auto; max-height: 1; padding: 0 2; }
    Fleet #alerts { height: auto; max-height: 6; padding: 0 2; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._keys: dict[str, RunKey] = {}
        self.look = FleetLook()
        self._placed = False

    def body(self) -> ComposeResult:
        """What there is in words, the table, what to do while it is empty, the newest alerts, the filter."""
        yield Panel("summary")
        yield KeyedTable("fleet")
        yield Panel("empty")
        yield Panel("tour")
        yield Panel("alerts")
        yield Input(id="filter", compact=True, placeholder=HINT)

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

    def targets(self) -> tuple[RunKey, ...]:
        """The marked runs, else the one under the cursor; a host's own row stands for no run here."""
        return self.look.targets(self._keys.get(self.table.chosen or ""))

    def action_log(self) -> None:
        """The log of the chosen run; those of the marked ones as one."""
        marked = self.marked()
        if len(marked) > 1:
            self.bridge.open_logs(marked)
        else:
            self.bridge.open_log(*marked or (self.target(),))

    def replayed(self) -> RunKey | None:
        """Here all runs are replayed."""
        return None

    def marked(self) -> tuple[RunKey, ...]:
        """The marked runs, in the order in which they are shown."""
        shown = [key for key in self._keys.values() if key in self.look.marks]
        return (*shown, *sorted(self.look.marks.difference(shown)))

    def paint(self) -> None:
        """Every cell that differs, and nothing else."""
        super().paint()
        past = self.shown
        store, now, wall = past.store, past.now, past.wall
        fit = Fit.of(self.app.size.width, without(store))
        shown, self._keys = rows(store, now, wall, fit, self.look)
        self.table.lay(titles(fit.columns, self.look), RIGHT)
        said = summary(store, self.look, len(self._keys))
        self.query_one("#summary", Panel).lay(lambda _width, _height: [said])
        self.table.show(shown)
        self._place()
        self._show_empty()
        tour = self.bridge.tour
        hint = tour.next(self.bridge.store) if tour is not None else None
        steps = [hint_line(hint)] if hint is not None else []
        self.query_one("#tour", Panel).lay(lambda _width, _height: steps)
        most = 4 if self.app.size.height >= TALL else 2
        alerts = alert_lines(self.bridge.store.unseen[-most:], self.bridge.now(), self.bridge.wall())
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
        nothing = not store.runs and any(host.runs_seen for host in store.hosts.values())
        empty.set_class(nothing, "-shown")
        if nothing:
            key = hue("blue", bold=True)
            hints = [lines.line((f"{shown(action):<4}", key), (told, PLAIN)) for action, told in EMPTY]
            hints = [lines.line(("No runs yet.", STRONG)), lines.line(), *hints]
            empty.lay(lambda _width, _height: hints)

    def action_open(self) -> None:
        """Open the chosen run; of a host its question, its newest live run, or itself; unfold the rest."""
        row = self.table.chosen or ""
        kind, _, name = row.partition(" ")
        if self._filter.has_focus:
            self._close_filter()
        elif kind == "more" and name in self.bridge.store.hosts:
            self.look.unfolded.add(name)
            self.paint()
        elif kind == "host" and self.bridge.ask(name):
            return
        elif kind == "host" and self.target() is None:
            self.bridge.show("hosts")
        else:
            self.bridge.open_run(self.target())

    # Filter, order, marks.

    @property
    def _filter(self) -> Input:
        return self.query_one("#filter", Input)

    def action_filter(self) -> None:
        """Open the line in which the filter is typed."""
        self._filter.add_class("-shown")
        self.set_focus(self._filter)  # at once: what is typed next is for it

    def on_input_changed(self, event: Input.Changed) -> None:
        """The filter holds with every letter."""
        self.look.query = RunQuery.of(event.value)
        self.paint()

    def _close_filter(self) -> None:
        """The filter stays; the keys are those of the table again, on the first run that fits."""
        self._filter.remove_class("-shown")
        self.set_focus(self.table)
        if self.table.chosen is None and self._keys:
            self.table.choose(next(iter(self._keys)))
        self.paint()

    def action_clear(self) -> None:
        """Back to now; then take the filter away, then the marks."""
        if self.leave_replay():
            return
        if self._filter.value or self._filter.has_focus:
            self._filter.value = ""
            self.look.query = RunQuery.of("")
            self._close_filter()
        elif self.look.marks:
            self.look.marks.clear()
        elif self.bridge.tour is None or not self.bridge.tour.end():
            self.notify(f"no filter and no mark: {shown('quit')} leaves", timeout=2)
        self.paint()

    def action_mark(self) -> None:
        """Mark the run under the cursor, or take its mark away; on a host all of its runs."""
        row = self.table.chosen or ""
        if (key := self._keys.get(row)) is not None:
            self.look.mark(key)
        elif row.startswith("host "):
            self.look.mark_all(key for key in self._keys.values() if f"host {key[0]}" == row)
        self.paint()

    def action_mark_all(self) -> None:
        """Mark every run shown, or none of them."""
        self.look.mark_all(self._keys.values())
        self.paint()

    def action_sort_next(self) -> None:
        """Sort by the next column."""
        self.look.next_column(name for name, _, _ in Fit.of(self.app.size.width).columns)
        self.paint()

    def action_sort_turn(self) -> None:
        """Turn the order round."""
        if not self.look.column:
            self.notify(
                f"the order is live, failed, the rest: {shown('sort_next')} sorts by a column", timeout=2
            )
        self.look.turned = not self.look.turned and bool(self.look.column)
        self.paint()

    def on_keyed_table_titled(self, event: KeyedTable.Titled) -> None:
        """A title was clicked: sort by it, turn it round, or as at first."""
        self.look.sort_by(event.column)
        self.paint()
