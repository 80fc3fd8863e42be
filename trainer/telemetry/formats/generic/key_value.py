"""Lines of `key=value`: `step=10 loss=2.31`, `Epoch 3/10 train_loss=1.1 val_loss=0.9`, `METRIC name=1.5`."""

import re
from collections.abc import Sequence

from trainer.telemetry.formats.format import PatternFormat, Take
from trainer.telemetry.formats.line import Line
from trainer.telemetry.formats.metric_names import VALUES_LIMIT, is_held_out, is_metric, name_all, split
from trainer.telemetry.formats.numbers import measure, whole
from trainer.telemetry.formats.pattern import lazy
from trainer.telemetry.formats.row import Finding, Row

_LEAD = r"(?:\[?(?:[tT]rain(?:ing)?|TRAIN|[vV]al(?:id(?:ation)?)?|VAL|[eE]val|[tT]est)\]?:?\s+)?"
_COUNTED = r"(?:[eE]poch|[sS]tep|[iI]ter(?:ation)?|[uU]pdate)"
_PLACE = rf"(?:{_COUNTED}\s*[:#]?\s*\d{{1,15}}(?:\s*/\s*\d{{1,15}})?(?:\s*[|,:;-]+\s*|\s+))"
_PAIR = r"[A-Za-z_][\w/.@()-]{0,60}=\s?[^\s,|;=]{1,200}"
_ROW = lazy(rf"\s*{_LEAD}({_PLACE}{{0,2}})({_PAIR}(?:(?:\s*[,|;]\s*|\s+){_PAIR}){{0,200}})\s*")
_METRIC = lazy(r"METRIC ([A-Za-z_][\w/.@-]{0,60})=(\S{1,400})\s*")
_MARKUP = lazy(r"\[/?(?:[a-z]{1,20}|#[0-9a-fA-F]{6})(?: (?:[a-z_0-9]{1,20}|#[0-9a-fA-F]{6})){0,4}\]")
_PLACES = lazy(r"([a-zA-Z]+)\s*[:#]?\s*(\d{1,15})(?:\s*/\s*(\d{1,15}))?")
_PAIRS = lazy(r"([A-Za-z_][\w/.@()-]{0,60})=\s?([^\s,|;=]{1,200})")
STEPS = ("step", "global_step", "iteration", "iter", "update")


class KeyValue(PatternFormat):
    """METRIC lines are a row of their own at the step or the epoch that the next line tells."""

    name = "key=value"
    example = "step=10 loss=2.31 lr=0.0003"
    needles = (b"loss=", b"METRIC ", b"step=", b"epoch=", b"iter=", b"iteration=", b"acc=", b"update=")

    def __init__(self) -> None:
        super().__init__()
        self._gathered: dict[str, float | None] = {}

    def patterns(self) -> tuple[tuple[re.Pattern[str], Take], ...]:
        """See `PatternFormat`."""
        return (_METRIC, self._metric), (_ROW, self._row)

    def take(self, line: Line) -> Sequence[Finding]:
        """See `Format`."""
        text = line.body
        if "[" in text:
            text = _MARKUP.sub("", text)
        return self._match(text, line)

    def _metric(self, found: re.Match[str]) -> Sequence[Finding]:
        value = measure(found.group(2))
        if value is not None and len(self._gathered) < VALUES_LIMIT:
            self._gathered[found.group(1)] = value
        return ()

    def _row(self, found: re.Match[str]) -> Sequence[Finding]:
        places, totals = _places(found.group(1))
        values = _values(found.group(2))
        for name in (*STEPS, "epoch"):
            if name not in places and name in values and (place := whole(values.get(name))) is not None:
                places[name] = place
        counted = next((name for name in STEPS if name in places), "epoch")
        step = places.get(counted)
        values = {name: value for name, value in values.items() if name not in STEPS}
        if step is None or not any(is_metric(name) for name in values):
            return ()
        self.axis, total = ("epoch" if counted == "epoch" else "step"), totals.get(counted, 0)
        if counted == "epoch":
            values.pop("epoch", None)
        elif "epoch" in places:
            values.setdefault("epoch", float(places["epoch"]))
        gathered, self._gathered = self._gathered, {}
        before = [Row(step, name_all(gathered), False, total)] if gathered else []
        return before + split(step, values, total=total)


def _places(text: str) -> tuple[dict[str, int], dict[str, int]]:
    """Where in the run a line stands, and of how many, both by the name of what is counted."""
    places: dict[str, int] = {}
    totals: dict[str, int] = {}
    for name, done, of in _PLACES.findall(text):
        places[name.lower()] = int(done)
        if of:
            totals[name.lower()] = int(of)
    return places, totals


def _values(text: str) -> dict[str, float | None]:
    """Numbers by name. A name that comes again behind held-out scores is one of them."""
    values: dict[str, float | None] = {}
    held_out = False
    for name, written in _PAIRS.findall(text):
        value = measure(written)
        held_out = held_out or is_held_out(name)
        if value is None:
            continue
        if name in values and held_out:
            name = f"val_{name}"
        values.setdefault(name, value)
    return values
