"""What the fields of a run's records may hold: kinds and ranges, asked once where a record is read."""

from collections.abc import Mapping
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

COUNT_MAX = 1 << 53  # of steps, bytes, attempts: what every reader of JSON holds exactly
PID_MAX = 1 << 31
TIME_MAX = 253_402_300_799  # the end of the year 9999: what a calendar can still show
TEXT_MAX = 4096
_SIGNED = frozenset({"code", "umask", "steps_done"})
_TIMES = frozenset({"at", "since", "created", "started"})
_PIDS = frozenset({"pid", "session", "signal"})


def why_misfit(kind: type, values: Mapping[str, Any]) -> str:
    """Which field of a record has the wrong kind or an absurd value, and how; empty where all fit.

    Args:
        kind: a dataclass whose fields are numbers, texts, flags and choices; other fields are not judged.
        values: what is to become one of it.
    """
    for name, hint in _hints(kind).items():
        if name in values and (why := _why(name, values[name], hint)):
            return f"{name!r} {why}"
    return ""


def why_no_number(name: str, value: object) -> str:
    """Why a number of that name is absurd; empty where it is not."""
    if isinstance(value, float):
        if not value - value == 0.0:  # noqa: SIM201  NaN and the infinities
            return "is not finite"
        return "" if name not in _TIMES or 0 <= value <= TIME_MAX else "is no time"
    if not isinstance(value, int):
        return "is no number"
    least = -COUNT_MAX if name in _SIGNED else 0
    most = TIME_MAX if name in _TIMES else PID_MAX if name in _PIDS else COUNT_MAX
    return "" if least <= value <= most else "is out of range"


@cache
def _hints(kind: type) -> dict[str, tuple[Any, ...]]:
    return {name: _parts(hint) for name, hint in get_type_hints(kind).items()}


def _parts(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)


def _why(name: str, value: object, kinds: tuple[Any, ...]) -> str:
    judged = [kind for kind in kinds if kind in (int, float, str, bool, NoneType) or _is_choice(kind)]
    if len(judged) < len(kinds):
        return ""
    if value is None:
        return "" if NoneType in judged else "is missing"
    if isinstance(value, bool):
        return "" if bool in judged else "is a flag"
    if isinstance(value, int | float):
        if float not in judged and not (int in judged and isinstance(value, int)):
            return "is a number"
        return why_no_number(name, value)
    if not isinstance(value, str):
        return "is of the wrong kind"
    if str in judged:
        return "" if len(value) <= TEXT_MAX else f"is longer than {TEXT_MAX}"
    choices = [choice for kind in judged if _is_choice(kind) for choice in _choices(kind)]
    if not choices:
        return "is a text"
    return "" if value in choices else f"is {value[:40]!r}, which this version does not know"


def _is_choice(kind: Any) -> bool:
    return get_origin(kind) is Literal or (isinstance(kind, type) and hasattr(kind, "__members__"))


def _choices(kind: Any) -> list[str]:
    return [str(one) for one in (get_args(kind) if get_origin(kind) is Literal else kind)]
