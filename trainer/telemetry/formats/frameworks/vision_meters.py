"""Meters of vision trainers: PyTorch's ImageNet example, torchvision, DETR, timm, OpenMMLab, detectron2."""

import re
from collections.abc import Sequence

from trainer.telemetry.formats.format import PatternFormat, Take
from trainer.telemetry.formats.metric_names import is_metric, name_all, split
from trainer.telemetry.formats.numbers import NUMBER, number
from trainer.telemetry.formats.pattern import lazy
from trainer.telemetry.formats.row import Finding, Row

# `Epoch: [0][ 10/5005]`, `Epoch: [0]  [ 10/5004]`, `Epoch(train)  [1][ 50/100]`, `Train: 0 [ 50/1251 (4%)]`
_BATCH = lazy(
    r"\s*(?:Epoch:?\s?|Train: |Epoch\((?P<phase>train|val|test)\)\s+)\[?(?P<epoch>\d{1,9})\]?\s{0,3}"
    r"\[\s*(?P<done>\d{1,12})/(?P<of>\d{1,12})(?:\s+\(\s*\d{1,3}%\))?\](?P<rest>[\s:].{3,2000})"
)
_ITER = lazy(  # OpenMMLab by iterations; detectron2
    r"\s*(?:Iter\(train\)\s+\[\s*(?P<done>\d{1,12})/(?P<of>\d{1,12})\]"
    r"|(?:eta: [\w:, ]{1,40}\s+)?iter: (?P<iter>\d{1,12}))(?P<rest>\s.{3,2000})"
)
_FIELD = lazy(
    rf"([A-Za-z][\w/.@-]{{0,60}}|max mem)(?::\s*|\s+)({NUMBER})(?![\w:/])%?"
    rf"(?:\s*\(\s*{NUMBER}\s*\))?s?(?=[\s,]|$)"
)
_LEFT_OUT = frozenset({"eta", "max_mem", "memory", "mem"})


class VisionMeters(PatternFormat):
    """A step is a batch of the run: those of the epochs before count. Of a value and its mean the value."""

    name = "vision meters"
    example = (
        "Epoch: [0][  10/5005]\tTime  0.512 ( 0.601)\tLoss 6.9012e+00 (6.9101e+00)\tAcc@1   0.39 (  0.12)"
    )
    needles = (b"Epoch: [", b"Epoch [", b"Epoch(", b"Train: ", b"Iter(train)", b"  iter: ", b"iter: ")

    def __init__(self) -> None:
        super().__init__()
        self._first = 1  # whether epochs are counted from 0 or from 1
        self._a_epoch = 0  # batches of training

    def patterns(self) -> tuple[tuple[re.Pattern[str], Take], ...]:
        """See `PatternFormat`."""
        return (_BATCH, self._batch), (_ITER, self._iter)

    def _batch(self, found: re.Match[str]) -> Sequence[Finding]:
        epoch, done, of = int(found["epoch"]), int(found["done"]), int(found["of"])
        values = _values(found["rest"])
        self._first = min(self._first, epoch)
        if found["phase"] in ("val", "test"):
            named = {f"val_{name}": value for name, value in values.items()}
            step = (epoch - self._first + 1) * self._a_epoch
            return (Row(step, name_all(named), is_eval=True),) if named else ()
        if not any(is_metric(name) and "loss" in name.lower() for name in values):
            return ()
        self._a_epoch = of
        return split((epoch - self._first) * of + done, values | {"epoch": float(epoch)})

    def _iter(self, found: re.Match[str]) -> Sequence[Finding]:
        values = _values(found["rest"])
        if not any("loss" in name.lower() for name in values):
            return ()
        return split(int(found["done"] or found["iter"]), values, total=int(found["of"] or 0))


def _values(text: str) -> dict[str, float | None]:
    told = {name: number(value) for name, value in _FIELD.findall(text)}
    return {name: value for name, value in told.items() if name not in _LEFT_OUT}
