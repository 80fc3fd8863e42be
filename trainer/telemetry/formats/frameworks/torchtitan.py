"""torchtitan: `step: 10  loss:  5.12223  grad_norm:  3.8172  memory: 33.26GiB(41.57%)  tps: 4,714 ...`."""

import re
from collections.abc import Sequence

from trainer.telemetry.formats.format import PatternFormat, Take
from trainer.telemetry.formats.metric_names import name_all
from trainer.telemetry.formats.numbers import COUNT, NUMBER, count, measure, number
from trainer.telemetry.formats.pattern import lazy
from trainer.telemetry.formats.row import Row

_ROW = lazy(
    rf"\s*(validate )?step:\s*({COUNT})\s+loss:\s*({NUMBER})((?:\s+[\w/()%]{{1,40}}:\s*\S{{1,40}})*)\s*"
)
_FIELD = lazy(r"([\w/()%]{1,40}):\s*(\S{1,40})")
_MEMORY = lazy(rf"({NUMBER})GiB\(({NUMBER})%\)")


class TorchTitan(PatternFormat):
    """See the module."""

    name = "torchtitan"
    example = "step: 10  loss:  5.12223  grad_norm:  3.8172  memory: 33.26GiB(41.57%)  tps: 4,714"
    has_shapes = True
    needles = (b"step: ",)

    def patterns(self) -> tuple[tuple[re.Pattern[str], Take], ...]:
        """See `PatternFormat`."""
        return ((_ROW, _row),)


def _row(found: re.Match[str]) -> Sequence[Row]:
    validates, step, loss, tail = found.groups()
    values: dict[str, float | None] = {"val_loss" if validates else "loss": number(loss)}
    fields = dict(_FIELD.findall(tail))
    if not fields.keys() & {"memory", "tps", "wps"}:
        return ()
    for name, text in fields.items():
        if (memory := _MEMORY.fullmatch(text)) is not None:
            values["memory_gib"], values["memory_percent"] = map(number, memory.groups())
        elif (value := measure(text)) is not None:
            values[name] = value
    return (Row(count(step), name_all(values), bool(validates)),)
