"""An operator's own rules of alerts, in force: `client/alerts/rules.yaml`."""

import math
import re
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from remote.hosts.client_state import client_folder
from remote.protocol.sanitise import clean_line
from trainer.config.config_error import ConfigError
from trainer.config.yaml_values import parse_yaml
from trainer.run.disk.small_record import read_small
from trainer.run.run_errors import RecordError
from trainer.telemetry.alerts.own_rules import OwnRule

NAME = "rules.yaml"
SIZE_MAX, RULES_MAX, ROWS_MAX, METRIC_MAX = 1 << 16, 100, 100_000, 100
KEYS = ("metric", "above", "below", "rows", "level")
LEVELS = ("information", "warning", "error")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,39}")


def own_rules(path: Path | None = None) -> tuple[list[OwnRule], list[str]]:
    """The rules that can be used, and what is wrong with the others, a sentence each."""
    path = path or client_folder("alerts", NAME)
    try:
        data = read_small(path, SIZE_MAX, ours=True)
        told = None if data is None else parse_yaml(data.decode("utf-8"), str(path))
    except (RecordError, ConfigError, UnicodeDecodeError) as error:
        return [], [clean_line(f"{error}")]
    if told is None:
        return [], []
    if not isinstance(told, dict):
        return [], [f"{path} must be a mapping of names, such as `hot: {{metric: gpu_temp, above: 90}}`"]
    rules, faults = [], []
    if len(told) > RULES_MAX:
        faults.append(f"{path} has more than {RULES_MAX} rules: the rest is left out")
    for name, raw in list(told.items())[:RULES_MAX]:
        wrong = list(_faults(name, raw))
        faults += [f"{path}: rule {_word(name)!r} {fault}" for fault in wrong]
        if not wrong:
            rules.append(OwnRule(name=name, **raw))
    return rules, [clean_line(fault) for fault in faults]


def _faults(name: object, raw: Any) -> Iterator[str]:
    """What is wrong with one rule."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        yield "must have a name of up to 40 letters, digits and _ -"
    if not isinstance(raw, dict):
        yield "must have `metric:` and `above:` or `below:` below it"
        return
    for key in raw:
        if key not in KEYS:
            close = get_close_matches(_word(key), KEYS, 1)
            hint = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(KEYS)}"
            yield f"has the key {_word(key)!r}, which is unknown; {hint}"
    metric, rows = raw.get("metric"), raw.get("rows", 1)
    if not isinstance(metric, str) or not 0 < len(metric) <= METRIC_MAX:
        yield "has no `metric:`; name one as the Run screen does"
    limits = [raw[key] for key in ("above", "below") if key in raw]
    if not limits or not all(_is_number(limit) for limit in limits):
        yield "must have a number as `above:` or `below:`"
    if isinstance(rows, bool) or not isinstance(rows, int) or not 1 <= rows <= ROWS_MAX:
        yield f"must have a whole number from 1 to {ROWS_MAX:,} as `rows:`"
    if raw.get("level", "warning") not in LEVELS:
        yield f"must have one of {', '.join(LEVELS)} as `level:`"


def _word(value: object) -> str:
    """A text, cut; of anything else nothing: a number may have more digits than can be written."""
    return value[:40] if isinstance(value, str) else ""


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < 1e300 and math.isfinite(value)
