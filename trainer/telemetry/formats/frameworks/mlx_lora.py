"""mlx-lm's fine-tuning: `Iter 10: Train loss 3.889, Learning Rate 2.000e-05, It/sec 3.629, ...`."""

import re
from collections.abc import Sequence

from trainer.telemetry.events import Checkpoint
from trainer.telemetry.formats.format import PatternFormat, Take
from trainer.telemetry.formats.metric_names import name_all
from trainer.telemetry.formats.numbers import COUNT, NUMBER, count, number
from trainer.telemetry.formats.pattern import lazy
from trainer.telemetry.formats.row import BareEvent, Finding, Row, Start

_ROW = lazy(
    rf"Iter ({COUNT}): (?:Train )?loss ({NUMBER})"
    rf"((?:, [A-Za-z/ _]{{1,39}}[a-z](?: |(?=\d)){NUMBER}(?: ?[A-Za-z/%]{{1,8}})?)+)\.?\s*"
)
_SCORES = lazy(
    rf"Iter ({COUNT}): Val loss ({NUMBER})"
    rf"((?:, [A-Za-z/ _]{{1,39}}[a-z] {NUMBER}(?: ?[A-Za-z/%]{{1,8}})?)*)\.?\s*"
)
_FIELD = lazy(rf", ([A-Za-z/ _]{{1,39}}[a-z])(?: |(?=\d))({NUMBER})")
_SAVED = lazy(rf"Iter ({COUNT}): Saved adapter weights to (.{{1,400}}?)(?: and (.{{1,400}}?))?\.?\s*")
_START = lazy(rf"Starting training\.{{2,3}}, iters: ({COUNT})\s*")
_NAMES = {"Learning Rate": "lr", "Trained Tokens": "tokens", "Peak mem": "peak_mem_gb", "Peak": "peak_mem_gb",
          "It/sec": "it_per_s", "it/s": "it_per_s", "Val took": "val_time_s"}  # fmt: skip


class MlxLora(PatternFormat):
    """See the module."""

    name = "mlx-lm"
    example = "Iter 10: Train loss 3.889, Learning Rate 2.000e-05, It/sec 3.629, Tokens/sec 529.992"
    needles = (b"Iter ", b"Starting training")

    def patterns(self) -> tuple[tuple[re.Pattern[str], Take], ...]:
        """See `PatternFormat`."""
        return (_ROW, _row), (_SCORES, _scores), (_SAVED, _saved), (_START, _start)


def _fields(text: str) -> dict[str, float]:
    return {_NAMES.get(name, name): number(value) for name, value in _FIELD.findall(text)}


def _row(found: re.Match[str]) -> Sequence[Finding]:
    values: dict[str, float | None] = {"loss": number(found.group(2)), **_fields(found.group(3))}
    if speed := values.get("it_per_s"):
        values["step_ms"] = 1000.0 / speed
    return (Row(count(found.group(1)), name_all(values)),)


def _scores(found: re.Match[str]) -> Sequence[Finding]:
    values = {"val_loss": number(found.group(2)), **_fields(found.group(3))}
    return (Row(count(found.group(1)), name_all(values), is_eval=True),)


def _saved(found: re.Match[str]) -> Sequence[Finding]:
    path = found.group(3) or found.group(2)
    return (BareEvent(Checkpoint, count(found.group(1)), {"path": path, "sha256": "", "kind": "periodic"}),)


def _start(found: re.Match[str]) -> Sequence[Finding]:
    return (Start(total=count(found.group(1))),)
