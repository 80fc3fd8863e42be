"""The rows of the Processes screen: a tree by host and run, and the locks beside it."""

import textwrap

from rich.text import Text

from trainer.telemetry.bands import Colour
from tui.store.census import Census, Lock, Process
from tui.store.facts import link_fact
from tui.store.hosts import HostRecord
from tui.store.words import duration, shortened, size
from tui.theme import DIM, FAINT, PLAIN, STRONG, hue
from tui.widgets import lines
from tui.widgets.keyed_table import Cells

# Column, title, and its width from 110 and 76 columns on, and below. 0: left out; below 0: shares of the rest
COLUMNS: tuple[tuple[str, str, tuple[int, int, int]], ...] = (
    ("what", "host, run, process", (26, 24, 20)),
    ("class", "class", (9, 9, 9)),
    ("why", "why", (-3, -1, -1)),
    ("age", "age", (7, 7, 7)),
    ("memory", "memory", (8, 8, 0)),
    ("gpu", "accel.", (7, 0, 0)),
    ("command", "command", (-2, 0, 0)),
)
_CLASSES: dict[str, tuple[str, Colour]] = {
    "live": ("●", "green"),
    "orphan": ("◇", "red"),
    "foreign": ("·", "grey"),
}


def columns(width: int) -> list[tuple[str, str, int]]:
    """Name, title and width of each column that a table of so many cells has."""
    tier = 0 if width >= 110 else 1 if width >= 76 else 2
    shown = [(name, title, widths[tier]) for name, title, widths in COLUMNS if widths[tier]]
    rest = width - sum(max(wide, 0) for _, _, wide in shown) - 2 * len(shown) - 1
    shares = -sum(min(wide, 0) for _, _, wide in shown)
    return [
        (name, title, wide if wide > 0 else max(rest * -wide // shares, 10)) for name, title, wide in shown
    ]


def ours(host: HostRecord, census: Census | None, now: float, width: int) -> dict[str, Cells]:
    """A host, its runs, and their processes; live and orphaned ones."""
    rows: dict[str, Cells] = {f"host {host.name}": _host(host, census, now, width)}
    if census is None:
        return rows
    by_run: dict[str, list[Process]] = {}
    for process in census.processes:
        if process.standing != "foreign":
            by_run.setdefault(process.run_id, []).append(process)
    for run_id, processes in sorted(by_run.items()):
        rows[f"run {host.name}/{run_id}"] = {
            "what": lines.line(("  ", PLAIN), (shortened(run_id, width - 2), PLAIN))
        }
        for process in sorted(processes, key=lambda one: one.pid):
            rows[f"{host.name}/{process.row}"] = _process(process, "    ")
    return rows


def foreign(host: str, census: Census | None) -> dict[str, Cells]:
    """Processes that look like training and carry no mark of ours: shown, never touched."""
    found = [one for one in census.processes if one.standing == "foreign"] if census else []
    return {
        f"{host}/{one.row}": {**_process(one, ""), "what": lines.line((f"{one.pid}  ", DIM), (host, FAINT))}
        for one in found
    }


def _host(host: HostRecord, census: Census | None, now: float, width: int) -> Cells:
    summary = "not asked yet"
    if not host.link.is_up:
        fact = link_fact(host, now)
        summary = f"unknown: {fact.glyph} {fact.word}"
    elif census is not None and census.trouble:
        summary = census.trouble
    elif census is not None:
        orphans = len(census.orphans)
        live = sum(one.standing == "live" for one in census.processes)
        summary = f"{live} live, {orphans} orphan{'' if orphans == 1 else 's'}"
    old = lines.line((duration(now - census.at) if census is not None and census.at else "", FAINT))
    return {
        "what": lines.line((shortened(host.name, width, 4), STRONG)),
        "why": lines.line((summary, DIM)),
        "age": old,
    }


def _process(process: Process, indent: str) -> Cells:
    glyph, colour = _CLASSES[process.standing]
    return {
        "what": lines.line((f"{indent}{process.pid}", PLAIN)),
        "class": lines.line((f"{glyph} {process.standing}", hue(colour))),
        "why": lines.line((process.why, PLAIN if process.standing == "orphan" else DIM)),
        "age": lines.line((duration(process.age_s), DIM)),
        "memory": _known(process.memory),
        "gpu": _known(process.gpu_memory),
        "command": lines.line((process.command or "n/a", FAINT)),
    }


def _known(value: float | None) -> Text:
    return lines.line((size(value), FAINT if value is None else PLAIN))


def detail(process: Process | None, width: int) -> list[Text]:
    """Everything about the process under the cursor, uncut."""
    if process is None:
        return [lines.line(("choose a process to see all of its command and why it is listed", FAINT))]
    glyph, colour = _CLASSES[process.standing]
    rows = [
        lines.line(
            (f"pid {process.pid}  ", STRONG),
            (f"{glyph} {process.standing}  ", hue(colour)),
            (process.run_id, PLAIN),
        )
    ]
    whose = f" (of {process.user})" if process.user else ""
    log = f"  > {process.log}" if process.log else ""
    paragraphs = (process.why + whose, PLAIN), ((process.command or "its command cannot be read") + log, DIM)
    for text, style in paragraphs:
        rows += [lines.line((row, style)) for row in textwrap.wrap(text, max(width, 20))[:2]]
    return rows


def lock_rows(hosts: dict[str, Census], first: str | None, width: int) -> list[Text]:
    """The locks of each host, the chosen one's first: each that is held, and the names of the free ones."""
    rows: list[Text] = []
    for host, found in sorted(hosts.items(), key=lambda item: item[0] != first):
        if not found.locks:
            continue
        rows.append(lines.line((host, STRONG)))
        rows += [_held(lock, width) for lock in found.locks if not lock.free]
        free = [lock.name.removeprefix("devices/") for lock in found.locks if lock.free]
        wrapped = textwrap.wrap(", ".join(free), max(width - 9, 12))
        for number, text in enumerate(wrapped):
            rows.append(lines.line((" ○ free  " if not number else " " * 9, FAINT), (text, DIM)))
    return rows or [lines.line(("no lock is known", FAINT))]


def _held(lock: Lock, width: int) -> Text:
    """A held lock; by whom, where its name does not say so."""
    lone = not lock.run_id and lock.name != "agent"
    owner = "" if lock.name.startswith("runs/") else lock.run_id
    by = owner or lock.holders or ("no known run" if lone else "")
    mark: lines.Part = (" ◇ held  ", hue("amber")) if lone else (" ● held  ", hue("green"))
    name = lock.name.removeprefix("devices/").removeprefix("runs/")
    room = max(width - 9 - (len(by) + 2 if by else 0), 12)
    return lines.line(mark, (shortened(name, room), PLAIN), (f"  {by}" if by else "", DIM))
