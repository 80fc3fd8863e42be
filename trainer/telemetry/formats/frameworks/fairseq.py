"""fairseq: the `simple` and the `json` form of its progress, for training and for validation."""

import json
import re
from collections.abc import Mapping, Sequence

from trainer.telemetry.formats.format import PatternFormat, Take
from trainer.telemetry.formats.metric_names import name_all
from trainer.telemetry.formats.numbers import NUMBER, number, number_of, whole
from trainer.telemetry.formats.pattern import lazy
from trainer.telemetry.formats.row import Row

_INNER = lazy(
    r"(?:train_inner \| |\| )?epoch (\d{1,9}):\s+(\d{1,12}) / (\d{1,12}) "
    r"((?:\w{1,40}=[^,\s]{1,40}(?:, )?)+)\s*"
)
_PAIR = lazy(rf"(\w{{1,40}})=({NUMBER})(?=,|\s|$)")
_EPOCH = lazy(
    r"(?:(?:train|valid|test) \| |\| )?epoch (\d{1,9}) \| (valid on '[^']{1,80}' subset \| )?"
    r"((?:\w{1,40} \S{1,40}(?: \| )?)+)\s*"
)
_STATED = lazy(rf"(\w{{1,40}}) ({NUMBER})(?= \||\s*$)")
_JSON = lazy(r"(?:(?:train|valid|test) \| )?(\{\"epoch\": .*\})\s*")


class Fairseq(PatternFormat):
    """The mean of a whole epoch is a row only of a log that has no others."""

    name = "fairseq"
    example = "epoch 001:     99 / 300 loss=4.741, ppl=13.37, num_updates=100, lr=0.0001, gnorm=0.975"
    needles = (b"num_updates",)

    def __init__(self) -> None:
        super().__init__()
        self._inner = False

    def patterns(self) -> tuple[tuple[re.Pattern[str], Take], ...]:
        """See `PatternFormat`."""
        return (_INNER, self._simple), (_EPOCH, self._epoch), (_JSON, self._json)

    def _simple(self, found: re.Match[str]) -> Sequence[Row]:
        self._inner = True
        values: dict[str, float | None] = {name: number(text) for name, text in _PAIR.findall(found.group(4))}
        return _rows(values, {"epoch": float(found.group(1))})

    def _epoch(self, found: re.Match[str]) -> Sequence[Row]:
        values: dict[str, float | None] = {
            name: number(text) for name, text in _STATED.findall(found.group(3))
        }
        if found.group(2):
            return _scores(values)
        return () if self._inner else _rows(values, {"epoch": float(found.group(1))})

    def _json(self, found: re.Match[str]) -> Sequence[Row]:
        try:
            record = json.loads(found.group(1))
        except (ValueError, RecursionError):
            return ()
        values = {str(name): number_of(value) for name, value in record.items()}
        values = {name: value for name, value in values.items() if value is not None}
        for lead in ("valid", "train"):
            if f"{lead}_num_updates" in values:
                own = {name.removeprefix(f"{lead}_"): value for name, value in values.items()}
                if lead == "valid":
                    return _scores(own)
                return () if self._inner else _rows(own, {})
        self._inner = True
        return _rows(values, {})


def _rows(values: dict[str, float | None], more: Mapping[str, float]) -> Sequence[Row]:
    step = whole(values.pop("num_updates", None))
    if step is None or "loss" not in values:
        return ()
    return (Row(step, name_all({**more, **values})),)


def _scores(values: dict[str, float | None]) -> Sequence[Row]:
    step = whole(values.pop("num_updates", None))
    if step is None:
        return ()
    own = {name.removeprefix("valid_"): value for name, value in values.items()}
    named = {name if name == "epoch" else f"val_{name}": value for name, value in own.items()}
    return (Row(step, name_all(named), is_eval=True),)
