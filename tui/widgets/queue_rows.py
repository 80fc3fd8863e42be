"""The rows of the Queue screen: each host, who computes there, and who waits, the next one first."""

from collections.abc import Iterator

from tui.store.facts import link_fact, state_fact
from tui.store.fleet.host_queue import HostQueue, WaitingRow, holders
from tui.store.hosts import HostRecord
from tui.store.runs import RunRecord
from tui.store.store import Store
from tui.store.words import duration, shortened
from tui.theme import DIM, FAINT, PLAIN, STRONG, hue
from tui.widgets import lines
from tui.widgets.keyed_table import OVER, Cells


def queue_columns(width: int) -> list[tuple[str, str, int]]:
    """Name, title and width of each column that a terminal of so many cells has room for."""
    tier = 0 if width >= 142 else 1 if width >= 96 else 2
    names: tuple[tuple[str, str, tuple[int, int, int]], ...] = (
        ("place", "place", (10, 8, 6)),
        ("run", "host and run", (44, 34, 30)),
        ("device", "device", (18, 12, 10)),
        ("state", "state", (14, 12, 11)),
        ("why", "waits for", (44, 22, 13)),
    )
    return [(name, title, widths[tier]) for name, title, widths in names]


def queue_rows(store: Store, known: dict[str, HostQueue], now: float, width: int) -> dict[str, Cells]:
    """Every row by its name: `host NAME`, `holds NAME RUN`, `waits NAME RUN`."""
    room = queue_columns(width)[1][2]
    rows: dict[str, Cells] = {}
    for name, host in store.hosts.items():
        queue = known.get(name) if host.link.is_up else None
        rows[f"host {name}"] = _host(host, queue, now)
        rows |= {f"holds {name} {run.run_id}": _holder(run, host, room) for run in holders(store.runs, name)}
        rows |= {f"waits {name} {one.run_id}": cells for one, cells in _waiting(queue, room)}
    return rows


def _host(host: HostRecord, queue: HostQueue | None, now: float) -> Cells:
    said = lines.fact(link_fact(host, now), detail=False)
    if queue is not None:
        count = len(queue.rows)
        said = lines.line((f"{count} wait{'s' if count == 1 else ''}" if count else "nobody waits", DIM))
        if queue.trouble:
            said = lines.line((queue.trouble, hue("amber")))
    return {"place": lines.line(("", DIM)), "run": lines.line((host.name, STRONG)), "device" + OVER: said}


def _holder(run: RunRecord, host: HostRecord, room: int) -> Cells:
    left = run.eta_s
    why = f"{duration(left)} left" if left is not None else ""
    return {
        "place": lines.line(("now", hue("green"))),
        "run": lines.line((f"  {shortened(run.name, room - 2)}", PLAIN)),
        "device": lines.line((run.view.device, PLAIN)),
        "state": lines.fact(state_fact(run, host), detail=False),
        "why": lines.line((why, DIM)),
    }


def _waiting(queue: HostQueue | None, room: int) -> Iterator[tuple[WaitingRow, Cells]]:
    for one in queue.rows if queue is not None else ():
        state = ("‖ held", hue("amber")) if one.held else ("◷ waits", hue("blue"))
        why = one.why or (f"{one.after} to succeed" if one.after else "its device")
        yield (
            one,
            {
                "place": lines.line((f"{one.place}", STRONG)),
                "run": lines.line((f"  {shortened(one.name or one.run_id, room - 2)}", PLAIN)),
                "device": lines.line((one.device, PLAIN)),
                "state": lines.line(state),
                "why": lines.line((why, DIM if one.why or one.after else FAINT)),
            },
        )
