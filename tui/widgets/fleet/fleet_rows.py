"""The rows of the Fleet table: hosts with their links, and under each of them its runs."""

from collections.abc import Collection
from dataclasses import dataclass

from rich.cells import cell_len
from rich.text import Text

from tui.store.facts import age_fact, is_stale, link_fact
from tui.store.fleet_view import EVERYTHING, FleetFilter, Sort, ordered
from tui.store.hosts import HostRecord
from tui.store.runs import RunRecord
from tui.store.store import RunKey, Store
from tui.store.words import share, shortened, size
from tui.theme import DIM, FAINT, PLAIN, STRONG, hue
from tui.widgets import lines
from tui.widgets.fleet.fleet_columns import Fit
from tui.widgets.fleet.run_rows import received, run_row
from tui.widgets.keyed_table import Cells
from tui.widgets.lines import Part

FOLD = 6  # with several hosts, so many runs that are over are shown of each


@dataclass(frozen=True, slots=True)
class FleetLook:
    """What the operator chose to see.

    Attributes:
        filter: which runs are shown; while it says anything nothing is folded.
        sort, reverse: the column that gives the order, and whether from its other end.
        unfolded: hosts of which every run is shown.
        marked: the runs that the next act is for.
    """

    filter: FleetFilter = EVERYTHING
    sort: Sort = ""
    reverse: bool = False
    unfolded: Collection[str] = ()
    marked: Collection[RunKey] = ()


NOTHING_CHOSEN = FleetLook()


def rows(
    store: Store, now: float, fit: Fit, look: FleetLook = NOTHING_CHOSEN, wall: float | None = None
) -> tuple[dict[str, Cells], dict[str, RunKey]]:
    """Every row, and which run each stands for: hosts in the operator's order, then their runs.

    `wall`: epoch seconds, for when a run ended.
    """
    of_host: dict[str, list[RunRecord]] = {name: [] for name in store.hosts}
    for key, run in store.runs.items():
        of_host[key[0]].append(run)
    found: dict[str, Cells] = {}
    keys: dict[str, RunKey] = {}
    for name, host in store.hosts.items():
        runs = _shown(store, name, of_host[name], look, wall)
        if look.filter.terms and not runs:
            continue
        live = sum(run.view.is_live for run in of_host[name])
        found[f"host {name}"] = host_cells(host, live, now, fit)
        for run in runs:
            key = (name, run.run_id)
            row, marked = "/".join(key), key in look.marked
            found[row] = run_row(run, host, store.bands, now, fit, wall=wall, marked=marked)
            keys[row] = key
        hidden = 0 if look.filter.terms else len(of_host[name]) - len(runs)
        if (hidden or host.left_out) and not look.filter.terms:
            more = hidden + host.left_out
            text = f"  … {more:,} more {'is' if more == 1 else 'are'} over"
            text += "" if hidden else ": photinus ls --all"  # these the cockpit itself does not know
            found[f"more {name}"] = {"run": lines.line((text, FAINT))}
    return found, keys


def _shown(
    store: Store, host: str, runs: list[RunRecord], look: FleetLook, wall: float | None
) -> list[RunRecord]:
    """The runs of a host that are shown, in order."""
    if look.filter.terms:
        at = (wall or 0.0) + (store.hosts[host].wall_ahead or 0.0)
        return ordered([run for run in runs if look.filter.lets(run, at)], look.sort, reverse=look.reverse)
    if len(store.hosts) > 1 and host not in look.unfolded:
        runs = folded(runs)
    return ordered(runs, look.sort, reverse=look.reverse)


def folded(runs: list[RunRecord]) -> list[RunRecord]:
    """Live runs, and of the others those that failed last, then those that ended last."""
    over = [run for run in runs if not run.view.is_live]
    kept = {run.run_id for run in ordered(over)[:FOLD]}
    return [run for run in runs if run.run_id in kept or run.view.is_live]


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
    return cells | _load_cells(host) | {"data": received(age_fact(host.received_at, now), fit.width("data"))}


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


def chosen_line(chosen: FleetFilter, shown: int, known: int, marked: int) -> list[Text]:
    """What is hidden and what is marked, in words; nothing where nothing is."""
    parts: list[Part] = []
    if chosen.terms:
        parts.append((f"{shown} of {known} runs   ", DIM))
    if chosen.fault:
        parts.append((f"{chosen.fault}   ", hue("amber")))
    if marked:
        parts += [
            (f"{marked} marked", hue("amber", bold=True)),
            (": x stops, K kills them; esc forgets", DIM),
        ]
    return [lines.line(*parts)] if parts else []
