"""Lines of `key: value | key: value`, as several trainers write them."""

from collections.abc import Mapping

from trainer.telemetry.formats.numbers import measure
from trainer.telemetry.formats.pattern import lazy

_FIELD = lazy(r"\s*([^:|]{1,80}?):\s*([^|]{0,80}?)\s*")
FIELDS_LIMIT = 128


def piped(text: str) -> dict[str, str] | None:
    """Fields between bars, by name; None where a part is no field."""
    fields: dict[str, str] = {}
    for part in text.split("|")[:FIELDS_LIMIT]:
        if not part.strip():
            continue
        found = _FIELD.fullmatch(part)
        if found is None:
            return None
        fields[found.group(1)] = found.group(2)
    return fields


def measured(fields: Mapping[str, str], names: Mapping[str, str] | None = None) -> dict[str, float | None]:
    """What is a number among fields; under other names where `names` has one."""
    renamed = names or {}
    return {
        renamed.get(name, name): value
        for name, text in fields.items()
        if (value := measure(text)) is not None
    }
