"""build-nanogpt: `step 10 | loss: 6.9 | lr 6.0e-05 | norm: 3.1 | dt: 440.1ms | ...`, and its log.txt."""

import re
from collections.abc import Sequence

from trainer.telemetry.formats.format import PatternFormat, Take
from trainer.telemetry.formats.numbers import NUMBER, number
from trainer.telemetry.formats.pattern import lazy
from trainer.telemetry.formats.row import Row

_ROW = lazy(
    rf"step\s+(\d{{1,12}}) \| loss: ({NUMBER}) \| lr:? ({NUMBER}) \| norm: ({NUMBER}) "
    rf"\| (?:dt|time): ({NUMBER})ms \| (?:tok|tokens)/sec: ({NUMBER})\s*"
)
_PLAIN = lazy(r"(\d{1,12}) (train|val|hella) (\d{1,4}\.(?:\d{6}|\d{4})|nan|inf)\s*")
_NAMES = {"val": "val_loss", "hella": "hellaswag"}


class BuildNanoGpt(PatternFormat):
    """Its log.txt has a line a number, those of a step one below the other."""

    name = "build-nanogpt"
    example = (
        "step    10 | loss: 6.931472 | lr 6.0000e-05 | norm: 3.1000 | dt: 440.10ms | tok/sec: 1191012.10"
    )
    needles = (b"/sec: ", b" train ", b" val ", b" hella ")

    def __init__(self) -> None:
        super().__init__()
        self._has_number = False

    def patterns(self) -> tuple[tuple[re.Pattern[str], Take], ...]:
        """See `PatternFormat`."""
        return (_ROW, _row), (_PLAIN, self._plain)

    def _plain(self, found: re.Match[str]) -> Sequence[Row]:
        """A line of log.txt; so short a one tells nothing where its number is none, before others did."""
        step, name, value = found.groups()
        self._has_number = self._has_number or "." in value
        if not self._has_number:
            return ()
        if name == "train":
            return (Row(int(step), {"loss": number(value)}),)
        return (Row(int(step), {_NAMES[name]: number(value)}, is_eval=True, adds=True),)


def _row(found: re.Match[str]) -> Sequence[Row]:
    names = ("loss", "lr", "grad_norm", "step_ms", "tokens_per_s")
    values = {name: number(text) for name, text in zip(names, found.groups()[1:], strict=True)}
    return (Row(int(found.group(1)), values),)
