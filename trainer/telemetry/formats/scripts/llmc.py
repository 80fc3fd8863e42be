"""llm.c: `s:10 trl:10.0235 lr:0.000011 norm:1.55` of its main.log, and what it prints on the terminal."""

import re
from collections.abc import Sequence

from trainer.telemetry.formats.format import PatternFormat, Take
from trainer.telemetry.formats.numbers import NUMBER, number
from trainer.telemetry.formats.pattern import lazy
from trainer.telemetry.formats.row import Row

_ROW = lazy(rf"s:(\d{{1,12}}) trl:({NUMBER})(?: lr:({NUMBER}))?(?: norm:({NUMBER}))?\s*")
_SCORES = lazy(rf"s:(\d{{1,12}}) (tel|eval):({NUMBER})\s*")
_PRINTED = lazy(
    rf"step\s+(\d{{1,12}})/(\d{{1,12}}) \| (?:train )?loss ({NUMBER})(?: \({NUMBER}z\))?\s?"
    rf"\| norm ({NUMBER})(?: \({NUMBER}z\))?\s?\| lr ({NUMBER}) \| \(?({NUMBER}) ms"
    rf" \| (?:({NUMBER})% bf16 MFU \| )?({NUMBER}) tok/s\)?\s*"
)
_CPU = lazy(rf"step (\d{{1,12}}): train loss ({NUMBER}) \(took ({NUMBER}) ms\)\s*")


class LlmC(PatternFormat):
    """See the module."""

    name = "llm.c"
    example = "s:10 trl:10.0235 lr:0.000011 norm:1.55"
    has_shapes = True
    needles = (b" trl:", b" tel:", b" eval:", b" tok/s", b" (took ")

    def patterns(self) -> tuple[tuple[re.Pattern[str], Take], ...]:
        """See `PatternFormat`."""
        return (_ROW, _row), (_SCORES, _scores), (_PRINTED, _printed), (_CPU, _cpu)


def _row(found: re.Match[str]) -> Sequence[Row]:
    step, loss, lr, norm = found.groups()
    values = {"loss": loss, "lr": lr, "grad_norm": norm}
    return (Row(int(step), {name: number(text) for name, text in values.items() if text is not None}),)


def _scores(found: re.Match[str]) -> Sequence[Row]:
    step, name, value = found.groups()
    return (Row(int(step), {"val_loss" if name == "tel" else "hellaswag": number(value)}, is_eval=True),)


def _printed(found: re.Match[str]) -> Sequence[Row]:
    step, total, *texts = found.groups()
    names = ("loss", "grad_norm", "lr", "step_ms", "mfu", "tokens_per_s")
    values = {name: number(text) for name, text in zip(names, texts, strict=True) if text is not None}
    checked = {name: None if name == "mfu" and value < 0 else value for name, value in values.items()}
    return (Row(int(step), checked, total=int(total)),)


def _cpu(found: re.Match[str]) -> Sequence[Row]:
    step, loss, ms = found.groups()
    return (Row(int(step), {"loss": number(loss), "step_ms": number(ms)}),)
