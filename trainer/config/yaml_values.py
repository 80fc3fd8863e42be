"""YAML as a person expects it: `3e-3` is a number, `off` a word, and a key that stands twice an error."""

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from trainer.config.config_error import ConfigError

TEXT_MAX = 1 << 16
DEPTH_MAX = 32
NODES_MAX = 20_000
# No two neighbours that can match the same digits: the time is linear in the text.
_FLOAT = re.compile(r"^[-+]?(\d[\d_]*(\.[\d_]*)?|\.\d[\d_]*)([eE][-+]?\d+)$")


class _Loader(yaml.SafeLoader):
    """YAML 1.1 reads `3e-3` as text and `off` as false; this one knows better."""

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Build a node; what is nested too deeply is refused while it is read, which takes long by itself."""
        if self._depth >= DEPTH_MAX:
            line = self.peek_event().start_mark.line + 1  # type: ignore[no-untyped-call]
            raise ConfigError(f"nested deeper than {DEPTH_MAX} (line {line}); make it flatter")
        self._depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Build a mapping, refusing a key that stands twice (YAML would keep the last in silence)."""
        seen: set[Hashable] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable):
                raise ConfigError(f"a key must be text, not {key!r} (line {key_node.start_mark.line + 1})")
            if key in seen:
                raise ConfigError(
                    f"the key {key!r} stands twice (line {key_node.start_mark.line + 1}); keep one of them"
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


_BOOL = "tag:yaml.org,2002:bool"
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _BOOL]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(_BOOL, re.compile(r"^(true|True|TRUE|false|False|FALSE)$"), list("tTfF"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+.0123456789"))


def parse_yaml(text: str, where: str) -> Any:
    """Return the value of a YAML text; `where` names it in errors.

    Raises:
        ConfigError: not YAML, a key stands twice, or it is too large with its aliases written out.
    """
    if len(text) > TEXT_MAX:
        raise ConfigError(f"{where} is longer than {TEXT_MAX:,} characters; make it shorter")
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return None
            _weigh(node, {}, set())
            return loader.construct_document(node)
        finally:
            loader.dispose()
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        raise ConfigError(
            f"{where} is not YAML: {' '.join(str(error).split())[:300]}; mend it at that place"
        ) from error


def load_mapping(path: Path) -> dict[str, Any]:
    """Return the mapping in a YAML file.

    Raises:
        ConfigError: unreadable, not YAML, or something else than a mapping of keys.
    """
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(TEXT_MAX + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"cannot read the configuration {path}: {error}; give a YAML file with --config"
        ) from error
    raw = parse_yaml(text, str(path))
    if raw is None:
        return {}
    if not isinstance(raw, dict) or not all(isinstance(key, str) for key in raw):
        raise ConfigError(f"{path} must be a mapping of keys, such as `steps: 3000`")
    return raw


def compose_yaml(text: str, where: str) -> yaml.Node | None:
    """Return the nodes of a YAML text, which know their lines; None for an empty one.

    Raises:
        ConfigError: not YAML, or a key stands twice.
    """
    parse_yaml(text, where)
    return yaml.compose(text, Loader=_Loader)


def value_of(node: yaml.Node) -> Any:
    """Return the value of one scalar node, read as `parse_yaml` reads it."""
    return _Loader("").construct_object(node, deep=True)


def _weigh(node: yaml.Node, known: dict[int, tuple[int, int]], above: set[int]) -> tuple[int, int]:
    """How many nodes there are with every alias written out, and how deep they lie: a few hundred bytes of
    aliases can stand for gigabytes.

    Raises:
        ConfigError: too many, too deep, or an alias of what it stands in.
    """
    if id(node) in known:
        return known[id(node)]
    line = node.start_mark.line + 1
    if id(node) in above:
        raise ConfigError(f"an alias of what it stands in (line {line}); write the value itself")
    parts: list[yaml.Node] = []
    if isinstance(node, yaml.MappingNode):
        parts = [part for pair in node.value for part in pair]
    elif isinstance(node, yaml.SequenceNode):
        parts = node.value
    weighed = [_weigh(part, known, above | {id(node)}) for part in parts]
    size, depth = 1 + sum(size for size, _ in weighed), 1 + max((depth for _, depth in weighed), default=0)
    if size > NODES_MAX or len(above) + depth > DEPTH_MAX:
        raise ConfigError(f"too large with its aliases written out (line {line}); make it smaller")
    known[id(node)] = size, depth
    return size, depth
