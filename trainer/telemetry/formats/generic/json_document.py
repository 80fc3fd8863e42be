"""Whole JSON documents that hold a history: trainer_state.json, lists of epochs, and arrays side by side."""

import json
from collections.abc import Mapping
from math import isfinite
from typing import Any

import msgspec

from trainer.telemetry.formats.generic.json_lines import STEPS, row_of
from trainer.telemetry.formats.metric_names import canonical, name_all
from trainer.telemetry.formats.numbers import number_of, whole
from trainer.telemetry.formats.row import Row

HOLDERS = ("history", "training_history", "log", "logs", "metrics", "results", "epochs")
_ARRAYS = (*STEPS, "steps", "epochs")
_SUMMARY = ("train_runtime", "total_flos")


def document_rows(document: object) -> tuple[str, list[Row]]:
    """The name of a document's form and its rows; an empty name where it is none that is known."""
    if isinstance(document, Mapping) and isinstance(document.get("log_history"), list):
        return "trainer_state.json", _trainer_state(document)
    rows = _rows(document)
    if not rows and isinstance(document, Mapping):
        rows = next((rows for name in HOLDERS if (rows := _rows(document.get(name)))), [])
    return ("JSON history", rows) if rows else ("", [])


def parse(data: bytes) -> object:
    """A JSON document, NaN among its numbers allowed.

    Raises:
        ValueError: it is none.
    """
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return json.loads(data)
    except RecursionError as error:
        raise ValueError(str(error)) from error


def _trainer_state(document: Mapping[str, Any]) -> list[Row]:
    total = whole(number_of(document.get("max_steps"))) or 0
    rows = []
    for entry in document["log_history"]:
        if not isinstance(entry, Mapping) or any(name in entry for name in _SUMMARY):
            continue
        step = whole(number_of(entry.get("step")))
        numbers = {str(name): number_of(value) for name, value in entry.items() if name != "step"}
        values = {name: value for name, value in numbers.items() if value is not None}
        if step is not None and values.keys() - {"epoch"}:
            is_eval = any(name.startswith("eval_") for name in values)
            rows.append(Row(step, name_all(values), is_eval, total))
    return rows


def _rows(value: object) -> list[Row]:
    if isinstance(value, list):
        return [row for entry in value if isinstance(entry, Mapping) for row in row_of(_named(entry))]
    if isinstance(value, Mapping):
        return _side_by_side(value)
    return []


def _side_by_side(history: Mapping[str, Any]) -> list[Row]:
    """Arrays of one length; where none of them counts steps, they are a row an epoch."""
    arrays = {str(name): value for name, value in history.items() if isinstance(value, list) and value}
    counter = next((name for name in _ARRAYS if name in arrays), None)
    measure = counter or next((name for name in arrays if canonical(name) == "loss"), None)
    if measure is None:
        return []
    length = len(arrays[measure])
    columns = {name: value for name, value in arrays.items() if len(value) == length and name != counter}
    rows: list[Row] = []
    for place in range(length):
        step = arrays[counter][place] if counter is not None else place + 1
        rows += row_of(_named({"step": step, **{name: column[place] for name, column in columns.items()}}))
    return rows


def _named(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An entry in which R has the name that our charts use, too."""
    mean = entry.get("R_mean")
    has_mean = isinstance(mean, int | float) and isfinite(mean) and "R" not in entry
    return {**entry, "R": mean} if has_mean else dict(entry)
