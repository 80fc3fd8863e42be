"""The dotted keys of the schema: which exist, what each is, and which is nearest to a misspelt one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any, get_type_hints

from msgspec import NODEFAULT, Struct
from msgspec.structs import fields

from trainer.config.schema import RunConfig


@dataclass(frozen=True, slots=True)
class ConfigKey:
    """One leaf of the schema: its dotted name, annotated type and default."""

    name: str
    type: Any
    default: Any


@cache
def keys() -> dict[str, ConfigKey]:
    """Return every leaf of `RunConfig` by dotted name, in the order of the schema."""
    return {key.name: key for key in _walk(RunConfig, "")}


def _walk(struct: type[Struct], prefix: str) -> Iterator[ConfigKey]:
    hints = get_type_hints(struct, include_extras=True)
    for one in fields(struct):
        kind = hints[one.name]
        if isinstance(kind, type) and issubclass(kind, Struct):
            yield from _walk(kind, f"{prefix}{one.name}.")
        else:
            default = one.default_factory() if one.default_factory is not NODEFAULT else one.default
            yield ConfigKey(prefix + one.name, kind, default)


@cache
def sections() -> frozenset[str]:
    """Return the dotted names of the sections: `model`, `data`, ..."""
    return frozenset(name.rsplit(".", 1)[0] for name in keys() if "." in name)


def nearest(wrong: str) -> str:
    """Return the key that was most likely meant ("" where nothing is near)."""
    leaf = wrong.rsplit(".", 1)[-1]
    same_leaf = [name for name in keys() if name.rsplit(".", 1)[-1] == leaf]
    if same_leaf:
        return (get_close_matches(wrong, same_leaf, 1, 0.0) or same_leaf)[0]
    head, _, _ = wrong.partition(".")
    inside = [name for name in keys() if name.startswith(f"{head}.")]
    known = inside if head in sections() else [*keys(), *sorted(sections())]
    if whole := get_close_matches(wrong, known, 1, 0.6):
        return whole[0]
    leaves = {name.rsplit(".", 1)[-1]: name for name in reversed(keys())}
    close = get_close_matches(leaf, list(leaves), 1, 0.6)
    return leaves[close[0]] if close else ""


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested values as dotted leaves; what lies under a key that is no section stays as it is."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        dotted = f"{prefix}{name}"
        if isinstance(value, Mapping) and (dotted in sections() or dotted not in keys()):
            if value or dotted in sections():
                flat |= flatten(value, f"{dotted}.")
            else:
                flat[dotted] = value
        else:
            flat[dotted] = value
    return flat


def nest(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Return dotted leaves as nested values: the inverse of `flatten`."""
    out: dict[str, Any] = {}
    for dotted, value in flat.items():
        *path, leaf = dotted.split(".")
        inner = out
        for name in path:
            inner = inner.setdefault(name, {})
        inner[leaf] = value
    return out
