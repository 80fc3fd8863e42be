"""A baseline: numbers that stay, to hold runs against; a CSV file, its story in lines that begin with `#`."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field

from remote.protocol.sanitise import clean_line
from tui.store.metrics.series import Series

STEPS = ("step", "steps", "global_step", "iteration", "iter", "epoch")
COLUMNS_MAX, ROWS_MAX, NOTE_MAX = 64, 50_000, 400


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a file of a baseline says.

    Attributes:
        name: by which it is chosen.
        note: where its numbers come from, and what they cannot be held against.
        config: key -> value as text; empty where none is told.
        trouble: why it cannot be used; empty where it can.
    """

    name: str
    note: str = ""
    series: Mapping[str, Series] = field(default_factory=dict)
    config: Mapping[str, str] = field(default_factory=dict)
    trouble: str = ""


def parse_baseline(name: str, text: str) -> Baseline:
    """Read a CSV with a header; a cell that is no number is a value that was not told.

    The steps stand in a column of that name (`step`, `iteration`, `epoch`, ...), else rows are counted.
    """
    note, config, rows = "", dict[str, str](), list[str]()
    for line in text.splitlines():
        if not line.startswith("#"):
            rows.append(line)
            continue
        word, _, rest = line[1:].strip().partition(":")
        if word == "note":
            note = f"{note} {clean_line(rest.strip())}".strip()[:NOTE_MAX]
        elif word == "config" and "=" in rest and len(config) < COLUMNS_MAX * 4:
            key, _, value = rest.strip().partition("=")
            config[clean_line(key)[:100]] = clean_line(value)[:400]
    table = csv.reader(row for row in rows if row.strip())
    try:
        header = [clean_line(cell.strip())[:100] for cell in next(table, [])][:COLUMNS_MAX]
        series = _series(header, table)
    except (csv.Error, ValueError) as error:
        return Baseline(name, note, trouble=f"it is no table of numbers: {error}"[:200])
    if not series:
        return Baseline(name, note, trouble="it has no column of numbers under a name")
    return Baseline(name, note, series, config)


def _series(header: list[str], table: "csv._reader") -> dict[str, Series]:  # type: ignore[name-defined]
    at = next((header.index(name) for name in STEPS if name in header), None)
    found = {name: Series() for place, name in enumerate(header) if name and place != at}
    last = -1
    for number, cells in enumerate(table):
        if number >= ROWS_MAX:
            raise ValueError(f"more than {ROWS_MAX:,} rows")
        step = _number(cells[at]) if at is not None and at < len(cells) else number
        if step is None or step != step or not last < step < 1 << 32:
            continue  # a step that does not grow would take back what stands before it
        last = int(step)
        for name, cell in zip(header, cells, strict=False):
            if name in found and (value := _number(cell)) is not None:
                found[name].append(last, value)
    return {name: one for name, one in found.items() if len(one)}


def _number(cell: str) -> float | None:
    """The number in a cell; None where there is none."""
    text = cell.strip()
    try:
        return float(text) if text else None
    except ValueError:
        return None


def baseline_text(note: str, series: Mapping[str, Series], config: Mapping[str, str]) -> str:
    """The file of a baseline made of a run's metrics.

    Raises:
        ValueError: it has more rows or metrics than a baseline may have, or none.
    """
    told = {name: one for name, one in series.items() if len(one) and name not in STEPS}
    steps = sorted({step for one in told.values() for step in one.steps})
    if not steps:
        raise ValueError("it has told no metric yet")
    if len(steps) > ROWS_MAX or len(told) >= COLUMNS_MAX:
        raise ValueError(f"{len(steps):,} rows of {len(told)} metrics are too many for a baseline")
    values = {name: dict(zip(one.steps, one.tree.values, strict=True)) for name, one in told.items()}
    lines = [f"# note: {clean_line(note)[:NOTE_MAX]}"]
    lines += [f"# config: {key}={value}" for key, value in config.items()]
    lines.append(",".join(("step", *(_quoted(name) for name in told))))
    for step in steps:
        cells = (_cell(values[name].get(step)) for name in told)
        lines.append(",".join((str(step), *cells)))
    return "\n".join(lines) + "\n"


def _cell(value: float | None) -> str:
    return "" if value is None else "nan" if value != value else f"{value:.7g}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if set(name) & set(',"') else name
