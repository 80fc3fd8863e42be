"""The flat form of an event: what stands on one line of `events.jsonl` and of `photinus read`.

A time of 0 is unknown, and left out: a log that is read after the fact has no clock.
"""

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

import msgspec

from trainer.telemetry.events import TYPE_NAMES, Evaluation, Event, Metrics, Probe, Unknown

_OPTIONAL = frozenset({"step", "nonfinite"})


def flatten(event: Event) -> dict[str, Any]:
    """Plain JSON values of one event: `type` first, then the envelope, then its own keys.

    Examples:
        >>> flatten(Metrics(seq=1, attempt=1, t=0.0, step=5, values={"ce": 2.0}))["ce"]
        2.0
    """
    if isinstance(event, Metrics):
        flat: dict[str, Any] = {"type": "metrics", "seq": event.seq, "attempt": event.attempt}
        if event.t:
            flat["t"] = event.t
        flat["step"] = event.step
        if event.nonfinite:
            flat["nonfinite"] = list(event.nonfinite)
        flat["u_stat"] = event.u_stat
        flat |= event.values
        return flat
    flat = {"type": event.type if isinstance(event, Unknown) else TYPE_NAMES[type(event)]}
    for item in fields(event):
        value = getattr(event, item.name)
        if item.name in ("values", "data", "type") or (item.name in _OPTIONAL and not value and value != 0):
            continue
        if item.name != "t" or value:
            flat[item.name] = list(value) if isinstance(value, tuple) else value
    if isinstance(event, Evaluation | Probe):
        flat.update(event.values)
    elif isinstance(event, Unknown):
        flat.update(event.data)
    return flat


_ENCODER = msgspec.json.Encoder()


def json_lines(events: Iterable[Event]) -> bytes:
    """Events as `photinus read --json` prints them, a line each."""
    return _ENCODER.encode_lines([flatten(event) for event in events])
