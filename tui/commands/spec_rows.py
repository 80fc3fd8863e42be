"""What a run was asked to do, as rows: one level of dotted keys, and in what two of them differ."""

from collections.abc import Mapping
from typing import Any

SPEC_FACTS = (
    "kind",
    "preset",
    "device",
    "argv",
    "resume_argv",
    "cwd",
    "shared_device",
    "restart",
    "parent",
    "code",
    "env",
)
SHOWN_MAX = 200


def flat(spec: Mapping[str, Any]) -> dict[str, Any]:
    """A spec as one level of dotted keys; of its environment the names alone."""
    found: dict[str, Any] = {}

    def walk(prefix: str, value: Any) -> None:
        if isinstance(value, Mapping):
            for key, below in value.items():
                walk(f"{prefix}.{key}" if prefix else str(key), below)
        else:
            found[prefix] = value

    walk("", spec.get("config") or {})
    for name in SPEC_FACTS:
        value = spec.get(name)
        if name == "code" and isinstance(value, Mapping):
            value = {key: value.get(key) for key in ("folder", "commit", "sha256") if value.get(key)}
        if value not in (None, "", [], {}, False):
            walk(name, list(value) if isinstance(value, tuple) else value)
    return found


def changes_of(
    before: Mapping[str, Any], values: Mapping[str, Any], device: str = ""
) -> list[dict[str, Any]]:
    """The rows of a difference that these values would make, and another device (empty: the same)."""
    after = {key: value for key, value in values.items() if key != "device"}
    after |= {"device": device} if device else {}
    return [
        {"key": key, "a": before.get(key), "b": value}
        for key, value in sorted(after.items())
        if before.get(key) != value
    ]


def diff_words(row: Mapping[str, Any]) -> str:
    """A line of a difference for people."""
    return f"{row['key']}: {str(row['a'])[:SHOWN_MAX]} -> {str(row['b'])[:SHOWN_MAX]}"
