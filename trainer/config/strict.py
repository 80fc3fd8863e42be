"""From loose values to a `RunConfig`, or to one error that names every key at fault and its remedy."""

from collections.abc import Mapping
from typing import Any

import msgspec

from trainer.config.config_error import ConfigError
from trainer.config.keys import ConfigKey, keys, nearest, nest, sections
from trainer.config.schema import RunConfig


def check(flat: Mapping[str, Any], origins: Mapping[str, str]) -> RunConfig:
    """Return the configuration that dotted values make.

    Args:
        flat: dotted key -> value.
        origins: dotted key -> where the value came from, for the errors.

    Raises:
        ConfigError: unknown keys, values out of range or values that do not fit together.
    """
    faults = [_unknown(name, origins) for name in flat if name not in keys()]
    faults += [
        fault for name in flat if name in keys() and (fault := _misfit(keys()[name], flat[name], origins))
    ]
    if faults:
        raise ConfigError("\n".join(faults))
    try:
        config = msgspec.convert(nest(flat), RunConfig)
    except msgspec.ValidationError as error:
        reason, _, place = str(error).partition(" - at `$.")
        where = f"{place.rstrip('`')}: " if place else ""
        raise ConfigError(f"values that do not fit together: {where}{reason}; change one of them") from error
    _fits_together(config)
    return config


def _unknown(name: str, origins: Mapping[str, str]) -> str:
    where = origins.get(name, "values")
    if name in sections():
        return (
            f"{name!r} ({where}) is a section, not a value; set one of its keys, such as {_first_of(name)!r}"
        )
    meant = nearest(name)
    hint = f"did you mean {meant!r}?" if meant else "`photinus-train config` lists every key"
    return f"unknown key {name!r} ({where}); {hint}"


def _first_of(section: str) -> str:
    return next(name for name in keys() if name.startswith(f"{section}."))


def _misfit(key: ConfigKey, value: Any, origins: Mapping[str, str]) -> str:
    try:
        msgspec.convert(value, key.type)
    except msgspec.ValidationError as error:
        expected = _described(key) or str(error)[:1].lower() + str(error)[1:]
        shown = f"{key.name} = {value!r} ({origins.get(key.name, 'values')})"
        return f"{shown}: {expected}; the default is {key.default!r}: --set {key.name}={_as_set(key.default)}"
    return ""


def _described(key: ConfigKey) -> str:
    """What a text must look like, in the words of its description instead of a pattern's."""
    metas = [one for one in getattr(key.type, "__metadata__", ()) if isinstance(one, msgspec.Meta)]
    words = next((one.description for one in metas if one.pattern and one.description), None)
    return f"expected {words}" if words else ""


def _as_set(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "''" if value == "" else str(value)


def _fits_together(config: RunConfig) -> None:
    if config.micro_batch > config.batch:
        raise ConfigError(
            f"micro_batch = {config.micro_batch} exceeds batch = {config.batch}; "
            "lower micro_batch, or set it to 0 for the whole batch at once"
        )
    try:
        _ = config.processes
    except ValueError as error:
        raise ConfigError(str(error)) from error
