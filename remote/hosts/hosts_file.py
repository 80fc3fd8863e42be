"""hosts.yaml: read strictly, every fault told with its line. `remote.hosts.hosts_edit` changes it."""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import yaml

from remote.hosts.address import split_address
from remote.hosts.host import LOCAL, Host
from remote.protocol.errors import CallError
from trainer.config.config_error import ConfigError, UntrustedError
from trainer.config.yaml_values import compose_yaml, value_of
from trainer.run.disk.ownership import why_untrusted
from trainer.run.disk.small_record import open_plain
from trainer.run.home import HOME_VARIABLE, state_root
from trainer.run.run_errors import RecordError

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._:-]{0,99}")
PLAIN_PATH = re.compile(r"(/|~/)[A-Za-z0-9._/@+-]{0,1000}")
LARGEST = 1 << 16
WATCH_MAX = 64
KEYS = tuple(field.name for field in fields(Host) if field.name != "name")
KINDS: Mapping[str, Any] = {field.name: field.type for field in fields(Host)}


def hosts_path(env: Mapping[str, str] = os.environ) -> Path:
    """`$PHOTINUS_HOME/config/hosts.yaml`, else hosts.yaml below `$XDG_CONFIG_HOME` or `~/.config`."""
    if env.get(HOME_VARIABLE):
        return state_root(env) / "config" / "hosts.yaml"
    base = env.get("XDG_CONFIG_HOME", "")
    folder = Path(base) if base.startswith("/") else state_root(env).parent / ".config"
    return folder / "photinus" / "hosts.yaml"


def read_hosts(path: Path) -> list[Host]:
    """`local` first, then the file's hosts in its order; `local` alone where there is no file.

    Raises:
        ConfigError: the file cannot be read or is at fault; see `parse_hosts`.
    """
    return parse_hosts(read_text(path), str(path))


def read_text(path: Path) -> str:
    """The file's text; empty where there is no file.

    Raises:
        UntrustedError: another user could have written it: it names programs that are run.
        ConfigError: it cannot be read, or is far too large to be one of ours.
    """
    try:
        fd = open_plain(path, follow=True)
    except FileNotFoundError:
        return ""
    except RecordError as error:
        raise ConfigError(f"cannot read hosts.yaml: {error}; mend it or move it away") from error
    try:
        with os.fdopen(fd, "rb") as file:
            places = (path.parent, path.resolve().parent)
            why = why_untrusted(path, os.fstat(fd)) or next(filter(None, map(why_untrusted, places)), "")
            if why:
                raise UntrustedError(f"hosts.yaml is not read, since it names programs that are run: {why}")
            data = file.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise ConfigError(f"{path} is larger than {LARGEST:,} bytes: no list of hosts; move it away")
        return data.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {path}: {error}; mend it or move it away") from error


def parse_hosts(text: str, where: str) -> list[Host]:
    """The hosts of a text; `where` names it in errors.

    Raises:
        ConfigError: not YAML, or any fault in it: all of them, a line each, with line number and remedy.
    """
    faults: list[str] = []
    hosts = {LOCAL.name: LOCAL}
    for entry in entries(text, where):
        try:
            host = _host(entry)
            twin = next((name for name in hosts if name.lower() == host.name.lower()), None)
            if twin is not None and twin != LOCAL.name:
                raise _FaultError(
                    entry.line, f"hosts {twin!r} and {host.name!r} differ by case only; rename one"
                )
            hosts[host.name] = host
        except _FaultsError as found:
            faults += [f"{where} line {line}: {text}" for line, text in found.faults]
    if faults:
        raise ConfigError("\n".join(faults))
    return list(hosts.values())


@dataclass(frozen=True, slots=True)
class HostEntry:
    """One host as the file has it: the node of its name and of what is said of it."""

    key: yaml.Node
    value: yaml.Node

    @property
    def line(self) -> int:
        """Line of the name, from 1."""
        return int(self.key.start_mark.line) + 1

    @property
    def name(self) -> Any:
        """The name; of a sound entry it is text."""
        return value_of(self.key)


def entries(text: str, where: str) -> list[HostEntry]:
    """What stands at the top of the file, unjudged.

    Raises:
        ConfigError: not YAML, or no mapping of names.
    """
    root = compose_yaml(text, where)
    if root is None or (isinstance(root, yaml.ScalarNode) and value_of(root) is None):
        return []
    if not isinstance(root, yaml.MappingNode):
        raise ConfigError(
            f"{where} line 1: hosts.yaml must be a mapping of names, such as `studio: ada@studio.local`"
        )
    return [HostEntry(key, value) for key, value in root.value]


class _FaultsError(Exception):
    """What is wrong with one entry: (line, sentence) each."""

    def __init__(self, faults: list[tuple[int, str]]) -> None:
        super().__init__(faults)
        self.faults = faults


