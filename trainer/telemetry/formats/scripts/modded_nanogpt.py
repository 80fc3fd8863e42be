"""modded-nanogpt: `step:10/20 train_loss:7.8353 train_time:2100ms step_avg:212.78ms`, behind its source."""

import re
from collections.abc import Sequence
from math import isfinite

from trainer.telemetry.formats.format import PatternFormat, Take
from trainer.telemetry.formats.numbers import NUMBER, number
from trainer.telemetry.formats.pattern import lazy
from trainer.telemetry.formats.row import Row

_ROW = lazy(
    rf"step:(\d{{1,12}})/(\d{{1,12}})(?: (train_loss|loss|val_loss):({NUMBER}))?"
    rf"(?: lr:({NUMBER}))? train_time:({NUMBER})(ms|s)(?: step_avg:({NUMBER})ms)?\s*"
)


class ModdedNanoGpt(PatternFormat):
    """See the module."""

    name = "modded-nanogpt"
    example = "step:10/20 train_loss:7.8353 train_time:2100ms step_avg:212.78ms"
    has_shapes = True
    needles = (b" train_time:",)

    def patterns(self) -> tuple[tuple[re.Pattern[str], Take], ...]:
        """See `PatternFormat`."""
        return ((_ROW, _row),)


def _row(found: re.Match[str]) -> Sequence[Row]:
    step, total, name, loss, lr, spent, unit, average = found.groups()
    values: dict[str, float | None] = {}
    if name is not None:
        values["val_loss" if name == "val_loss" else "loss"] = number(loss)
    if lr is not None:
        values["lr"] = number(lr)
    values["train_time_s"] = number(spent) / (1000.0 if unit == "ms" else 1.0)
    if average is not None and isfinite(number(average)):  # nan until it is measured
        values["step_ms"] = number(average)
    return (Row(int(step), values, is_eval=name == "val_loss", total=int(total)),)
