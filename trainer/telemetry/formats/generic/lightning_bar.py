"""Lightning's bar: `Epoch 0: 100%|███| 86/86 [00:03<00:00, 27.33it/s, v_num=1, train_loss_step=2.2]`."""

from collections.abc import Sequence

from trainer.telemetry.formats.bar import NEEDLES, Bar, find_bar
from trainer.telemetry.formats.format import Format
from trainer.telemetry.formats.generic import lightning_tables as rich
from trainer.telemetry.formats.line import Line
from trainer.telemetry.formats.metric_names import name_all, split
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
    needles = (*NEEDLES, *rich.NEEDLES)

    def __init__(self) -> None:
        self._table: rich.ResultTable | None = None
        self._wrapped: Bar | None = None  # a rich bar whose metrics may go on
        self._whole: Bar | None = None
        self._epoch = -1
        self._steps = 0  # of the epochs before
        self._done = -1

    @property
    def greedy(self) -> bool:  # type: ignore[override]
        """Whether it is inside a table, or behind a bar whose metrics may go on."""
        return self._table is not None or self._wrapped is not None

    def take(self, line: Line) -> Sequence[Finding]:
        """See `Format`."""
        text = line.plain
        if self.greedy and not text.strip():
            return ()
        if self._table is not None:
            return self._tabled(text)
        if self._wrapped is not None and rich.goes_on(line):
            whole, self._wrapped = self._wrapped, rich.continued(self._wrapped, text)
            if self._whole is whole:
                self._whole = self._wrapped
            return ()
        self._wrapped = None
        if rich.ResultTable.begins(text):
            self._table = rich.ResultTable(text)
            return ()
        drawn = rich.find_rich_bar(text)
        bar = drawn or find_bar(text)
        if bar is None or (named := _EPOCH.fullmatch(bar.lead)) is None:
            return ()
        if drawn is None and not (is_lightning(bar) and bar.stands_alone):
            return ()
        self._wrapped = drawn
        return self._redrawn(int(named.group(1)), bar)

    def _tabled(self, text: str) -> Sequence[Finding]:
        """A line of a table of results, whose step is that of the newest bar."""
        assert self._table is not None
        if self._table.add(text):
            return ()
        values, self._table = self._table.values, None
        if not values or self._epoch < 0:
            return ()
        found = self.finish()
        return (*found, Row(self._steps, name_all(values), is_eval=True))

    def _redrawn(self, epoch: int, bar: Bar) -> Sequence[Finding]:
        """One redraw of the bar of an epoch; a log that begins in a later one counts those before as long."""
        if self._epoch < 0:
            self._epoch, self._steps = epoch, epoch * bar.total
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
