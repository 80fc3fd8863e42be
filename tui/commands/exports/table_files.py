"""CSV and JSON lines of a run: every row that stands, nothing rounded."""

import csv
import io
import json
from datetime import UTC, datetime
from math import isfinite

from trainer.telemetry.flat import json_lines
from tui.commands.exports.recorded_run import KINDS, RecordedRun, numbers

FORMULAS = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would work out a name that begins so
FIRST = ("step", "attempt", "kind", "time")


def csv_bytes(run: RecordedRun) -> bytes:
    """A header and a line a row: step, attempt, train, eval or probe, time (UTC), and every metric.

    A cell is empty where nothing was measured, `nan` where it was not finite.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names = run.names
    writer.writerow([*FIRST, *map(_heading, names)])
    for row in run.rows:
        values = dict(numbers(row))
        cells = ["" if (value := values.get(name)) is None else number(value) for name in names]
        writer.writerow([row.step, row.attempt, KINDS[type(row)], moment(row.t), *cells])
    return out.getvalue().encode("utf-8", "replace")


def jsonl_bytes(run: RecordedRun) -> bytes:
    """An event a line, in the form of `events.jsonl` and of `photinus read --json`."""
    return json_lines(run.events)


def number(value: float) -> str:
    """A number that reads back as itself."""
    if not isfinite(value):
        return "nan"
    return json.dumps(value)


def moment(t: float) -> str:
    """A time as ISO 8601, UTC; empty where it is not known."""
    return datetime.fromtimestamp(t, UTC).isoformat(timespec="milliseconds") if t else ""


def _heading(name: str) -> str:
    if name in FIRST:
        return f"metric {name}"
    return f"'{name}" if name.startswith(FORMULAS) else name
