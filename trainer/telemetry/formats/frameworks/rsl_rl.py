"""rsl_rl and what grew out of it: a block an iteration below `Learning iteration 12/1500`."""

import re
from collections.abc import Sequence

from trainer.telemetry.formats.block import LINES_LIMIT, PATIENCE, value_of
from trainer.telemetry.formats.format import Format
from trainer.telemetry.formats.line import Line
from trainer.telemetry.formats.metric_names import name_all
from trainer.telemetry.formats.pattern import lazy
from trainer.telemetry.formats.row import Finding, Row

_HEADER = lazy(r"\s*Learning (?:iteration|steps) (\d{1,12})/(\d{1,12})\s*")
_FIELD = lazy(r"\s*([A-Za-z][^\t]{0,120}?):\s+(\S(?:.{0,160}\S)?)\s*")
_SPEED = lazy(
    r"([\d.]{1,20}) steps/s(?: \(collection: ([\d.]{1,20})s, learning:? ([\d.]{1,20})s\))?", re.IGNORECASE
)
_RULE = lazy(r"\s*[-#=]{9,400}\s*")
_CLOCKS = frozenset({"ETA", "Time elapsed", "Total time", "Run name"})


class RslRl(Format):
    """Steps are iterations. Whatever is told in a block belongs to it, under the name that it has there."""

    name = "rsl_rl"
    example = "Learning iteration 12/1500  and below it a line a metric: Mean reward: 4.08"
    needles = (b"Learning iteration ", b"Learning steps ")

    def __init__(self) -> None:
        self._step = -1
        self._total = 0
        self._t = 0.0
        self._values: dict[str, float | None] = {}
        self._lines = 0
        self._strange = 0

    @property
    def greedy(self) -> bool:  # type: ignore[override]
        """Whether it is inside a block."""
        return self._step >= 0

    def take(self, line: Line) -> Sequence[Finding]:
        """See `Format`."""
        text = line.plain
        if (header := _HEADER.fullmatch(text)) is not None:
            found = self.finish()
            self._step, self._total = int(header.group(1)), int(header.group(2))
            self._t, self._lines, self._strange = line.time, 0, 0
            return found
        if self._step < 0 or not text.strip() or _RULE.fullmatch(text) is not None:
            return ()
        self._lines += 1
        field = _FIELD.fullmatch(text)
        self._strange = self._strange + 1 if field is None else 0
        if self._strange > PATIENCE or self._lines > LINES_LIMIT:
            return self.finish()
        if field is None:
            return ()
        name, cell = field.group(1).strip(), field.group(2)
        if name == "ETA":
            return self.finish()
        if (speed := _SPEED.fullmatch(cell)) is not None:
            names = ("fps", "collection_s", "learning_s")
            told = zip(names, speed.groups(), strict=True)
            self._values |= {key: float(part) for key, part in told if part is not None}
        elif name not in _CLOCKS and (value := value_of(cell)) is not None:
            if name == "Iteration time":
                name, value = "step_ms", 1000.0 * value
            self._values.setdefault(name, value)
        return ()

    def finish(self) -> Sequence[Row]:
        """See `Format`: a block that has told something."""
        values, step, self._values, self._step = self._values, self._step, {}, -1
        if step < 0 or not any("ean " in name or "loss" in name or "reward" in name for name in values):
            return ()
        return (Row(step, name_all(values), total=self._total, t=self._t),)
