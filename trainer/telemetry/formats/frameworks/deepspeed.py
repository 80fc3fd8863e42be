"""DeepSpeed's own words, which tell a loss of pipelines alone: `step=10, skipped=0, lr=[1e-06], mom=..`."""

import re
from collections.abc import Sequence

from trainer.telemetry.formats.format import PatternFormat, Take
from trainer.telemetry.formats.numbers import NUMBER, number
from trainer.telemetry.formats.pattern import lazy
from trainer.telemetry.formats.row import Row

_ROW = lazy(
    rf"step=(\d{{1,12}}), skipped=(\d{{1,12}}), lr=\[({NUMBER})(?:, [^\]]{{0,2000}})?\], mom=\[.*\]\s*"
)
_PIPELINE = lazy(
    rf"steps: (\d{{1,12}}) loss: ({NUMBER}) iter time \(s\): ({NUMBER}) samples/sec: ({NUMBER})\s*"
)


class DeepSpeed(PatternFormat):
    """See the module."""

    name = "DeepSpeed"
    example = "step=10, skipped=0, lr=[1e-06], mom=[(0.9, 0.999)]"
    has_shapes = True
    needles = (b", skipped=", b" iter time (s): ")

    def patterns(self) -> tuple[tuple[re.Pattern[str], Take], ...]:
        """See `PatternFormat`."""
        return (_ROW, _row), (_PIPELINE, _pipeline)


def _row(found: re.Match[str]) -> Sequence[Row]:
    step, skipped, lr = found.groups()
    return (Row(int(step), {"lr": number(lr), "skipped": number(skipped)}),)


def _pipeline(found: re.Match[str]) -> Sequence[Row]:
    step, loss, seconds, speed = found.groups()
    values = {"loss": number(loss), "step_ms": 1000.0 * number(seconds), "samples/sec": number(speed)}
    return (Row(int(step), values),)
