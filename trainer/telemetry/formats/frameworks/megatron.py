"""Megatron-LM and its kin: ` iteration 20/ 1000 | consumed samples: 320 | lm loss: 9.370762E+00 |`."""

import re
from collections.abc import Sequence

from trainer.telemetry.formats.fields import measured, piped
from trainer.telemetry.formats.format import PatternFormat, Take
from trainer.telemetry.formats.metric_names import name_all
from trainer.telemetry.formats.pattern import lazy
from trainer.telemetry.formats.row import Row

_ROW = lazy(
    r"\s*(?:samples/sec: [\d.]{1,20} \| )?iteration\s+(\d{1,12})/\s*(\d{1,12}) \| "
    r"((?:consumed (?:samples|tokens)|elapsed time per iteration \(m?s\)):.*)"
)
_SCORES = lazy(
    r"\s*validation loss at iteration\s+(\d{1,12})(?: (?:on|for) (\w+) (?:set|data))? \| (.*loss.*)",
    re.IGNORECASE,
)
_SECONDS = "elapsed time per iteration (s)"


class Megatron(PatternFormat):
    """While the loss is NaN the row leaves it out, and counts skipped iterations instead."""

    name = "Megatron"
    example = " iteration 20/ 1000 | consumed samples: 320 | learning rate: 2.0E-05 | lm loss: 9.37E+00 |"
    has_shapes = True
    needles = (b" | consumed ", b"elapsed time per iteration", b"validation loss at iteration")

    def patterns(self) -> tuple[tuple[re.Pattern[str], Take], ...]:
        """See `PatternFormat`."""
        return (_ROW, _row), (_SCORES, _scores)


def _row(found: re.Match[str]) -> Sequence[Row]:
    fields = piped(found.group(3))
    if fields is None or len(fields) < 3:
        return ()
    values = measured(fields)
    seconds = values.pop(_SECONDS, None)
    if seconds is not None:
        values["step_ms"] = 1000.0 * seconds
    return (Row(int(found.group(1)), name_all(values), total=int(found.group(2))),)


def _scores(found: re.Match[str]) -> Sequence[Row]:
    fields = piped(found.group(3))
    if fields is None:
        return ()
    lead = "test" if found.group(2) == "test" else "val"
    names = {"lm loss value": f"{lead}_loss", "lm loss PPL": f"{lead}_ppl"}
    names |= {"LM loss": f"{lead}_loss", "lm loss": f"{lead}_loss", "LM PPL": f"{lead}_ppl"}
    values = name_all(measured(fields, names))
    return (Row(int(found.group(1)), values, is_eval=True),) if values else ()
