"""The rows of the Fleet table: hosts with their links, and under each of them its runs."""

from collections.abc import Collection
from dataclasses import dataclass

from rich.cells import cell_len
from rich.text import Text

from trainer.telemetry.bands import Bands
from trainer.telemetry.judge import LampReading, judge
from tui.store.facts import (
    Fact,
    age_fact,
    is_stale,
    link_fact,
    run_age_fact,
    run_received_at,
    state_fact,
)
from tui.store.hosts import HostRecord
from tui.store.lamps import context_of
from tui.store.runs import RunRecord
from tui.store.store import RunKey, Store
from tui.store.words import duration, number, share, shortened, size
from tui.theme import DIM, FAINT, PLAIN, STRONG, hue
from tui.widgets import lines
from tui.widgets.keyed_table import Cells

# Column, title, and its width from 184, 158, 126, 98, 78 columns on, and below; 0 leaves it out.
COLUMNS: tuple[tuple[str, str, tuple[int, ...]], ...] = (
    ("run", "host and run", (30, 24, 38, 35, 33, 28)),
    ("link", "link", (24, 18, 0, 0, 0, 0)),
    ("state", "state", (14, 12, 12, 11, 11, 10)),
    ("step", "step", (14, 13, 13, 11, 11, 10)),
    ("loss", "loss", (7, 6, 6, 6, 6, 0)),
    ("u_val", "u_val", (8, 6, 6, 6, 0, 0)),
    ("R", "R zone", (16, 15, 15, 7, 7, 0)),
    ("grad", "grad", (8, 7, 7, 0, 0, 0)),
    ("load", "device", (9, 8, 0, 0, 0, 0)),
    ("memory", "memory", (12, 11, 0, 0, 0, 0)),
    ("power", "power", (7, 0, 0, 0, 0, 0)),
    ("data", "data age", (15, 15, 12, 7, 0, 0)),
)
TIERS = (184, 158, 126, 98, 78)
FOLD = 6  # with several hosts, so many runs that are over are shown of each


@dataclass(frozen=True, slots=True)
class Fit:
    """What a width of the terminal leaves room for."""

    tier: int
    without: frozenset[str] = frozenset()

    @classmethod
    def of(cls, width: int, without: frozenset[str] = frozenset()) -> "Fit":
        """The columns for this many cells, but for those that no run has anything for."""
        return cls(next((tier for tier, least in enumerate(TIERS) if width >= least), len(TIERS)), without)

    @property
    def columns(self) -> list[tuple[str, str, int]]:
        """Name, title and width of each column shown."""
        shown = [(name, title, width) for name, title, _ in COLUMNS if (width := self.width(name))]
        return [(name, _title(title, width), width) for name, title, width in shown]

    def width(self, name: str) -> int:
        """The width of a column, 0 where it is left out."""
        if name in self.without:
            return 0
        room = sum(self._usual(other) + 1 for other in self.without if self._usual(other))
        return self._usual(name) + (room if name == "run" else 0)

    def _usual(self, name: str) -> int:
        return next(widths[self.tier] for known, _, widths in COLUMNS if known == name)


def _title(title: str, width: int) -> str:
    return title if len(title) <= width else title.split()[-1]


def without(store: Store) -> frozenset[str]:
    """The columns that no run of a fleet has anything for: there are only other people's programs."""
    runs = store.runs.values()
    if not any(run.catalogue for run in runs) or not all(run.is_command for run in runs):
        return frozenset()
    metrics = {"u_val": "u_val", "R": "R", "grad": "grad_norm"}
    return frozenset(
        column for column, metric in metrics.items() if not any(metric in run.catalogue for run in runs)
    )


def rows(
    store: Store, now: float, fit: Fit, unfolded: Collection[str]
) -> tuple[dict[str, Cells], dict[str, RunKey]]:
    """Every row, and which run each stands for: hosts in the operator's order, then their runs."""
    of_host: dict[str, list[RunKey]] = {name: [] for name in store.hosts}
    for key in store.runs:
        of_host[key[0]].append(key)
    found: dict[str, Cells] = {}
    keys: dict[str, RunKey] = {}
    for name, host in store.hosts.items():
        live = sum(store.runs[key].view.is_live for key in of_host[name])
        found[f"host {name}"] = host_cells(host, live, now, fit)
        shown = of_host[name]
        if len(store.hosts) > 1 and name not in unfolded:
            shown = folded(store, shown)
        for key in shown:
            row = "/".join(key)
            found[row], keys[row] = _cells_of(store.runs[key], host, store.bands, now, fit), key
        hidden = len(of_host[name]) - len(shown)
        if hidden or host.left_out:
            more = hidden + host.left_out
            text = f"  … {more:,} more {'is' if more == 1 else 'are'} over"
            text += "" if hidden else ": photinus ls --all"  # these the cockpit itself does not know
            found[f"more {name}"] = {"run": lines.line((text, FAINT))}
    return found, keys


def folded(store: Store, keys: list[RunKey]) -> list[RunKey]:
    """Live runs, and those that ended last, in the order of `keys`."""
    over = [key for key in keys if not store.runs[key].view.is_live]
    kept = set(sorted(over, key=lambda key: -store.runs[key].view.since)[:FOLD])
    return [key for key in keys if key in kept or store.runs[key].view.is_live]


