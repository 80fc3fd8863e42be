"""Lines of events as an enemy writes them: an escape sequence in every text, a number that no clock shows."""

import json
from collections.abc import Iterator
from dataclasses import fields
from typing import Any, get_args, get_type_hints

from trainer.telemetry.events import TYPE_NAMES

BIG = "1" + "0" * 400
PAYLOADS = ("\x1b]52;c;{tag}\x1b\\", "\x1b]2;{tag}\x07", "\x1b[2J{tag}", "\x9b31m{tag}", "\u202e{tag}\u2066")


def texts_of(kind: type) -> list[str]:
    """Fields of an event type that can hold a text, in whatever way."""
    hints = get_type_hints(kind)
    return [item.name for item in fields(kind) if _holds_text(hints[item.name])]


def _holds_text(hint: Any) -> bool:
    return hint is str or any(_holds_text(part) for part in get_args(hint))


def forged(name: str, kind: type, payload: str) -> dict[str, Any]:
    """An event of that type with the payload in each of its texts, and beneath new names."""
    hints = get_type_hints(kind)
    event: dict[str, Any] = {"type": name, "seq": 9, "attempt": 1, "t": 5.0, "step": 60}
    for item in fields(kind):
        said = payload.format(tag=f"{name}.{item.name}")
        if item.name in ("seq", "attempt", "t", "step"):
            continue
        if item.name == "values":
            event |= {said: 1.0, "ce": 2.5, "R": 0.4, "u_val": 1.0, "val_ce": 2.0}
        elif item.name == "layers":
            event["layers"] = {said: [1.0, 0.5], "R": [0.2, 0.3]}
        elif item.name == "nonfinite":
            event["nonfinite"] = ["ce", said]
        elif hints[item.name] is str:
            event[item.name] = said
        elif hints[item.name] is bool:
            event[item.name] = True
        elif item.name == "R":
            event["R"] = [0.5]
        else:
            event[item.name] = 3
    return event


def lines() -> Iterator[str]:
    """Every event type, with every payload."""
    for payload in PAYLOADS:
        for kind, name in TYPE_NAMES.items():
            yield json.dumps(forged(name, kind, payload))
        unknown = {"type": payload.format(tag="type"), "seq": 9, "attempt": 1, "t": 1.0, payload: payload}
        yield json.dumps(unknown)


def absurd() -> Iterator[str]:
    """Lines whose numbers are beyond all bounds, in every field that is a number."""
    whole = {"seq": 9, "attempt": 1, "t": 5.0, "step": 60}
    for kind, name in TYPE_NAMES.items():
        event = forged(name, kind, "{tag}")
        for field, value in event.items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                for number in (BIG, "-1", "1e308", str(1 << 60), "-" + BIG, "1e999"):
                    yield json.dumps(event | {field: "\0"}).replace('"\\u0000"', number)
    yield json.dumps({"type": "metrics", **whole}).replace("60", "1" + "0" * 308)
