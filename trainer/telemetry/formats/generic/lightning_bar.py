"""Lightning's bar: `Epoch 0: 100%|███| 86/86 [00:03<00:00, 27.33it/s, v_num=1, train_loss_step=2.2]`."""

from collections.abc import Sequence

from trainer.telemetry.formats.bar import NEEDLES, Bar, find_bar
from trainer.telemetry.formats.format import Format
from trainer.telemetry.formats.line import Line
from trainer.telemetry.formats.metric_names import split
from trainer.telemetry.formats.pattern import lazy
from trainer.telemetry.formats.row import Finding, Row, Start

_EPOCH = lazy(r"Epoch (\d{1,9}):?")
_OWN = lazy(r"v_num$|.*(?:_step|_epoch)$")


class LightningBar(Format):
    """A row an epoch, of its last redraw: the one that tells the scores too. Bars of validation are no rows.

    Where somebody watches, the redraws on the way are rows as well.
    """

    name = "Lightning"
    example = "Epoch 0: 100%|████| 86/86 [00:03<00:00, 27.33it/s, v_num=1, train_loss=2.201, val_loss=2.273]"
    needles = NEEDLES

    def __init__(self) -> None:
        self._whole: Bar | None = None
        self._epoch = -1
        self._steps = 0  # of the epochs before
        self._done = -1

    def take(self, line: Line) -> Sequence[Finding]:
        """See `Format`."""
        bar = find_bar(line.plain)
        if bar is None or (named := _EPOCH.fullmatch(bar.lead)) is None or not is_lightning(bar):
            return ()
        if not bar.stands_alone:
            return ()
        epoch = int(named.group(1))
        found: Sequence[Finding] = ()
        if epoch != self._epoch:
            found = self.finish()
            if epoch < self._epoch:
                found = (*found, Start())
                self._steps = 0
            self._epoch = epoch
        if not bar.total or bar.done == bar.total:
            self._whole = bar
        if self.live and bar.done > self._done and bar.done != bar.total:
            found = (*found, *_rows(self._steps + bar.done, bar))
        self._done = bar.done
        return found

    def take_last(self, line: Line) -> Sequence[Finding]:
        """See `Format`: a bar ends in a bracket."""
        return self.take(line)

    def finish(self) -> Sequence[Row]:
        """See `Format`: the newest epoch, once it was drawn to its end."""
        bar, self._whole = self._whole, None
        if bar is None:
            return ()
        self._steps += bar.total or bar.done
        return _rows(self._steps, bar)


def _rows(step: int, bar: Bar) -> Sequence[Row]:
    return split(step, {name: value for name, value in bar.values.items() if name != "v_num"})


def is_lightning(bar: Bar) -> bool:
    """Whether a bar is one of Lightning's."""
    return _EPOCH.fullmatch(bar.lead) is not None and any(_OWN.match(name) for name in bar.names)
