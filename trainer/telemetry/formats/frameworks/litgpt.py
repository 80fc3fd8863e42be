"""litgpt: `Epoch 1 | iter 6 step 3 | loss train: 1.767, val: 1.800 | iter time: 621.25 ms (step)`."""

import re
from collections.abc import Sequence

from trainer.telemetry.formats.format import PatternFormat, Take
from trainer.telemetry.formats.numbers import NUMBER, number
from trainer.telemetry.formats.pattern import lazy
from trainer.telemetry.formats.row import Row

_ROW = lazy(
    rf"Epoch (\d{{1,9}}) \| iter (\d{{1,12}}) step (\d{{1,12}}) \| "
    rf"loss train: ({NUMBER}), val: (?:n/a|{NUMBER}) \| "
    rf"iter time: ({NUMBER}) ms(?: \(step\))?(?: remaining time: .{{1,40}})?\s*"
)
_EARLIER = lazy(
    rf"iter (\d{{1,12}})(?: \|)? step (\d{{1,12}}): loss ({NUMBER}), iter time: ({NUMBER}) ?ms"
    rf"(?: \((?:optimizer\.)?step\))?(?: remaining time: .{{1,40}})?\s*"
)
_SCORES = lazy(rf"(?:iter|step) (\d{{1,12}}): val loss ({NUMBER}), val time: ({NUMBER}) ?ms\s*")


class LitGpt(PatternFormat):
    """The row's step is `iter`; `step` counts the optimizer's steps and is kept as `optimizer_step`."""

    name = "litgpt"
    example = "Epoch 1 | iter 6 step 3 | loss train: 1.767, val: 1.800 | iter time: 621.25 ms (step)"
    has_shapes = True
    needles = (b" | loss train: ", b": val loss ", b", iter time: ")

    def patterns(self) -> tuple[tuple[re.Pattern[str], Take], ...]:
        """See `PatternFormat`."""
        return (_ROW, _row), (_EARLIER, _earlier), (_SCORES, _scores)


def _row(found: re.Match[str]) -> Sequence[Row]:
    epoch, step, optimizer_step, loss, ms = found.groups()
    values = {"loss": loss, "step_ms": ms, "epoch": epoch, "optimizer_step": optimizer_step}
    return (Row(int(step), {name: number(text) for name, text in values.items()}),)


def _earlier(found: re.Match[str]) -> Sequence[Row]:
    """The row of its first versions, which name no epoch."""
    step, optimizer_step, loss, ms = found.groups()
    values = {"loss": loss, "step_ms": ms, "optimizer_step": optimizer_step}
    return (Row(int(step), {name: number(text) for name, text in values.items()}),)


def _scores(found: re.Match[str]) -> Sequence[Row]:
    step, loss, ms = found.groups()
    return (Row(int(step), {"val_loss": number(loss), "val_time_ms": number(ms)}, is_eval=True),)
