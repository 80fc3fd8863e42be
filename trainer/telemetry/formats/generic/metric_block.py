"""A line a metric below a line that names the epoch or the step, as many scripts of one's own print them."""

import re
from collections.abc import Sequence

from trainer.telemetry.formats.block import LINES_LIMIT, PATIENCE, block_rows, value_of
from trainer.telemetry.formats.format import Format
from trainer.telemetry.formats.line import Line, without_sign
from trainer.telemetry.formats.metric_names import is_held_out
from trainer.telemetry.formats.numbers import NUMBER
from trainer.telemetry.formats.pattern import lazy
from trainer.telemetry.formats.row import Finding

_ENDS = (
    r"(?:completed|complete|done|finished|summary|results?|metrics|stats|statistics|report|training|in|took|"
    r"time|elapsed)"  # behind the place
)
_HEADER = lazy(
    r"\s{0,3}(?:[=~*─═━—-]{2,80}\s*|#{3,80}\s*(?=.*#{3})|\[)?"
    r"(?:(?:training|train|end of)\s+)?"
    r"(epoch|step|iteration|iter|update|episode|generation|round)(?:\s*[:#=]\s*|\s+)\#?[\[(]?(\d{1,12})"
    r"(?:\s*(?:/|of)\s*(\d{1,12}))?[\])]?"
    rf"(?:\s*[-–—:|,(]?\s*(?:{_ENDS}\b|\(?[\d.]{{1,9}}\s?%\)?|(?:epoch )?time:? (?:\d{{1,4}} ?[hms] ?){{1,3}}"
    r"|[\d.:]{1,12}\s?(?:s|sec|seconds|min)?\b)){0,4}"
    r"[\s\])]*[:.]?\s*[=~*─═━—#-]{0,80}\s*",
    re.IGNORECASE,
)
_PART = lazy(
    r"\s*[-=~*\[(]{0,20}\s*(?:(train(?:ing)?)|val(?:id(?:ation)?)?|eval(?:uation)?|(test(?:ing)?))"
    r"(?:\s+(?:set|metrics?|results?|errors?|loss(?:es)?|scores?|data|phase))?\s*[\])]?\s*[:=~*-]{0,20}\s*",
    re.IGNORECASE,
)
_VALUE = rf"{NUMBER}(?:\s?(?:±|\+/-)\s?{NUMBER}|\s?\({NUMBER}\)|\s?(?:%|ms|s|sec|it/s|[KMG]B?)(?![\w:]))?"
_NAME = r"[A-Za-z][\w/.@ ]{0,40}?(?:\s?\([\w/ %@.]{1,24}\))?"
_BETWEEN = r"(?:\s*[,|;]\s*|\s{2,}|\t+)"
_FIELDS = lazy(
    rf"\s*(?:[-•*·▸→]\s+|[├└│╰]─*\s*)?{_NAME}\s*[:=]\s*{_VALUE}(?:{_BETWEEN}{_NAME}\s*[:=]\s*{_VALUE}){{0,24}}"
    r"(?:\s*\[\s*\d{1,15}/\d{1,15}\])?\s*[,.]?\s*"
)
_FIELD = lazy(rf"({_NAME})\s*[:=]\s*({_VALUE})")
_SAID = lazy(rf"\s*(?:[-•*·▸→]\s+|[├└│╰]─*\s*)?{_NAME}\s*[:=]\s*\S.{{0,200}}")
_RULE = lazy(r"\s*[-=~*_─═━#]{3,400}\s*")
_EPOCHS = ("epoch", "episode", "generation", "round")


class MetricBlock(Format):
    """A line `Train:` or `Validation:` within a block tells of which data the metrics below it are."""

    name = "block of metrics"
    example = "Epoch 3/10  and below it a line a metric: train_loss: 0.53"
    needles = (
        b"poch", b"POCH", b"tep ", b"tep:", b"STEP", b"teration", b"Iter", b"pdate", b"pisode", b"ound ",
        b"eneration",
    )  # fmt: skip

    def __init__(self) -> None:
        self._step = -1
        self._total = 0
        self._t = 0.0
        self._lead = ""
        self._lines = 0
        self._values: dict[str, float | None] = {}
        self._counted = ""
        self._strange = 0  # lines that tell nothing of it, one below the other
        self._newest = ""  # name of a metric
        self._end = ""  # the last one of the block before

    @property
    def greedy(self) -> bool:  # type: ignore[override]
        """Whether it is inside a block."""
        return self._step >= 0

    def take(self, line: Line) -> Sequence[Finding]:
        """See `Format`."""
        text = without_sign(line.plain)
        if not text.strip() or (self._step >= 0 and _RULE.fullmatch(text) is not None):
            return ()
        if (header := _HEADER.fullmatch(text)) is not None:
            return self._begin(header.group(1).lower(), int(header.group(2)), int(header.group(3) or 0), line)
        if self._step < 0:
            return ()
        self._lines += 1
        if self._lines > LINES_LIMIT:
            return self.finish()
        if (part := _PART.fullmatch(text)) is not None:
            self._lead = "" if part.group(1) else "test_" if part.group(2) else "val_"
            return ()
        if _FIELDS.fullmatch(text) is None:
            goes_on = not self._values or (_SAID.fullmatch(text) is not None and len(text) <= 160)
            self._strange += not goes_on
            is_over = self._strange > PATIENCE or self._lines > 24 + 8 * len(self._values)
            return self.finish() if is_over else ()
        self._strange = 0
        for name, written in _FIELD.findall(text):
            plain = name.strip().replace(". ", " ")  # `Val. Loss`
            named = plain if not self._lead or is_held_out(plain) else f"{self._lead}{plain}"
            if (value := value_of(written)) is not None:
                self._values[named] = value
            self._newest = named
        return self._told() if self.live and self._newest == self._end else ()

    def _begin(self, counted: str, step: int, total: int, line: Line) -> Sequence[Finding]:
        """A new block; a second line that names the same place goes on with the first."""
        if (counted, step) == (self._counted, self._step):
            return ()
        found = self.finish()
        self._counted, self._step, self._total, self._t = counted, step, total, line.time
        return found

    def finish(self) -> Sequence[Finding]:
        """See `Format`: the newest block."""
        found = self._told()
        self._step, self._lines, self._lead, self._end = -1, 0, "", self._newest
        self._strange = 0
        return found

    def _told(self) -> Sequence[Finding]:
        """What the block has told so far; to whom watches it is told where the block before ended."""
        values, self._values = self._values, {}
        if self._step < 0 or not values:
            return ()
        self.axis = "epoch" if self._counted in _EPOCHS else "step"
        rows = block_rows(self._step, values, self._t, self._total)
        return [row._replace(adds=self.live) for row in rows]
