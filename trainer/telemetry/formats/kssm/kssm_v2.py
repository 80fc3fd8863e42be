"""K-SSM v2, both builds: rows of `step | loss | ppl | R±std | tone | lr`, and its line of validation."""

import re
from collections.abc import Sequence

from trainer.telemetry.events import Checkpoint
from trainer.telemetry.formats.format import Format
from trainer.telemetry.formats.line import Line
from trainer.telemetry.formats.numbers import NUMBER, number
from trainer.telemetry.formats.pattern import lazy
from trainer.telemetry.formats.row import BareEvent, Finding, Row, Start

_ROW = lazy(
    rf"\s*(\d{{1,12}}) \|\s*({NUMBER}) \|\s*({NUMBER}) \|\s*({NUMBER})±({NUMBER})"
    rf" \|\s*[^|]{{1,40}} \|\s*({NUMBER})\s*"
)
_HEADER = lazy(r"\s*step\s*\|\s*loss\s*\|\s*ppl\s*\|\s*r\s*\|\s*tone\s*\|\s*lr\s*", re.IGNORECASE)
_SCORES = lazy(rf"\s*Val Loss: ({NUMBER}) \| Val PPL: ({NUMBER})\s*")
_TONE = lazy(rf"\s*Val R: ({NUMBER}) ± ({NUMBER}) .*")
_SAVED = lazy(r"\s*Checkpoint saved: (.{1,400}?checkpoint_(\d{1,12})\.pt)\s*")
_COLUMNS = ("loss", "ppl", "R", "R_std", "lr")

PATIENCE = 3  # lines of other streams between the two lines of scores


class KssmV2(Format):
    """Validation has no step of its own: it is that of the row before."""

    name = "kssm-v2"
    example = "    25 | 126.203 | 485165195.4 | 0.0658±0.0134 |   ∅ Unformed | 1.50e-04"
    needles = ("±".encode(), b" | Val PPL: ", b"     R | ", b" saved: ")

    def __init__(self) -> None:
        self._step = -1
        self._scores: dict[str, float | None] = {}
        self._patience = 0

    @property
    def greedy(self) -> bool:  # type: ignore[override]
        """Whether scores have begun and may go on in the next line."""
        return bool(self._scores)

    def take(self, line: Line) -> Sequence[Finding]:
        """See `Format`."""
        text = line.body
        if (found := _ROW.fullmatch(line.text) or _ROW.fullmatch(text)) is not None:
            values = dict(zip(_COLUMNS, map(number, found.groups()[1:]), strict=True))
            self._step = int(found.group(1))
            return (*self.finish(), Row(self._step, values))
        if (found := _SCORES.fullmatch(text)) is not None and self._step >= 0:
            ended, self._patience = self.finish(), PATIENCE
            self._scores = {"val_loss": number(found.group(1)), "val_ppl": number(found.group(2))}
            return ended
        if self._scores and not text.isspace() and text:
            if (found := _TONE.fullmatch(text)) is not None:
                self._scores |= {"val_R": number(found.group(1)), "val_R_std": number(found.group(2))}
                return self.finish()
            self._patience -= 1
            if not self._patience:
                return self.finish()
        if (found := _SAVED.fullmatch(text)) is not None and self._step >= 0:
            return (
                *self.finish(),
                BareEvent(
                    Checkpoint,
                    int(found.group(2)),
                    {"path": found.group(1), "sha256": "", "kind": "periodic"},
                ),
            )
        return (Start(),) if _HEADER.fullmatch(text) is not None else ()

    def take_last(self, line: Line) -> Sequence[Finding]:
        """A learning rate has two digits behind its `e-`, so that one cut short is known."""
        return self.take(line) if re.search(r"e[+-]\d\d$|[^\d.e+-]$", line.text) else ()

    def finish(self) -> Sequence[Finding]:
        """See `Format`."""
        scores, self._scores = self._scores, {}
        return (Row(self._step, scores, is_eval=True),) if scores else ()
