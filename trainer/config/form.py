"""The start form, made from the schema: what can be set, within which limits."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from msgspec import Meta

from trainer.config.keys import ConfigKey, keys

FieldKind = Literal["int", "float", "bool", "choice", "text"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """One line of the form.

    Attributes:
        key: dotted, as `--set` takes it.
        choices: what a `choice` may be.
        minimum, maximum: closed bounds; an open bound is the next number inside. None where there is none.
    """

    key: str
    kind: FieldKind
    choices: tuple[str, ...] = ()
    default: Any = None
    help: str = ""
    minimum: float | None = None
    maximum: float | None = None


def fields() -> list[FormField]:
    """Return one field for every key of the schema, in its order."""
    return [_field(key) for key in keys().values()]


def _field(key: ConfigKey) -> FormField:
    base, metas = key.type, []
    while hasattr(base, "__metadata__"):
        metas += [one for one in base.__metadata__ if isinstance(one, Meta)]
        base = base.__origin__
    choices = tuple(str(choice) for choice in get_args(base)) if get_origin(base) is Literal else ()
    return FormField(
        key=key.name,
        kind=_kind(base, bool(choices)),
        choices=choices,
        default=key.default,
        help=next((str(meta.description) for meta in metas if meta.description), ""),
        minimum=_bound(metas, "ge", "gt", math.inf),
        maximum=_bound(metas, "le", "lt", -math.inf),
    )


def _kind(base: Any, has_choices: bool) -> FieldKind:
    if has_choices:
        return "choice"
    if base is bool:
        return "bool"
    if base is int:
        return "int"
    return "float" if base is float else "text"


def _bound(metas: list[Meta], closed: str, opened: str, inward: float) -> float | None:
    def found(name: str) -> Iterator[float]:
        return (value for meta in metas if isinstance(value := getattr(meta, name, None), int | float))

    for value in found(closed):
        return value
    for value in found(opened):
        return math.nextafter(value, inward)
    return None
