"""A run's configuration as its host tells it: each value with its origin, and in what several differ."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from remote.protocol.sanitise import clean_line
from remote.protocol.views import RunDetails

KEYS_MAX, TEXT_MAX = 2000, 400
_OF_COMMANDS = ("argv", "resume_argv", "cwd", "env", "stop_signal", "on_end")
_OF_ALL = ("device", "shared_device", "limit_s", "parent")


@dataclass(frozen=True, slots=True)
class ConfigValue:
    """One value. `origin`: `default`, `preset NAME`, `file PATH`, `--set`, ...; empty where nobody says."""

    key: str
    text: str
    origin: str = ""

    @property
    def is_chosen(self) -> bool:
        """Whether somebody chose it: neither the schema's default nor the preset's."""
        return bool(self.origin) and self.origin != "default" and not self.origin.startswith("preset")


@dataclass(frozen=True, slots=True)
class DiffRow:
    """One key of several configurations.

    Attributes:
        texts: None where that one has no such key, or is not known.
        differs: two that have it have it otherwise. is_partly: some that are known do not have it.
    """

    key: str
    texts: tuple[str | None, ...]
    differs: bool
    is_partly: bool = False


def config_values(details: RunDetails) -> tuple[ConfigValue, ...]:
    """Everything that was asked for: of a run of ours its resolved configuration, of a command its words."""
    spec = details.spec
    origins = spec.get("origins")
    origins = origins if isinstance(origins, Mapping) else {}
    config = spec.get("config")
    found = [ConfigValue("preset", words_of(details.preset))] if details.preset else []
    if isinstance(config, Mapping) and config:
        found += [
            ConfigValue(clean_line(key)[:100], words_of(value), clean_line(str(origins.get(key, "")))[:200])
            for key, value in flattened(config)
        ]
    told = {value.key for value in found}
    names = (*_OF_COMMANDS, *_OF_ALL) if details.kind == "command" else _OF_ALL
    for name in names:
        if name not in told and (value := spec.get(name)):
            found.append(ConfigValue(name, _argv(value) if name.endswith("argv") else words_of(value)))
    return tuple(found[:KEYS_MAX])


def flattened(values: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Dotted keys and their values."""
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from flattened(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def words_of(value: object) -> str:
    """A value as one would type it, in one line."""
    match value:
        case None:
            text = "none"
        case bool():
            text = str(value).lower()
        case list() | tuple():
            text = "[" + ", ".join(words_of(one) for one in value) + "]"
        case Mapping():
            text = ", ".join(str(name) for name in value) or "none"
        case _:
            text = str(value)
    return clean_line(text)[:TEXT_MAX]


def _argv(value: object) -> str:
    return clean_line(" ".join(map(str, value)))[:TEXT_MAX] if isinstance(value, list | tuple) else ""


def diff_rows(configs: Sequence[Mapping[str, str] | None]) -> list[DiffRow]:
    """Every key of these configurations: first those in which two differ, then those that only some have.

    Args:
        configs: key -> text; None where it is not known, which is no difference.
    """
    keys = dict.fromkeys(key for config in configs if config is not None for key in config)
    rows: list[DiffRow] = []
    for key in keys:
        texts = tuple(config.get(key) if config is not None else None for config in configs)
        told = {text for text in texts if text is not None}
        lacks = any(text is None and config is not None for text, config in zip(texts, configs, strict=True))
        rows.append(DiffRow(key, texts, len(told) > 1, lacks))
    return sorted(rows, key=lambda row: (not row.differs, not row.is_partly))