def host_cells(host: HostRecord, live: int, now: float, fit: Fit) -> dict[str, Text]:
    """The row of a host. What is not known is n/a, never 0."""
    link, count = link_fact(host, now), ""
    if live:
        count = f"  {live} {'unknown' if is_stale(host) else 'live'}"
    width = fit.width("run")
    cells = {"link": lines.fact(link, detail=cell_len(link.text) <= fit.width("link"))}
    if fit.width("link"):
        name = shortened(host.name, width - len(count), 4)
        cells["run"] = lines.line((name, STRONG), (count, DIM))
    else:
        shown = lines.fact(link, detail=cell_len(link.text) + 8 <= width)
        name = shortened(host.name, max(width - shown.cell_len - 1, 6), 4)
        room = width - len(name) - 1 - shown.cell_len
        cells["run"] = lines.line((f"{name} ", STRONG)) + shown
        if len(count) <= room:
            cells["run"] += lines.line((count, DIM))
    return cells | _load_cells(host) | {"data": _old(age_fact(host.received_at, now), fit.width("data"))}


def _load_cells(host: HostRecord) -> dict[str, Text]:
    """How busy the machine is: its accelerators where they can be read, else its processor."""
    gpus = host.gpus
    busy, power = _mean([gpu.util_percent for gpu in gpus]), _sum([gpu.power_w for gpu in gpus])
    used, total = _sum([gpu.mem_used for gpu in gpus]), _sum([gpu.mem_total for gpu in gpus])
    name = f"{len(gpus)}gpu" if len(gpus) > 1 else "gpu"
    if not gpus:
        load = host.load_now
        name, busy, used, total = "cpu", load.cpu_percent, load.mem_used, load.mem_total
    memory = f"{size(used)} {share(used, total)}" if used is not None else None
    return {
        "load": _known(f"{name} {busy:.0f} %" if busy is not None else None),
        "memory": _known(memory),
        "power": _known(f"{power:.0f} W" if power is not None else None),
    }


def _known(text: str | None) -> Text:
    return lines.line((text or "n/a", FAINT if text is None else PLAIN))


def _sum(values: list[float | None]) -> float | None:
    return sum(known) if (known := [value for value in values if value is not None]) else None


def _mean(values: list[float | None]) -> float | None:
    return sum(known) / len(known) if (known := [value for value in values if value is not None]) else None


def run_cells(run: RunRecord, host: HostRecord, bands: Bands | None, now: float, fit: Fit) -> dict[str, Text]:
    """The row of a run; all of it recedes while its host cannot be asked: it is a stale view."""
    link = link_fact(host, now)
    cells = {
        "run": lines.line(("  ", PLAIN), (shortened(run.run_id, fit.width("run") - 2), PLAIN)),
        "link": lines.line((f"{shortened(run.host, 12, 4)} ", DIM), (link.glyph, hue(link.colour))),
        "state": lines.fact(state_fact(run, host), detail=False),
        "step": lines.line((_step(run, fit.width("step")), PLAIN)),
        "loss": lines.line((number(run.loss, 4), PLAIN)),
        "u_val": _lamp(run, bands, "u_val", worded=False),
        "R": _lamp(run, bands, "R", worded=fit.width("R") >= 15),
        "grad": _lamp(run, bands, "grad_norm", worded=False),
        "load": lines.line((run.view.device, DIM)),
        "memory": lines.line((_memory(run), DIM)),
        "power": lines.line(("", DIM)),
        "data": _age(run, host, now, fit.width("data")),
    }
    if is_stale(host):
        return {name: Text(cell.plain, style=FAINT, end="", no_wrap=True) for name, cell in cells.items()}
    return cells


def _cells_of(run: RunRecord, host: HostRecord, bands: Bands | None, now: float, fit: Fit) -> dict[str, Text]:
    """The row of a run; one that cannot be laid out says so, and hides no other."""
    try:
        return run_cells(run, host, bands, now, fit)
    except Exception as error:
        return {"run": lines.line((f"  {run.run_id} cannot be shown: {error!r}"[:200], hue("red")))}


def _age(run: RunRecord, host: HostRecord, now: float, width: int) -> Text:
    if is_stale(host):
        text = run_age_fact(run, host, now).text
        return lines.line((text if len(text) <= width else duration(now - run_received_at(run, host)), FAINT))
    if run.view.is_terminal:
        return lines.line(("over", FAINT))
    return _old(run_age_fact(run, host, now), width)


def _old(fact: Fact, width: int) -> Text:
    word = fact.word if len(fact.word) <= width else fact.word.removesuffix(" ago")
    return lines.line((word, hue(fact.colour)))


def _lamp(run: RunRecord, bands: Bands | None, metric: str, *, worded: bool) -> Text:
    """Value and glyph of a lamp, with its word where there is room."""
    value = run.newest(metric) if run.is_command else run.row.get(metric)
    if value is None and run.catalogue and metric not in run.catalogue:
        return lines.line(("", FAINT))  # it tells other things
    if bands is None or value is None:
        return lines.line(("n/a" if value is None else number(value, 3), FAINT))
    verdict: LampReading = judge(bands, metric, value, context_of(run))
    word = f" {verdict.word}" if worded else ""
    digits = 3 if abs(value) >= 1 else 2
    return lines.line((f"{verdict.glyph}{word} ", hue(verdict.colour)), (f"{value:.{digits}g}", PLAIN))


def _step(run: RunRecord, width: int) -> str:
    if run.step is None:
        return run.phase.phase if run.phase and not run.view.is_terminal else "n/a"
    progress = f"{run.step:,}/{run.max_steps:,}" if run.max_steps else f"{run.step:,}"
    if len(progress) > width and run.max_steps:
        return f"{run.step:,} {share(run.step, run.max_steps)}".replace(" %", "%")
    return progress


def _memory(run: RunRecord) -> str:
    used = run.row.get("memory_bytes", run.row.get("rss"))
    return size(used) if used is not None else ""
