"""Screen 1: every host and every run in one table, painted before any connection is tried."""

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.widgets import DataTable

from trainer.telemetry.judge import Verdict, judge
from tui.keys import Where, bindings
from tui.screens.base import CockpitScreen
from tui.store.facts import age_fact, link_fact, state_fact
from tui.store.hosts import HostRecord
from tui.store.lamps import context_of
from tui.store.runs import RunRecord
from tui.store.store import RunKey
from tui.store.words import number, share, size
from tui.theme import DIM, FAINT, PLAIN, STRONG, hue
from tui.widgets import lines
from tui.widgets.panel import Panel

# Column, title, and its width on a wide, a middling and a narrow screen; 0 leaves it out.
COLUMNS: tuple[tuple[str, str, int, int, int], ...] = (
    ("run", "run", 22, 20, 17),
    ("link", "link", 18, 0, 0),
    ("state", "state", 14, 14, 12),
    ("step", "step", 12, 12, 11),
    ("loss", "loss", 7, 6, 6),
    ("u_val", "u_val", 8, 6, 6),
    ("R", "R zone", 16, 16, 16),
    ("grad", "grad", 8, 0, 0),
    ("load", "device", 10, 0, 0),
    ("memory", "memory", 11, 0, 0),
    ("data", "data age", 10, 10, 0),
)
WIDE, MIDDLING = 158, 98
BLANK = Text("")
EMPTY = (
    "No runs yet.",
    "",
    "s   start one: choose a preset, see what it would do, press enter",
    "?   every key",
    "q   leave",
)


