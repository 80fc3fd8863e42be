"""One configuration from defaults, a preset, files and overrides; every value knows where it came from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from trainer.config.config_error import ConfigError
from trainer.config.data_source import DATA_KEY, TOKENIZER_KEY, absolute_source
from trainer.config.keys import flatten, keys
from trainer.config.presets import load_preset
from trainer.config.schema import RunConfig
from trainer.config.strict import check
from trainer.config.yaml_values import load_mapping, parse_yaml

DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Resolved:
    """A configuration, the origin of each dotted key, and the preset that it began with ("" for none)."""

    config: RunConfig
    origins: dict[str, str]
    preset: str

    def values(self) -> dict[str, Any]:
        """Return the configuration as plain nested values."""
        return to_values(self.config)

    def to_json(self) -> dict[str, Any]:
        """Return what `config.json` of a run holds."""
        return {"values": self.values(), "origins": self.origins, "preset": self.preset}


def resolve(
    preset: str | None,
    *,
    files: Sequence[Path] = (),
    overrides: Sequence[str] = (),
    data: str | None = None,
    is_here: bool = True,
) -> Resolved:
    """Return the configuration that later sources have the last word on: preset, files, data, overrides.

    Args:
        preset: a name in `configs/presets`, or None for the schema's defaults.
        files: YAML files with the same keys.
        overrides: `a.b=value` texts; the value is YAML.
        data: the text source, as `--data` gives it.
        is_here: the run will be on this machine; on another one the paths are that machine's own.

    Raises:
        ConfigError: naming each key at fault, where it came from and the remedy.
    """
    layers: list[tuple[str, Mapping[str, Any]]] = []
    if preset:
        layers.append((f"preset {preset}", flatten(load_preset(preset))))
    for path in files:
        values = load_mapping(path)
        values.pop("description", None)
        layers.append((f"file {path}", flatten(values)))
    if data is not None:
        layers.append(("--data", {DATA_KEY: data}))
    layers.append(("--set", parse_overrides(overrides)))
    flat: dict[str, Any] = {}
    origins = dict.fromkeys(keys(), DEFAULT)
    for origin, layer in layers:
        flat |= _settled(layer) if is_here else layer
        origins |= dict.fromkeys(layer, origin)
    return Resolved(check(flat, origins), origins, preset or "")


def parse_overrides(overrides: Sequence[str]) -> dict[str, Any]:
    """Return dotted key -> value of `a.b=value` texts, the later ones last.

    Raises:
        ConfigError: a text without `=`, or a value that is not YAML.
    """
    flat: dict[str, Any] = {}
    for text in overrides:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise ConfigError(
                f"--set {text!r} has no value; write --set key=value, such as --set optim.lr=0.003"
            )
        parsed = parse_yaml(value, f"--set {name.strip()}")
        flat |= flatten({name.strip(): "" if parsed is None and value.strip() == "" else parsed})
    return flat


def from_values(values: Mapping[str, Any]) -> RunConfig:
    """Return the configuration that was stored as plain values, checked as strictly as a new one.

    Raises:
        ConfigError: the values are not of this version's schema.
    """
    return check(flatten(values), {})


def override(base: Resolved, overrides: Sequence[str]) -> Resolved:
    """Return a stored configuration with `--set` overrides on top, and their origins.

    Raises:
        ConfigError: as `resolve`.
    """
    changed = _settled(parse_overrides(overrides))
    origins = base.origins | dict.fromkeys(changed, "--set")
    return Resolved(check(flatten(base.values()) | changed, origins), origins, base.preset)


def _settled(layer: Mapping[str, Any]) -> dict[str, Any]:
    """A layer whose paths of data no longer depend on the working folder, whoever gave them."""
    told = {key: layer.get(key) for key in (DATA_KEY, TOKENIZER_KEY)}
    return dict(layer) | {
        key: absolute_source(one) for key, one in told.items() if isinstance(one, str) and one
    }


def to_values(config: RunConfig) -> dict[str, Any]:
    """Return a configuration as plain nested values, defaults included."""
    values = msgspec.to_builtins(config)
    if not isinstance(values, dict):
        raise TypeError("a RunConfig must become a mapping")
    return values
