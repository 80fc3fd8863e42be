"""A tqdm bar with numbers behind it: `Epoch 1/2: 10%|█ | 4/40 [00:04<00:36, 2.92it/s, loss=0.7277]`."""

import re
from collections.abc import Sequence

from trainer.telemetry.formats.bar import NEEDLES, Bar, find_bar
from trainer.telemetry.formats.format import Format
from trainer.telemetry.formats.generic.lightning_bar import is_lightning
from trainer.telemetry.formats.line import Line
from trainer.telemetry.formats.metric_names import canonical, split
from trainer.telemetry.formats.pattern import lazy
from trainer.telemetry.formats.row import Finding, Row, Start

_EPOCH = lazy(r"(?:.*\b)?epoch\s*[:#=]?\s*[\[(]?(\d{1,9})(?:\s*/\s*(\d{1,9}))?\b.*", re.IGNORECASE)
_NOT_TRAINING = lazy(r"valid|\bval\b|eval|test|download|load|generat|map\b|sanity", re.IGNORECASE)


class TqdmPostfix(Format):
    """A row a bar, of its last redraw; where somebody watches, a row a step. A bar without loss is none.

    Bars that begin again, as those of epochs, count on: the step is that of the run.
    """

    name = "tqdm"
    example = "Epoch 1/2:  10%|█  | 4/40 [00:04<00:36,  2.92it/s, loss=0.7277, lr=2e-05]"
    needles = NEEDLES

    def __init__(self) -> None:
        self._bar: Bar | None = None
        self._before = 0  # steps of the epochs before
        self._epoch = -1
        self._moves = False  # whether a bar was seen to move

    def take(self, line: Line) -> Sequence[Finding]:
        """See `Format`."""
        bar = find_bar(line.plain)
        if bar is None or not bar.stands_alone or not _trains(bar):
            return ()
        kept = self._bar
        found: Sequence[Finding] = ()
        if kept is None:
            self._begin(bar)
        elif bar.done < kept.done or (bar.total, bar.lead) != (kept.total, kept.lead):
            found = tuple(self.finish())
            self._go_on(kept, bar)
        elif self.live and bar.done > kept.done:
            found = tuple(self.finish())
        elif bar.done > kept.done and not self._moves:
            self._moves = True
            found = (Start(),)  # that of a bar which is drawn again; the run may have no other
        self._bar = bar
        return found

    def take_last(self, line: Line) -> Sequence[Finding]:
        """See `Format`: a bar ends in a bracket."""
        return self.take(line)

    def finish(self) -> Sequence[Row]:
        """See `Format`: the newest redraw."""
        bar, self._bar = self._bar, None
        return split(self._before + bar.done, bar.values, total=_planned(bar)) if bar is not None else ()

    def _begin(self, bar: Bar) -> None:
        """A log that begins in a later epoch counts the epochs before as long as this one."""
        epoch = _epoch(bar)
        if self._epoch < 0 and epoch is not None:
            self._before = max(epoch - 1, 0) * bar.total if bar.lead.find("/") >= 0 else 0
            self._epoch = epoch

    def _go_on(self, kept: Bar, bar: Bar) -> None:
        """The next epoch counts on from the end of the one before; an earlier epoch is a new attempt."""
        epoch = _epoch(bar)
        if epoch is None and self._epoch < 0 and kept.done == kept.total:
            self._before += kept.total
        if epoch is not None and epoch != self._epoch:
            self._before = self._before + kept.total if epoch > self._epoch else 0
            self._epoch = epoch


def _epoch(bar: Bar) -> int | None:
    found = _EPOCH.fullmatch(bar.lead)
    return int(found.group(1)) if found is not None else None


def _planned(bar: Bar) -> int:
    """Steps of the whole run: of a bar without an epoch its own, else of as many bars as epochs."""
    found = _EPOCH.fullmatch(bar.lead)
    return bar.total if found is None else bar.total * int(found.group(2) or 0)


def _trains(bar: Bar) -> bool:
    if is_lightning(bar) or "v_num" in bar.names or _NOT_TRAINING.search(bar.lead) is not None:
        return False
    return any("loss" in canonical(name).lower() for name in bar.values)
