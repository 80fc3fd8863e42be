"""nanoGPT: `iter 10: loss 4.0427, time 362.69ms, mfu 1.26%`, and the estimates of both losses."""

import re
from collections.abc import Sequence

from trainer.telemetry.formats.format import PatternFormat, Take
from trainer.telemetry.formats.numbers import COUNT, NUMBER, count, number
from trainer.telemetry.formats.pattern import lazy
from trainer.telemetry.formats.row import Row

_ROW = lazy(
    rf"iter ({COUNT}): loss ({NUMBER}), time ({NUMBER})ms(?:, mfu ({NUMBER})%)?"
    rf"(?:, (?:lr|learning rate) ({NUMBER}))?\s*"
)
_LLAMA = lazy(rf"({COUNT}) \| loss ({NUMBER}) \| lr ({NUMBER}) \| ({NUMBER})ms(?: \| mfu ({NUMBER})%)?\s*")
_SCORES = lazy(
    rf"step ({COUNT}): train loss ({NUMBER})((?:, [a-z][a-z_ ]{{1,40}} {{1,3}}{NUMBER})*, val loss {NUMBER}"
    rf"(?:, [a-z][a-z_ ]{{1,40}} {{1,3}}{NUMBER})*)\s*"
)
_ESTIMATE = lazy(rf", ([a-z][a-z_ ]{{1,40}}?) {{1,3}}({NUMBER})")


class NanoGpt(PatternFormat):
    """See the module."""

    name = "nanoGPT"
    example = "iter 10: loss 4.0427, time 362.69ms, mfu 1.26%"
    has_shapes = True
    needles = (b": loss ", b": train loss ", b" | loss ")

    def patterns(self) -> tuple[tuple[re.Pattern[str], Take], ...]:
        """See `PatternFormat`."""
        return (_ROW, _row), (_SCORES, _scores), (_LLAMA, _llama)


def _row(found: re.Match[str]) -> Sequence[Row]:
    return _numbers(*found.groups())


def _llama(found: re.Match[str]) -> Sequence[Row]:
    """The row of llama2.c, which grew out of nanoGPT."""
    step, loss, lr, ms, mfu = found.groups()
    return _numbers(step, loss, ms, mfu, lr)


def _numbers(step: str, loss: str, ms: str, mfu: str | None, lr: str | None) -> Sequence[Row]:
    values: dict[str, float | None] = {"loss": number(loss), "step_ms": number(ms)}
    if mfu is not None:
        values["mfu"] = None if number(mfu) < 0 else number(mfu)  # -100 until it is measured
    if lr is not None:
        values["lr"] = number(lr)
    return (Row(count(step), values),)


def _scores(found: re.Match[str]) -> Sequence[Row]:
    """The estimates of both losses, and what forks write behind them."""
    step, train, others = found.groups()
    values = {"train_loss": number(train)}
    for name, value in _ESTIMATE.findall(others):
        short = name.replace(" ", "_")
        values.setdefault("val_ppl" if short in ("val_perplexity", "perplexity") else short, number(value))
    return (Row(count(step), values, is_eval=True),)