class Fleet(CockpitScreen):
    """Hosts first, then runs in the order in which they were heard of. Cells change; rows never move."""

    where: ClassVar[Where] = "fleet"
    BINDINGS: ClassVar = bindings("fleet")
    AUTO_FOCUS: ClassVar[str | None] = "#fleet"
    STYLE: ClassVar[str] = """
    Fleet { layout: vertical; }
    Fleet DataTable { height: 1fr; background: $background; scrollbar-size-horizontal: 0; margin: 1 0 0 0; }
    Fleet DataTable:focus { background-tint: $foreground 0%; }
    Fleet DataTable > .datatable--hover { background: $surface; }
    Fleet DataTable > .datatable--header { background: $background; color: $text-muted; text-style: none; }
    Fleet #empty { height: auto; padding: 1 4; display: none; }
    Fleet #empty.-shown { display: block; }
    Fleet #alerts { height: auto; max-height: 6; padding: 0 2; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._cells: dict[tuple[str, str], Text] = {}
        self._rows: dict[str, RunKey | None] = {}
        self._shown: list[str] = []
        self._tier = -1
        self._placed = False

    def body(self) -> ComposeResult:
        """The table, what to do while it is empty, and the newest alerts."""
        table: DataTable[Text] = DataTable(id="fleet", cursor_type="row", cell_padding=1)
        yield table
        yield Panel("empty")
        yield Panel("alerts")

    @property
    def table(self) -> "DataTable[Text]":
        """The one table."""
        return self.query_one("#fleet", DataTable)

    def target(self) -> RunKey | None:
        """The run under the cursor; on a host's row, its newest live run."""
        table = self.table
        if not table.row_count:
            return None
        row = table.coordinate_to_cell_key(table.cursor_coordinate).row_key.value or ""
        if (key := self._rows.get(row)) is not None:
            return key
        runs = self.bridge.store.runs
        of_host = [key for key in runs if f"host {key[0]}" == row]
        return next(
            (key for key in of_host if not runs[key].view.is_terminal), of_host[0] if of_host else None
        )

    def _fit(self) -> None:
        """Choose the columns for this width; only then is the table laid anew, its cursor kept."""
        width = self.app.size.width
        tier = 0 if width >= WIDE else 1 if width >= MIDDLING else 2
        if tier == self._tier:
            return
        self._tier = tier
        table, place = self.table, self.table.cursor_row
        table.clear(columns=True)
        self._shown = [name for name, _, *widths in COLUMNS if widths[tier]]
        for name, title, *widths in COLUMNS:
            if widths[tier]:
                table.add_column(Text(title), key=name, width=widths[tier])
        for row in self._rows:
            table.add_row(*(self._cells[row, name] for name in self._shown), key=row)
        table.move_cursor(row=place, animate=False)

    def paint(self) -> None:
        """Every cell that differs, and nothing else."""
        super().paint()
        self._fit()
        store, now = self.bridge.store, self.bridge.now()
        for name, host in store.hosts.items():
            self._row(f"host {name}", None, self._host_cells(host, now))
        for key, run in store.runs.items():
            self._row("/".join(key), key, self._run_cells(run, store.host_of(run), now))
        gone = [row for row, known in self._rows.items() if known is not None and known not in store.runs]
        for row in gone:
            self._remove(row)
        self._place()
        self._say_empty()
        alerts = [
            lines.line((alert.text, hue("red" if alert.level == "error" else "amber")))
            for alert in store.alerts
        ]
        self.query_one("#alerts", Panel).lay(lambda _width, _height: alerts[-4:])

    def _place(self) -> None:
        """Once, when the hosts have told their runs: the newest live one. Then only the operator moves."""
        store = self.bridge.store
        if self._placed or not store.runs or not any(host.runs_seen for host in store.hosts.values()):
            return
        self._placed = True
        keys = [key for key in self._rows.values() if key is not None]
        chosen = next((key for key in keys if not store.runs[key].view.is_terminal), keys[0])
        if self.table.cursor_row == 0:
            self.table.move_cursor(row=list(self._rows.values()).index(chosen), animate=False)

    def _say_empty(self) -> None:
        """What to press, once the hosts have answered that there is nothing."""
        store = self.bridge.store
        empty = self.query_one("#empty", Panel)
        shown = not store.runs and any(host.runs_seen for host in store.hosts.values())
        empty.set_class(shown, "-shown")
        if shown:
            rows = [
                lines.line((EMPTY[0], STRONG)),
                *(lines.line((text[:4], hue("blue", bold=True)), (text[4:], PLAIN)) for text in EMPTY[1:]),
            ]
            empty.lay(lambda _width, _height: rows)

    def _row(self, row: str, key: RunKey | None, cells: dict[str, Text]) -> None:
        table = self.table
        if row not in self._rows:
            self._rows[row] = key
            table.add_row(*(cells[name] for name in self._shown), key=row)
            self._cells.update({(row, name): cell for name, cell in cells.items()})
            return
        for name, cell in cells.items():
            known = self._cells[row, name]
            if cell != known or cell.spans != known.spans:
                self._cells[row, name] = cell
                if name in self._shown:
                    table.update_cell(row, name, cell)

    def _remove(self, row: str) -> None:
        self.table.remove_row(row)
        del self._rows[row]
        for name, *_ in COLUMNS:
            del self._cells[row, name]

    def _host_cells(self, host: HostRecord, now: float) -> dict[str, Text]:
        cpu = host.reading("cpu_percent")
        live = sum(
            1 for run in self.bridge.store.runs.values() if run.host == host.name and not run.view.is_terminal
        )
        used, total = host.reading("mem_used"), host.reading("mem_total")
        cells = dict.fromkeys((name for name, *_ in COLUMNS), BLANK)
        cells["run"] = lines.line((host.name, STRONG), (f"  {live} live" if host.runs_seen else "", DIM))
        cells["link"] = lines.fact(link_fact(host, now))
        cells["load"] = lines.line(
            (f"cpu {cpu:.0f} %" if cpu is not None else "cpu n/a", PLAIN if cpu is not None else FAINT)
        )
        memory = f"{size(used)} {share(used, total)}" if used is not None else "n/a"
        cells["memory"] = lines.line((memory, PLAIN if used is not None else FAINT))
        cells["data"] = lines.fact(age_fact(host.heard_at, now))
        return cells

    def _run_cells(self, run: RunRecord, host: HostRecord, now: float) -> dict[str, Text]:
        return {
            "run": lines.line(("  ", PLAIN), (run.run_id, PLAIN)),
            "link": lines.line((f"{run.host} ", DIM)) + lines.fact(link_fact(host, now), detail=False),
            "state": lines.fact(state_fact(run, host), detail=False),
            "step": lines.line((_step(run), PLAIN)),
            "loss": lines.line((number(run.row.get("ce", run.row.get("total")), 4), PLAIN)),
            "u_val": self._lamp(run, "u_val"),
            "R": self._lamp(run, "R"),
            "grad": self._lamp(run, "grad_norm"),
            "load": lines.line((run.view.device, DIM)),
            "memory": lines.line((_memory(run), DIM)),
            "data": lines.fact(age_fact(run.heard_at, now))
            if not run.view.is_terminal
            else lines.line(("over", FAINT)),
        }

    def _lamp(self, run: RunRecord, metric: str) -> Text:
        """Value and glyph of a lamp, with its word where there is room."""
        bands, value = self.bridge.store.bands, run.row.get(metric)
        if bands is None or value is None:
            return lines.line(("n/a" if value is None else number(value, 3), FAINT))
        verdict: Verdict = judge(bands, metric, value, context_of(run))
        word = f" {verdict.word}" if metric == "R" else ""
        return lines.line((f"{verdict.glyph}{word} ", hue(verdict.colour)), (f"{value:.3g}", PLAIN))

    def action_open(self) -> None:
        """Open the chosen run."""
        self.bridge.open_run(self.target())


def _step(run: RunRecord) -> str:
    if run.step is None:
        return run.phase.phase if run.phase and not run.view.is_terminal else "n/a"
    return f"{run.step:,}/{run.max_steps:,}" if run.max_steps else f"{run.step:,}"


def _memory(run: RunRecord) -> str:
    told = run.row.get("memory_bytes", run.row.get("rss"))
    return size(told) if told is not None else ""
