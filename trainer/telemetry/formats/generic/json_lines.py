"""One JSON object a line, with a step or an epoch: `{"step": 10, "loss": 2.31, "lr": 0.0003}`."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from trainer.telemetry.formats.format import Format
from trainer.telemetry.formats.line import Line, parse_time
from trainer.telemetry.formats.metric_names import VALUES_LIMIT, is_metric, split
from trainer.telemetry.formats.numbers import number_of, whole
from trainer.telemetry.formats.pattern import lazy
from trainer.telemetry.formats.row import Finding, Row

STEPS = (
    "step",
    "global_step",
    "_step",
    "iteration",
    "iter",
    "iters",
    "update",
    "trainer/global_step",
    "train/step",
    "train/global_step",
    "current_steps",
    "training_step",
    "epoch",
)
_TOTALS = ("total_steps", "max_steps", "total_iters", "max_iters")
_WRAPPERS = frozenset({"metrics", "values", "data", "logs", "scalars"})
_TIMES = ("timestamp", "_timestamp", "time", "ts", "t", "wall_time")
_DEEPEST = 3
_REACHED = lazy(r"(\d{1,12})/(\d{1,12})")


class JsonLines(Format):
    """See the module."""

    name = "JSON lines"
    example = '{"step": 10, "loss": 2.31, "lr": 0.0003}'
    has_shapes = True
    needles = (b'_steps"', b'step"', b'"iter', b'"epoch"', b'"update"')

    def take(self, line: Line) -> Sequence[Finding]:
        """See `Format`."""
        text = line.body.strip()
        if text[:1] != "{" or text[-1:] != "}":
            return ()
        try:
            record = json.loads(text)
        except (ValueError, RecursionError):
            return ()
        if "num_updates" in record or "valid_num_updates" in record or not (rows := row_of(record)):
            return ()
        self.axis = "step" if any(f'"{name}"' in text for name in STEPS[:-1]) else "epoch"
        return rows

    def take_last(self, line: Line) -> Sequence[Finding]:
        """See `Format`: an object ends in a brace."""
        return self.take(line)


def row_of(record: Mapping[str, Any]) -> list[Row]:
    """The rows of one object; none where it has no step, or nothing that is measured in training."""
    flat: dict[str, Any] = {}
    _flatten(record, "", flat, 0)
    reached = _REACHED.fullmatch(str(flat.pop("global_step/max_steps", "")))
    if reached is not None:  # as swift counts
        flat["step"], flat["max_steps"] = map(int, reached.groups())
    name = next((name for name in STEPS if whole(number_of(flat.get(name))) is not None), None)
    if name is None:
        return []
    step = whole(number_of(flat.pop(name)))
    assert step is not None
    if isinstance(flat.get("name"), str) and "value" in flat:
        flat[flat.pop("name")] = flat.pop("value")  # a line a number
    total = next((whole(number_of(flat.pop(key))) for key in _TOTALS if key in flat), None)
    numbers = {key: value for key, text in flat.items() if (value := number_of(text)) is not None}
    values = {key: value for key, value in numbers.items() if key not in STEPS or key == "epoch"}
    if not any(is_metric(key) for key in values):
        return []
    return split(step, values, _time(flat), total or 0)


def _flatten(record: Mapping[str, Any], lead: str, flat: dict[str, Any], depth: int) -> None:
    """Put what lies in inner objects beside the rest, under `outer/inner`; wrappers lend no name."""
    for key, value in record.items():
        name = f"{lead}{key}"
        if isinstance(value, Mapping):
            if depth < _DEEPEST:
                _flatten(value, lead if key in _WRAPPERS else f"{name}/", flat, depth + 1)
        elif len(flat) < VALUES_LIMIT:
            flat.setdefault(name, value)


def _time(flat: Mapping[str, Any]) -> float:
    """Unix seconds of an object, 0 where it tells none."""
    for name in _TIMES:
        value = flat.get(name)
        if isinstance(value, str) and (when := parse_time(value)):
            return when
        number = number_of(value)
        if number is not None and 1e9 < number < 1e10:
            return number
    return 0.0
