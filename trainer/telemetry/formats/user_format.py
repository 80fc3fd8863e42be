"""Formats of one's own: a YAML file of regular expressions whose named groups are the values."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from trainer.telemetry.events import Checkpoint
from trainer.telemetry.formats.format import Format
from trainer.telemetry.formats.line import Line
from trainer.telemetry.formats.metric_names import name_all
from trainer.telemetry.formats.numbers import measure, whole
from trainer.telemetry.formats.row import BareEvent, Finding, Row, Start

KINDS = ("rows", "scores", "starts", "checkpoints")
FILE_LIMIT = 1 << 18
PATTERNS_LIMIT = 64
LINE_LIMIT = 4096  # characters: a pattern may take time that grows with the line
_PLACES = ("step", "total", "epoch", "path")


class FormatFileError(ValueError):
    """A file of formats that cannot be used; the message names the file and what to change."""


class UserFormat(Format):
    """The reader of one log by the expressions of a file."""

    example = ""

    def __init__(
        self, name: str, needles: tuple[bytes, ...], patterns: Mapping[str, Sequence[re.Pattern[str]]]
    ) -> None:
        self.name = name  # type: ignore[misc]  # of the file, not of the class
        self.needles = needles
        self.greedy = not needles
        self._patterns = [(kind, pattern) for kind in KINDS for pattern in patterns[kind]]

    def take(self, line: Line) -> Sequence[Finding]:
        """See `Format`."""
        for text in (line.text, line.body):
            if len(text) > LINE_LIMIT:
                return ()
            for kind, pattern in self._patterns:
                if (found := pattern.fullmatch(text.strip())) is not None and (
                    finding := _finding(kind, found, line)
                ):
                    if kind == "rows":
                        self.axis = "step" if found.groupdict().get("step") else "epoch"
                    return (finding,)
        return ()


def _finding(kind: str, found: re.Match[str], line: Line) -> Finding | None:
    groups = {name: text for name, text in found.groupdict().items() if text is not None}
    numbers = {name: measure(text) for name, text in groups.items()}
    total = whole(numbers.get("total")) or 0
    if kind == "starts":
        return Start(total=total)
    step = whole(numbers.get("step", numbers.get("epoch")))
    if step is None:
        return None
    if kind == "checkpoints":
        return BareEvent(Checkpoint, step, {"path": groups.get("path", ""), "sha256": "", "kind": "periodic"})
    beside = _PLACES if "step" not in groups else ("step", "total", "path")
    values = {name: value for name, value in numbers.items() if value is not None and name not in beside}
    return Row(step, name_all(values), kind == "scores", total, line.time) if values else None


def load_format(path: Path) -> Callable[[], Format]:
    """One file of formats, ready to make a reader for a log.

    Raises:
        FormatFileError: it cannot be read, or what it says cannot be used.
    """
    try:
        if path.exists() and not path.is_file():
            raise FormatFileError(f"{path}: it is no plain file; take it away")
        with path.open("rb") as file:
            text = file.read(FILE_LIMIT + 1)
    except OSError as error:
        raise FormatFileError(f"{path}: {error.strerror or error}") from error
    if len(text) > FILE_LIMIT:
        raise FormatFileError(f"{path}: it is larger than {FILE_LIMIT >> 10} KiB; keep one format a file")
    try:
        document = yaml.safe_load(text)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise FormatFileError(f"{path}: no YAML: {' '.join(str(error).split())}") from error
    if not isinstance(document, dict):
        raise FormatFileError(
            f"{path}: a format is a mapping with `rows`, each a name and a regular expression"
        )
    unknown = sorted(str(key) for key in document if key not in ("name", "contains", *KINDS))
    if unknown:
        raise FormatFileError(
            f"{path}: unknown key {unknown[0]!r}; there are name, contains, {', '.join(KINDS)}"
        )
    patterns = {kind: _patterns(path, kind, document.get(kind)) for kind in KINDS}
    if not patterns["rows"] and not patterns["scores"]:
        raise FormatFileError(f"{path}: no `rows`; give each a name and a regular expression")
    name, needles = str(document.get("name", path.stem))[:60], _needles(path, document.get("contains"))
    return lambda: UserFormat(name, needles, patterns)


def load_formats(folder: Path) -> tuple[list[Callable[[], Format]], list[FormatFileError]]:
    """Every format of a folder, by name of its file; and what was wrong with those that cannot be used."""
    formats: list[Callable[[], Format]] = []
    faults: list[FormatFileError] = []
    for path in sorted(folder.glob("*.y*ml")):
        try:
            formats.append(load_format(path))
        except FormatFileError as error:
            faults.append(error)
    return formats, faults


def _needles(path: Path, contains: Any) -> tuple[bytes, ...]:
    texts = [contains] if isinstance(contains, str) else contains or []
    if not isinstance(texts, list) or not all(isinstance(text, str) and text for text in texts):
        raise FormatFileError(
            f"{path}: `contains` is a text, or a list of texts, that every line of the format holds"
        )
    return tuple(text.encode() for text in texts)


def _patterns(path: Path, kind: str, section: Any) -> list[re.Pattern[str]]:
    if section is None:
        return []
    if not isinstance(section, dict) or len(section) > PATTERNS_LIMIT:
        raise FormatFileError(f"{path}: `{kind}` is a mapping of a name to a regular expression")
    patterns = []
    for name, text in section.items():
        try:
            pattern = re.compile(str(text))
        except (re.error, OverflowError, RecursionError) as error:
            raise FormatFileError(f"{path}: {kind}.{name} is no regular expression: {error}") from error
        if kind != "starts" and not pattern.groupindex.keys() & {"step", "epoch"}:
            raise FormatFileError(
                rf"{path}: {kind}.{name} has no group for the step: write it as (?P<step>\d+)"
            )
        patterns.append(pattern)
    return patterns
