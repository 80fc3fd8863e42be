"""What a run says, as a screen may have it: every text cleaned and bounded, once, before it is kept.

The bounds of what is remembered of a run stand here, too (of a host: the run cache). What they leave
out is counted and told.
"""

from collections.abc import Mapping
from dataclasses import fields, replace
from itertools import islice
from typing import Any

from remote.protocol.sanitise import clean, clean_line
from trainer.telemetry.events import Event, Metrics, Sample

NAMES_MAX = 2_000  # metrics of a run
NAME_MAX = 100
WORD_MAX = 2_000
SAMPLE_MAX = 1 << 16
LIST_MAX = 10_000  # numbers of one list: R of each token, a number a layer
_MANY_LINES = frozenset({"text", "prompt"})
_USUAL_STATS = frozenset({"median", "mean"})


def cleaned(event: Event) -> Event:
    """The event with nothing in it that steers a terminal or is longer than anybody reads."""
    if type(event) is Metrics and not event.nonfinite and event.u_stat in _USUAL_STATS:
        names = event.values
        joined = "".join(names) if len(names) <= NAME_MAX else "\n"
        if len(joined) <= WORD_MAX and joined.isascii() and joined.isprintable():
            return event
    changes: dict[str, Any] = {}
    for item in fields(event):
        value = getattr(event, item.name)
        fit = _fit(value, item.name in _MANY_LINES and isinstance(event, Sample))
        if fit is not value:
            changes[item.name] = fit
    return replace(event, **changes) if changes else event


def _fit(value: Any, many_lines: bool = False) -> Any:
    if isinstance(value, str):
        if many_lines:
            return clean(value[:SAMPLE_MAX])
        return clean_line(value[:WORD_MAX])
    if isinstance(value, tuple | list):
        return tuple(_fit(one) for one in value[:LIST_MAX])
    if isinstance(value, Mapping):
        kept = islice(value.items(), NAMES_MAX)
        return {clean_line(str(key)[:NAME_MAX]): _fit(one) for key, one in kept}
    return value
