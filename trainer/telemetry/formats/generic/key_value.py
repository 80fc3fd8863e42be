"""Lines of `key=value`: `step=10 loss=2.31`, `Epoch 3/10 train_loss=1.1 val_loss=0.9`, `METRIC name=1.5`."""

import re
from collections.abc import Sequence

from trainer.telemetry.formats.format import PatternFormat, Take
from trainer.telemetry.formats.line import Line, without_sign
from trainer.telemetry.formats.metric_names import (
    VALUES_LIMIT,
    canonical,
    is_held_out,
    is_metric,
    name_all,
    split,
)
from trainer.telemetry.formats.numbers import NUMBER, measure, whole
from trainer.telemetry.formats.pattern import lazy
from trainer.telemetry.formats.row import Finding, Row

_HELD = r"[vV]al(?:id(?:ation)?)?|VAL|[eE]val|EVAL|[tT]est|TEST"
_LEAD = rf"(?:\[?(?:[tT]rain(?:ing)?|TRAIN|(?P<held>{_HELD}))\]?:?(?: [-|:])?\s+)?"
_COUNTED = r"(?:[eE]poch|[sS]tep|[iI]ter(?:ation)?|[uU]pdate)"
_PLACE = rf"(?:{_COUNTED}\s*[:#]?\s*\d{{1,15}}(?:\s*/\s*\d{{1,15}})?(?:\s*[|,:;-]+\s*|\s+))"
_VALUE = r"(?:\d{1,3}(?:,\d{3}){1,6}(?![\w,])(?:\.\d{1,9})?|\"[^\"\n]{0,200}\"|[^\s,|;=]{1,200})"
_PAIR = rf"[A-Za-z_][\w/.@()-]{{0,60}}\s?=\s?{_VALUE}"
_ROW = lazy(
    rf"\s*{_LEAD}(?P<place>{_PLACE}{{0,2}})(?P<pairs>{_PAIR}(?:(?:\s*[,|;]\s*|\s+){_PAIR}){{0,200}})\s*"
)
_BETWEEN = r"(?:\s*[|,:;]\s*|\s+-\s+|\s+)"
_UNIT = r"(?:\s?(?:%|ms|s|it/s|[KMG]))?"
_SAID = rf"[A-Za-z][\w/.@() ]{{0,40}}?\s?[:=]\s*(?:{NUMBER}{_UNIT}|\d{{1,3}}(?::\d\d){{1,2}})"
_EPOCH = lazy(  # `Epoch 1/10 | Train Loss: 0.53 | Val Loss: 0.61`, `Epoch [1/10], Step [100/600], Loss: 0.53`
    r"\s*(?P<place>[eE]poch:?\s*#?[\[(]?\d{1,9}(?:\s?/\s?\d{1,9})?[\])]?"
    rf"(?:{_BETWEEN}(?:[sS]tep|[iI]ter(?:ation)?|[bB]atch):?\s*[\[(]?\d{{1,12}}"
    r"(?:\s?/\s?\d{1,12})?[\])]?)?)"
    rf"{_BETWEEN}(?P<pairs>{_SAID}(?:(?:\s*[|,;]\s*|\s+-\s+|\s{{2,}}){_SAID}){{0,60}})\s*"
)
_SAYS = lazy(
    rf"([A-Za-z][\w/.@() ]{{0,40}}?)\s?[:=]\s*({NUMBER}(?:\s?(?:%|ms|s|it/s|[KMG])(?![\w:]))?)(?![\d:])"
)
_METRIC = lazy(r"METRIC ([A-Za-z_][\w/.@-]{0,60})=(\S{1,400})\s*")
_MARKUP = lazy(
    r"\[/?(?!(?:train|val|valid|eval|test)\])(?:[a-z]{1,20}|#[0-9a-fA-F]{6})"
    r"(?: (?:[a-z_0-9]{1,20}|#[0-9a-fA-F]{6})){0,4}\]"
)
_PLACES = lazy(r"([a-zA-Z]+)\s*[:#]?\s*#?[\[(]?(\d{1,15})(?:\s*/\s*(\d{1,15}))?")
_PAIRS = lazy(rf"([A-Za-z_][\w/.@()-]{{0,60}})\s?=\s?({_VALUE})")
STEPS = ("step", "global_step", "iteration", "iter", "update")


class KeyValue(PatternFormat):
    """METRIC lines are a row of their own at the step or the epoch that the next line tells."""

    name = "key=value"
    example = "step=10 loss=2.31 lr=0.0003"
    has_shapes = True
    needles = (
        b"loss=",
        b"oss = ",
        b"METRIC ",
        b"step=",
        b"epoch=",
        b"iter=",
        b"iteration=",
        b"acc=",
        b"update=",
        b"poch",
    )

    def __init__(self) -> None:
        super().__init__()
        self._gathered: dict[str, float | None] = {}

    def patterns(self) -> tuple[tuple[re.Pattern[str], Take], ...]:
        """See `PatternFormat`."""
        return (_METRIC, self._metric), (_ROW, self._row), (_EPOCH, self._epoch)

    @property
    def is_idle(self) -> bool:
        """See `Format`: numbers of METRIC lines belong to the next row."""
        return not self._gathered

    def take(self, line: Line) -> Sequence[Finding]:
        """See `Format`."""
        text = without_sign(line.body)
        if "[" in text:
            text = _MARKUP.sub("", text)
        return self._match(text, line)

    def _metric(self, found: re.Match[str]) -> Sequence[Finding]:
        value = measure(found.group(2))
        if value is not None and len(self._gathered) < VALUES_LIMIT:
            self._gathered[found.group(1)] = value
        return ()

    def _row(self, found: re.Match[str]) -> Sequence[Finding]:
        places, totals = _places(found["place"])
        values = _values(found["pairs"])
        if found["held"]:
            values = {name if name in (*STEPS, "epoch") or is_held_out(name) else f"val_{name}": value
                      for name, value in values.items()}  # fmt: skip
        for name in (*STEPS, "epoch"):
            if name not in places and name in values and (place := whole(values.get(name))) is not None:
                places[name] = place
        counted = next((name for name in STEPS if name in places), "epoch")
        step = places.get(counted)
        values = {name: value for name, value in values.items() if name not in STEPS}
        if step is None or not any(is_metric(name) and canonical(name) != "lr" for name in values):
            return ()
        self.axis, total = ("epoch" if counted == "epoch" else "step"), totals.get(counted, 0)
        if counted == "epoch":
            values.pop("epoch", None)
        elif "epoch" in places:
            values.setdefault("epoch", float(places["epoch"]))
        gathered, self._gathered = self._gathered, {}
        before = [Row(step, name_all(gathered), False, total)] if gathered else []
        return before + split(step, values, total=total)

    def _epoch(self, found: re.Match[str]) -> Sequence[Finding]:
        """A line of an epoch whose numbers stand behind colons; a batch counts on from the epochs before."""
        places, totals = _places(found["place"])
        values = {name.strip(): measure(text) for name, text in _SAYS.findall(found["pairs"])}
        if not any(value is not None and is_metric(name) for name, value in values.items()):
            return ()
        epoch, batch = places["epoch"], next((name for name in places if name != "epoch"), "")
        if not batch:
            self.axis = "epoch"
            return split(epoch, values, total=totals.get("epoch", 0))
        a_epoch, self.axis = totals.get(batch, 0), "step"
        step = places[batch] + a_epoch * max(epoch - 1, 0)
        return split(step, values | {"epoch": float(epoch)}, total=a_epoch * totals.get("epoch", 0))


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
