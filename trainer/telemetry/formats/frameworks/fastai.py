"""fastai: a table whose header begins with `epoch`, a row an epoch, and a new table for every stage."""

import re
from collections.abc import Sequence
from math import nan

from trainer.telemetry.formats.format import Format
from trainer.telemetry.formats.line import Line
from trainer.telemetry.formats.metric_names import name_all
from trainer.telemetry.formats.pattern import lazy
from trainer.telemetry.formats.row import Finding, Row, Start

_HEADER = lazy(r"epoch {2,}train_loss {2,}(?:[\w.]{1,60} {2,}){0,40}(?:time|[\w.]{1,60})\s*")
_CLOCK = lazy(r"(?:\d{1,4}:)?\d{1,2}:\d\d")
COLUMNS_LIMIT = 48


class Fastai(Format):
    """Steps are epochs. All but the training loss and the time was measured on held-out data."""

    name = "fastai"
    example = "epoch     train_loss  valid_loss  error_rate  time"
    axis = "epoch"
    needles = (b"epoch  ",)

    def __init__(self) -> None:
        self._columns: list[str] = []

    @property
    def greedy(self) -> bool:  # type: ignore[override]
        """Whether it is inside a table."""
        return bool(self._columns)

    def take(self, line: Line) -> Sequence[Finding]:
        """See `Format`."""
        text = line.plain
        if _HEADER.fullmatch(text) is not None:
            self._columns = text.split()
            return (Start(),)
        if not self._columns or not text[:1].isdigit():
            return ()
        cells = text.split()
        if len(cells) != len(self._columns) or not cells[0].isdigit():
            return ()
        timed = self._columns[-1] == "time"
        if timed and _CLOCK.fullmatch(cells[-1]) is None:
            return ()
        try:
            numbers = [_cell(cell) for cell in (cells[1:-1] if timed else cells[1:])]
        except ValueError:
            return ()
        values = dict(zip(self._columns[1:], numbers, strict=False))
        step = int(cells[0][:15])
        trained: dict[str, float | None] = {"loss": values.pop("train_loss")}
        rows = [Row(step, trained)]
        if scores := {name: value for name, value in values.items() if value is not None}:
            rows.append(Row(step, name_all(scores), is_eval=True))
        return rows

    def take_last(self, line: Line) -> Sequence[Finding]:
        """A time that was cut is no time."""
        whole = self._columns[-1:] == ["time"] and re.search(r"\d:\d\d\s*$|[^\d:]$", line.text)
        return self.take(line) if whole else ()


def _cell(text: str) -> float | None:
    """A number; None for what fastai did not compute.

    Raises:
        ValueError: it is none.
    """
    if text in ("None", "#na#"):
        return None
    return nan if text.lower() == "nan" else float(text)
