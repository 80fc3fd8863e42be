"""nanochat: `step 00010/00060 (16.67%) | loss: 9.3 | dt: 480.28ms | ...`, in stages that each begin at 0."""

import re
from collections.abc import Sequence

from trainer.telemetry.formats.fields import measured, piped
from trainer.telemetry.formats.format import PatternFormat, Take
from trainer.telemetry.formats.metric_names import name_all
from trainer.telemetry.formats.numbers import measure
from trainer.telemetry.formats.pattern import lazy
from trainer.telemetry.formats.row import Row

_ROW = lazy(
    r"\s*[Ss]tep (\d{5,12}|\d{1,12}(?=/))(?:/(\d{1,12}))?(?: \([\d.]{1,8}%\))? "
    r"\| ((?:loss|Training loss|Average reward): [^|].*)"
)
_SCORES = lazy(
    r"\s*Step (\d{1,12})(?:/(\d{1,12}))? \| "
    r"((?:Validation (?:bpb|loss)|CORE metric|ChatCORE|[\w-]{1,40}_acc|Pass@\d{1,4}): .*)"
)
_NAMES = {"dt": "step_ms", "total time": "total_time_min", "eta": "eta_min"}
_LISTED = lazy(r"\s*([^:,|]{1,60}): ([^,|]{1,40})\s*(?:[,|]|$)")


class NanoChat(PatternFormat):
    """See the module."""

    name = "nanochat"
    example = "step 00010/00060 (16.67%) | loss: 9.329987 | lrm: 1.00 | dt: 480.28ms | tok/sec: 607,395"
    has_shapes = True
    needles = (
        b" | loss: ", b" | Training loss: ", b" | Average reward: ", b" | Validation ", b" | CORE metric: ",
        b"_acc: ",        b" | ChatCORE: ", b" | Pass@",
    )  # fmt: skip

    def patterns(self) -> tuple[tuple[re.Pattern[str], Take], ...]:
        """See `PatternFormat`."""
        return (_ROW, _row), (_SCORES, _scores)


def _row(found: re.Match[str]) -> Sequence[Row]:
    fields = piped(found.group(3))
    if fields is None or len(fields) < 2:
        return ()
    values = name_all(measured(fields, _NAMES))
    return (Row(int(found.group(1)), values, total=int(found.group(2) or 0)),) if values else ()


def _scores(found: re.Match[str]) -> Sequence[Row]:
    scores = {name: measure(text) for name, text in _LISTED.findall(found.group(3))}
    values = name_all({name: value for name, value in scores.items() if value is not None})
    return (Row(int(found.group(1)), values, is_eval=True, total=int(found.group(2) or 0)),) if values else ()
