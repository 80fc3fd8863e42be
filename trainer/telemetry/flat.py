"""The flat form of an event: what stands on one line of `events.jsonl` and of `photinus read`."""

from dataclasses import fields
from typing import Any

from trainer.telemetry.events import TYPE_NAMES, Evaluation, Event, Metrics, Probe, Unknown

_OPTIONAL = frozenset({"step", "nonfinite"})


def flatten(event: Event) -> dict[str, Any]:
    """Plain JSON values of one event: `type` first, then the envelope, then its own keys.

    Examples:
        >>> flatten(Metrics(seq=1, attempt=1, t=0.0, step=5, values={"ce": 2.0}))["ce"]
        2.0
    """
    kind = event.type if isinstance(event, Unknown) else TYPE_NAMES[type(event)]
    flat: dict[str, Any] = {"type": kind}
    for item in fields(event):
        value = getattr(event, item.name)
        if item.name in ("values", "data", "type") or (item.name in _OPTIONAL and not value and value != 0):
            continue
        flat[item.name] = list(value) if isinstance(value, tuple) else value
    if isinstance(event, Metrics | Evaluation | Probe):
        flat.update(event.values)
    elif isinstance(event, Unknown):
        flat.update(event.data)
    return flat