class _FaultError(_FaultsError):
    """One of them."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__([(line, text)])


def _host(entry: HostEntry) -> Host:
    name = _name(entry)
    if isinstance(entry.value, yaml.MappingNode):
        values = _settings(name, entry.value)
    elif not isinstance(entry.value, yaml.ScalarNode):
        raise _FaultError(entry.line, f"host {name!r} must have settings, or an address as text")
    elif (address := value_of(entry.value)) is None:
        values = {}
    elif isinstance(address, str):
        values = {"address": address}  # `studio: ada@studio.local`
    else:
        shown = entry.value.value[:100]
        raise _FaultError(
            entry.line, f"host {name!r} must have settings, or an address as text: put {shown!r} in quotes"
        )
    if name == LOCAL.name:
        if values.get("address"):
            raise _FaultError(
                entry.line, "`local` is this machine and has no address; take it out, or rename the host"
            )
        return replace(LOCAL, **values)
    host = Host(name, **{"address": name, **values})
    try:
        split_address(host.address)
    except CallError as error:
        raise _FaultError(entry.line, f"host {name!r}: {error.message}; {error.remedy}") from error
    return host


def _name(entry: HostEntry) -> str:
    name = entry.name if isinstance(entry.key, yaml.ScalarNode) else None
    if not isinstance(name, str):
        raise _FaultError(entry.line, f"the name of a host must be text; put {str(name)[:100]} in quotes")
    if why := why_no_name(name):
        raise _FaultError(entry.line, why)
    return name


def why_no_name(name: str) -> str:
    """Why a host cannot be called so; empty where it can."""
    if NAME.fullmatch(name):
        return ""
    return (
        f"{name[:100]!r} is no name for a host; use up to 100 letters, digits and . _ : - "
        "beginning with a letter or digit"
    )


def _settings(name: str, node: yaml.MappingNode) -> dict[str, Any]:
    values: dict[str, Any] = {}
    faults: list[tuple[int, str]] = []
    for key_node, value_node in node.value:
        line = int(key_node.start_mark.line) + 1
        key = value_of(key_node) if isinstance(key_node, yaml.ScalarNode) else None
        if key not in KEYS:
            faults.append((line, _unknown(name, key)))
            continue
        value = _watched(value_node) if key == "watch" else _plain(value_node)
        if why := misfit(key, value, is_local=name == LOCAL.name):
            faults.append((line, f"{key} of host {name!r} {why}"))
        values[key] = value
    if faults:
        raise _FaultsError(faults)
    return values


def _plain(node: yaml.Node) -> Any:
    value = value_of(node) if isinstance(node, yaml.ScalarNode) else node
    return "" if value is None else value


def _watched(node: yaml.Node) -> Any:
    """One path, or a list of them; what is neither stays a node, which fits nowhere."""
    if not isinstance(node, yaml.SequenceNode):
        one = _plain(node)
        return ((one,) if one else ()) if isinstance(one, str) else node
    return tuple(_plain(each) for each in node.value)


def _unknown(name: str, key: object) -> str:
    close = get_close_matches(str(key), KEYS, 1)
    hint = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(KEYS)}"
    return f"unknown key {str(key)[:100]!r} of host {name!r}; {hint}"


def misfit(key: str, value: object, *, is_local: bool = False) -> str:
    """Why a setting cannot have this value; empty where it can."""
    if key == "watch":
        return next(_faulty_paths(value), "")
    kind = KINDS[key]
    if get_origin(kind) is Literal:
        choices = get_args(kind)
        return "" if value in choices else f"must be one of {', '.join(map(_shown, choices))}"
    if kind is bool:
        return "" if isinstance(value, bool) else "must be true or false"
    if not isinstance(value, str):
        return "must be text; put it in quotes"
    return next(_faulty_text(key, value, is_local), "")


def _faulty_paths(value: object) -> Iterator[str]:
    if not isinstance(value, tuple) or not all(isinstance(each, str) and each for each in value):
        yield "must be a path, or a list of paths and patterns such as [~/exp/*/train.log]"
        return
    if len(value) > WATCH_MAX:
        yield f"has {len(value)} paths, more than {WATCH_MAX}; a pattern such as ~/exp/*/train.log names many"
    for each in value:
        if not each.isprintable() or len(each) > 1024:
            yield "has control characters, or is longer than 1024"
        if not each.startswith(("/", "~/")):
            yield f"must hold absolute paths, or such that begin with ~/; {each[:100]!r} does not"


def _faulty_text(key: str, value: str, is_local: bool) -> Iterator[str]:
    if not value.isprintable() or len(value) > 1024:
        yield "has control characters, or is longer than 1024"
    if key in ("home", "python", "checkpoints") and value and not value.startswith(("/", "~/")):
        yield f"must be an absolute path, or begin with ~/; {value[:100]!r} does not"
    if key in ("home", "python") and value and not is_local and not PLAIN_PATH.fullmatch(value):
        yield "must have none but plain characters (letters, digits, . _ / @ + -): a shell there may see it"
    if key == "torch" and value:
        from remote.hosts.torch_setting import HOST_INDEX, NAMES, NONE, SETTINGS, URL

        if value not in (NONE, HOST_INDEX) and not NAMES.fullmatch(value) and not URL.fullmatch(value):
            yield f"must be one of {SETTINGS}"


def _shown(choice: object) -> str:
    return str(choice) or "'' (nothing)"
