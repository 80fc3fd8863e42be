"""A table of comma-separated values whose header names a step or an epoch."""

import csv
from collections.abc import Sequence

from trainer.telemetry.formats.format import Format
from trainer.telemetry.formats.line import Line
from trainer.telemetry.formats.metric_names import split
from trainer.telemetry.formats.numbers import number, whole
from trainer.telemetry.formats.row import Finding, Start

COLUMNS_LIMIT = 512
_STEPS = (
    "step",
    "global_step",
    "iteration",
    "iter",
    "update",
    "trainer/global_step",
    "steps",
    "epoch",
    "epochs",
)
_KSSM = {"total_loss": "total", "ce_loss": "ce"}  # what our own charts call them


class CsvTable(Format):
    """The header is the first line. A cell without a number is absent, a last line without an end no row."""

    name = "CSV"
    example = "epoch,step,train_loss,val_loss"
    needles = ()

    def __init__(self) -> None:
        self._columns: list[str] = []
        self._delimiter = ","
        self._step = 0  # its column
        self._looking = True

    @property
    def greedy(self) -> bool:  # type: ignore[override]
        """Whether the header has still to come, or has been found."""
        return self._looking or bool(self._columns)

    def begin_midway(self) -> None:
        """See `Format`: there is no header to come."""
        self._looking = False

    def take(self, line: Line) -> Sequence[Finding]:
        """See `Format`."""
        text = line.text.strip()
        if not text or text.startswith("#"):
            return ()
        if self._looking:
            self._looking = False
            return self._header(text)
        return self._row(text)

    def take_last(self, _line: Line) -> Sequence[Finding]:
        """See `Format`."""
        return ()

    def _header(self, text: str) -> Sequence[Finding]:
        for delimiter in ",;\t":
            columns = _cells(text, delimiter)
            lower = [name.lower() for name in columns]
            step = next((name for name in _STEPS if name in lower), None)
            if step is None or not 2 <= len(columns) <= COLUMNS_LIMIT:
                continue
            if all(columns[1:]) and not any(_number(name) is not None for name in columns):
                self._columns, self._delimiter, self._step = columns, delimiter, lower.index(step)
                self.axis = "epoch" if step.startswith("epoch") else "step"
                return (Start(),)
        return ()

    def _row(self, text: str) -> Sequence[Finding]:
        cells = _cells(text, self._delimiter)
        if len(cells) != len(self._columns):
            return ()
        if cells == self._columns:
            return (Start(),)
        step = whole(_number(cells[self._step]))
        if step is None:
            return ()
        values: dict[str, float | None] = {}
        for place, (name, cell) in enumerate(zip(self._columns, cells, strict=True)):
            # behind semicolons a comma is the decimal point
            text = cell.replace(",", ".", 1) if self._delimiter == ";" else cell
            if name and place != self._step and (value := _number(text)) is not None:
                values.setdefault(name, value)
        if _KSSM.keys() <= values.keys():
            values |= {short: values[name] for name, short in _KSSM.items()}
        return split(step, values)


def _cells(text: str, delimiter: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([text], delimiter=delimiter), [])]
    except csv.Error:
        return []


def _number(cell: str) -> float | None:
    if not cell or "," in cell:
        return None
    try:
        return number(cell)
    except ValueError:
        return None
