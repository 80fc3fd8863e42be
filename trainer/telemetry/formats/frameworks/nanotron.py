"""nanotron: `iteration: 1000 / 9000 | consumed_tokens: 85.8G | ... | lm_loss: 2.63 | lr: 1e-05 | ...`."""

import re
from collections.abc import Sequence

from trainer.telemetry.formats.fields import measured, piped
from trainer.telemetry.formats.format import PatternFormat, Take
from trainer.telemetry.formats.metric_names import name_all
from trainer.telemetry.formats.pattern import lazy
from trainer.telemetry.formats.row import Row

_ROW = lazy(r"\s*iteration: (\d{1,12}) / (\d{1,12}) \| (consumed_(?:tokens|samples):.*)")


class Nanotron(PatternFormat):
    """See the module."""

    name = "nanotron"
    example = (
        "iteration: 1000 / 9000 | consumed_tokens: 85.8G | tokens_per_sec: 23.9K | lm_loss: 2.63 | lr: 1e-05"
    )
    has_shapes = True
    needles = (b"iteration: ",)

    def patterns(self) -> tuple[tuple[re.Pattern[str], Take], ...]:
        """See `PatternFormat`."""
        return ((_ROW, _row),)


def _row(found: re.Match[str]) -> Sequence[Row]:
    fields = piped(found.group(3))
    if fields is None or len(fields) < 3:
        return ()
    return (Row(int(found.group(1)), name_all(measured(fields)), total=int(found.group(2))),)
