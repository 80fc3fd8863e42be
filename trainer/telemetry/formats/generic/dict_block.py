"""A dictionary or an object with a step, printed over several lines, as pprint and json.dumps do."""

import ast
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from trainer.telemetry.formats.block import LINES_LIMIT, are_settings
from trainer.telemetry.formats.format import Format
from trainer.telemetry.formats.generic.json_lines import STEPS, row_of
from trainer.telemetry.formats.line import Line
from trainer.telemetry.formats.metric_names import canonical, is_metric
from trainer.telemetry.formats.pattern import lazy
from trainer.telemetry.formats.row import Finding

TEXT_LIMIT = 1 << 16
_OPENS = lazy(r"(?:OrderedDict\(|defaultdict\([^{]{0,60}, ?)?(\{(?:\s*|\s*['\"][^'\"\n]{1,100}['\"]: ?.*))")
_STRING = lazy(r"'(?:[^'\\\n]|\\.){0,4000}'|\"(?:[^\"\\\n]|\\.){0,4000}\"")
_WRAPPED = lazy(  # what numpy, torch and jax write around a number
    r"(?:np\.|numpy\.)?(?:float\d{1,2}|int\d{1,2}|tensor|array|Array|DeviceArray)"
    r"\(\s*([-+\w.]{1,40})(?:, ?[^()]{0,120})?\)"
)
_WORDS = lazy(r"(?<![\w'\".])(-?)(nan|inf|NaN|Infinity)(?![\w'\".])")
_HF = ("loss", "reward", "rewards/chosen", "train_loss_step")


class DictBlock(Format):
    """One line alone is read, too, where it is no dictionary of Hugging Face's Trainer."""

    name = "dictionary"
    example = "{'epoch': 3, 'train_loss': 0.53, 'val_loss': 0.61}  over several lines, or in one"
    needles = (b"{",)

    def __init__(self) -> None:
        self._text = ""
        self._lines = 0
        self._depth = 0
        self._t = 0.0

    @property
    def greedy(self) -> bool:  # type: ignore[override]
        """Whether it is inside a dictionary."""
        return self._depth > 0

    def take(self, line: Line) -> Sequence[Finding]:
        """See `Format`."""
        text = line.plain.rstrip()
        if self._depth == 0:
            found = _OPENS.fullmatch(text)
            if found is None:
                return ()
            self._text, self._lines, self._t = "", 0, line.time
            text = found.group(1)
        if not text.strip():
            return ()
        self._lines += 1
        self._depth += _opened(text)
        self._text += text + "\n"
        if self._lines > LINES_LIMIT or len(self._text) > TEXT_LIMIT or self._depth > 64:
            self._depth = 0
        if self._depth > 0:
            return ()
        self._depth = 0
        return self._read(self._text.rstrip().rstrip(")"), is_alone=self._lines == 1)

    def finish(self) -> Sequence[Finding]:
        """See `Format`: a dictionary that was not closed is none."""
        self._depth = 0
        return ()

    def _read(self, text: str, *, is_alone: bool) -> Sequence[Finding]:
        record = _parsed(text)
        if not record or are_settings(record):
            return ()
        if is_alone and ('"' in text[:2] or not _is_own(record)):
            return ()
        rows = row_of({str(key): _plain(value) for key, value in record.items()})
        if not any(is_metric(name) and canonical(name) != "lr" for row in rows for name in row.values):
            return ()
        self.axis = "epoch" if not any(name in record for name in STEPS[:-1]) else "step"
        return [row if row.t or not self._t else row._replace(t=self._t) for row in rows]


def _is_own(record: Mapping[Any, Any]) -> bool:
    """Whether a dictionary of one line is none that Hugging Face's Trainer prints."""
    if any(name in record for name in _HF) or any(str(name).startswith("eval_") for name in record):
        return False
    epoch = record.get("epoch")
    return not isinstance(epoch, float) or any(name in record for name in STEPS[:-1])


def _opened(text: str) -> int:
    """Brackets that a line opens and does not close, those in strings left out."""
    bare = _STRING.sub("", text)
    return bare.count("{") + bare.count("[") + bare.count("(") - sum(map(bare.count, "}])"))


def _parsed(text: str) -> Mapping[Any, Any]:
    """A dictionary of Python or an object of JSON; an empty one where it is neither."""
    try:
        if isinstance(record := json.loads(text), Mapping):
            return record
    except (ValueError, RecursionError):
        pass
    try:
        record = ast.literal_eval(_WORDS.sub(_spelled, _WRAPPED.sub(r"\1", text)))
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
        return {}
    return record if isinstance(record, Mapping) else {}


def _spelled(found: "re.Match[str]") -> str:
    """What is no literal of Python, as one of its kind."""
    return "'nan'" if "n" in found.group(2).lower()[:1] else f"{found.group(1)}1e999"


def _plain(value: Any) -> Any:
    """A value whose inner names are words."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    return value
