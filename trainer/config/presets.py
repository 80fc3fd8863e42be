"""The presets that ship in `configs/presets`."""

from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from trainer.config.config_error import ConfigError
from trainer.config.locate import configs_dir
from trainer.config.yaml_values import load_mapping


@dataclass(frozen=True, slots=True)
class Preset:
    """A named configuration: its file and the line that describes it."""

    name: str
    description: str
    path: Path


def list_presets() -> list[Preset]:
    """Return every preset, by name.

    Raises:
        ConfigError: a preset is not YAML.
    """
    folder = configs_dir() / "presets"
    return [Preset(path.stem, _description(path), path) for path in sorted(folder.glob("*.yaml"))]


def load_preset(name: str) -> dict[str, Any]:
    """Return the values of one preset, without its description.

    Raises:
        ConfigError: there is no such preset (the message names the nearest) or it is not YAML.
    """
    folder = configs_dir() / "presets"
    known = sorted(path.stem for path in folder.glob("*.yaml"))
    if name not in known:
        close = get_close_matches(name, known, 1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(known) or 'none'}"
        raise ConfigError(f"unknown preset {name!r}; {hint}")
    values = load_mapping(folder / f"{name}.yaml")
    values.pop("description", None)
    return values


def _description(path: Path) -> str:
    text = load_mapping(path).get("description", "")
    return " ".join(str(text).split())
