"""A run as a Parquet file, written by Apache Arrow."""

import io
from math import nan

from tui.commands.exports.missing_library import needs
from tui.commands.exports.recorded_run import KINDS, RecordedRun, numbers
from tui.commands.exports.table_files import FIRST


def parquet_bytes(run: RecordedRun) -> bytes:
    """The columns of the CSV with their types: a metric is a double, null where it was not measured.

    Raises:
        CallError: Apache Arrow is not installed.
    """
    try:
        import pyarrow as arrow
        from pyarrow import parquet
    except ImportError as error:
        raise needs("pyarrow", "parquet", error) from error
    rows, names = run.rows, run.names
    columns: dict[str, list[float | None]] = {name: [None] * len(rows) for name in names}
    for place, row in enumerate(rows):
        for name, value in numbers(row):
            columns[name][place] = _double(value)
    times = [round(row.t * 1000) if row.t else None for row in rows]
    made = {
        "step": arrow.array([row.step for row in rows], arrow.int64()),
        "attempt": arrow.array([row.attempt for row in rows], arrow.int64()),
        "kind": arrow.array([KINDS[type(row)] for row in rows], arrow.string()),
        "time": arrow.array(times, arrow.timestamp("ms", "UTC")),
    }
    for name, values in columns.items():
        made[f"metric {name}" if name in FIRST else name] = arrow.array(values, arrow.float64())
    out = io.BytesIO()
    parquet.write_table(arrow.table(made), out)
    return out.getvalue()


def _double(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return nan
