"""The hosts that an ssh configuration names: `Host` lines without wildcards, Include files too."""

import os
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

DEEPEST = 16
LARGEST = 1 << 20
PATTERN = re.compile(r"[*?!]")
FORGES = frozenset({"git"})
"""Users whose hosts train nothing."""


@dataclass(frozen=True, slots=True)
class Alias:
    """A name that `ssh` understands. `user`: what its own block says, empty otherwise."""

    name: str
    user: str = ""

    @property
    def is_forge(self) -> bool:
        """Whether one logs in as `git` there: it serves repositories."""
        return self.user in FORGES


def ssh_config_path(env: Mapping[str, str] = os.environ) -> Path:
    """The user's own configuration."""
    return Path(env["HOME"] if env.get("HOME") else Path.home(), ".ssh", "config")


def read_aliases(path: Path) -> list[Alias]:
    """Every concrete alias in its order, each once; files that are not there or unreadable name none."""
    found: dict[str, Alias] = {}
    names: list[str] = []
    for keyword, words in _lines(path, path.parent, 0):
        if keyword == "host":
            names = [word for word in words if not PATTERN.search(word)]
            for name in names:
                found.setdefault(name, Alias(name))
        elif keyword == "match":
            names = []
        elif keyword == "user" and words:
            for name in names:
                found[name] = Alias(name, found[name].user or words[0])
    return list(found.values())


def _lines(path: Path, folder: Path, depth: int) -> Iterator[tuple[str, list[str]]]:
    """Keyword in lower case and words of each line, those of Include files in its place."""
    try:
        if not path.is_file() or path.stat().st_size > LARGEST:
            return
        text = path.read_text("utf-8", "replace")
    except OSError:
        return
    for line in text.splitlines():
        keyword, words = _split(line)
        if keyword != "include":
            yield keyword, words
            continue
        for word in words if depth < DEEPEST else ():
            for included in _included(word, folder):
                yield from _lines(included, folder, depth + 1)


def _split(line: str) -> tuple[str, list[str]]:
    """`Host a "b c"` and `Host=a` alike; a line that is not closed names nothing."""
    match = re.match(r"\s*([A-Za-z]+)(?:\s*=\s*|\s+)(.*)", line)
    if match is None:
        return "", []
    try:
        return match[1].lower(), shlex.split(match[2], comments=True)
    except ValueError:
        return "", []


def _included(word: str, folder: Path) -> Iterator[Path]:
    """The files that one word of Include means; a relative one lies below ~/.ssh."""
    path = Path(str(folder.parent) + word[1:]) if word.startswith("~/") else folder / word
    if not PATTERN.search(str(path)) and "[" not in str(path):
        yield path
        return
    root = Path(path.anchor)
    yield from sorted(root.glob(str(path.relative_to(root))))
