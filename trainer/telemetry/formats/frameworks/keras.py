"""Keras: the bar of an epoch, `24/24 ━━━━ 2s 44ms/step - accuracy: 0.83 - loss: 0.50 - val_loss: 0.59`."""

from collections.abc import Sequence

from trainer.telemetry.formats.format import Format
from trainer.telemetry.formats.line import Line
from trainer.telemetry.formats.metric_names import split
from trainer.telemetry.formats.numbers import NUMBER, number
from trainer.telemetry.formats.pattern import lazy
from trainer.telemetry.formats.row import Finding, Row, Start

_EPOCH = lazy(r"\s*Epoch (\d{1,9})/(\d{1,9})\s*")
_BAR = lazy(
    rf"\s*(\d{{1,12}})/(\d{{1,12}}|Unknown) (?:\[[=>.]{{1,80}}\]\s*)?(?:[━ ]{{0,80}})?"
    rf"(?:- )?(?:ETA: )?[\d:]{{1,12}}s?"
    rf"(?:(?: -)? (\d{{1,9}})(us|ms|s)/(?:step|epoch|sample))?((?: - [\w/ .-]{{1,60}}: {NUMBER})+)"
    r"(?: - \d{1,9}m?s/epoch)?(?: - \d{1,9}[mu]?s/step)?\s*"
)
_FIELD = lazy(rf" - ([\w/ .-]{{1,60}}?): ({NUMBER})")
_TIMES = {"us": 0.001, "ms": 1.0, "s": 1000.0}


class Keras(Format):
    """A row an epoch, of its last redraw: only that one has the scores. Steps are epochs."""

    name = "Keras"
    example = "24/24 ━━━━━━━━━━ 2s 44ms/step - accuracy: 0.8335 - loss: 0.5000 - val_loss: 0.5900"
    axis = "epoch"
    needles = (b"Epoch ", b"/step", b"/epoch", b"/sample", b"s - loss: ")

    def __init__(self) -> None:
        self._epoch = -1
        self._epochs = 0
        self._values: dict[str, float] = {}

    def take(self, line: Line) -> Sequence[Finding]:
        """See `Format`."""
        text = line.plain
        if (named := _EPOCH.fullmatch(text)) is not None:
            found = self.finish()
            epoch = int(named.group(1))
            again = () if epoch > self._epoch >= 0 else (Start(),)
            self._epoch, self._epochs = epoch, int(named.group(2))
            return (*found, *again)
        if self._epoch < 0 or (bar := _BAR.fullmatch(text)) is None:
            return ()
        done, total, time, unit, fields = bar.groups()
        if total in (done, "Unknown"):
            self._values = {name: number(value) for name, value in _FIELD.findall(fields)}
            if time is not None:
                self._values["step_ms"] = float(time) * _TIMES[unit]
            if any(name.startswith("val_") for name in self._values):
                return self.finish()
        return ()

    def finish(self) -> Sequence[Row]:
        """See `Format`: the newest epoch, once it was drawn to its end."""
        values, self._values = self._values, {}
        if not values or not any("loss" in name for name in values):
            return ()
        return split(self._epoch, values, total=self._epochs)
