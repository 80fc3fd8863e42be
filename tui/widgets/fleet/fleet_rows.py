"""The rows of the Fleet table: hosts with their links, and under each of them its runs."""

from collections import Counter

from rich.cells import cell_len
from rich.text import Text

from trainer.telemetry.bands import Bands
from tui.store.facts import age_fact, is_stale, link_fact
from tui.store.fleet.fleet_look import FleetLook
from tui.store.hosts import HostRecord
from tui.store.runs import RunRecord
from tui.store.store import RunKey, Store
from tui.store.words import share, shortened, size
from tui.theme import DIM, FAINT, PLAIN, STRONG, hue
from tui.widgets import lines
from tui.widgets.fleet.fleet_fit import Fit
from tui.widgets.fleet.run_row import old, run_cells
from tui.widgets.keyed_table import Cells


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
    store: Store, now: float, wall: float, fit: Fit, look: FleetLook
) -> tuple[dict[str, Cells], dict[str, RunKey]]:
    """Every row, and which run each stands for. `now`, `wall`: monotonic and epoch seconds."""
    live = Counter(key[0] for key, run in store.runs.items() if run.view.is_live)
    found: dict[str, Cells] = {}
    keys: dict[str, RunKey] = {}
    for group in look.groups(store, wall):
        name, host = group.host, store.hosts[group.host]
        found[f"host {name}"] = host_cells(host, live[name], now, fit)
        for key in group.keys:
            row = "/".join(key)
            cells, keys[row] = _cells_of(store.runs[key], host, store.bands, now, wall, fit), key
            found[row] = marked(cells) if key in look.marks else cells
        more = group.hidden + host.left_out
        if more and not look.query.words:
            text = f"  … {more:,} more {'is' if more == 1 else 'are'} over"
            text += "" if group.hidden else ": photinus ls --all"  # these the cockpit itself does not know
            found[f"more {name}"] = {"run": lines.line((text, FAINT))}
    return found, keys


def marked(cells: dict[str, Text]) -> dict[str, Text]:
    """The row of a marked run: a sign before its name."""
    name = cells["run"]
    return cells | {"run": lines.line(("● ", hue("blue", bold=True))) + name[2:]}


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
    return cells | _load_cells(host) | {"data": old(age_fact(host.received_at, now), fit.width("data"))}


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


def _cells_of(
    run: RunRecord, host: HostRecord, bands: Bands | None, now: float, wall: float, fit: Fit
) -> dict[str, Text]:
    """The row of a run; one that cannot be laid out says so, and hides no other."""
    try:
        return run_cells(run, host, bands, now, wall, fit)
    except Exception as error:
        return {"run": lines.line((f"  {run.run_id} cannot be shown: {error!r}"[:200], hue("red")))}
