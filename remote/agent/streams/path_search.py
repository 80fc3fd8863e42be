"""Paths that fit a pattern, with a bound on how much is looked at."""

import os
import time
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import PurePath

MAGIC = frozenset("*?[")
DEEP = 6  # folders below `**`
INSIDE = 4  # folders below one that was named
NAMES_MAX = 50_000
PATIENCE_S = 3.0
TROUBLES_MAX = 16
PASSED_OVER = frozenset({"node_modules", "site-packages", "__pycache__"})


class PathSearch:
    """One search. It looks at so many names and for so long, and then says that it has not looked further.

    Attributes:
        troubles: what could not be looked at, in sentences.
        is_cut: whether something was left out.
    """

    def __init__(self, names_max: int = NAMES_MAX, patience_s: float = PATIENCE_S) -> None:
        self.troubles: list[str] = []
        self.is_cut = False
        self._left = names_max
        self._until = time.monotonic() + patience_s

    def matches(self, pattern: str) -> Iterator[str]:
        """Paths that fit an absolute pattern: `*`, `?` and `[...]` in a name, `**` for folders between."""
        yield from self._walk("/", PurePath(pattern).parts[1:], 0)

    def inside(self, folder: str, names: Sequence[str], depth: int = 0) -> Iterator[str]:
        """Paths of files below a folder whose names fit one of `names`; links to folders are not entered."""
        folders = []
        for entry in self._entries(folder):
            if entry.is_dir(follow_symlinks=False):
                if depth < INSIDE and not entry.name.startswith(".") and entry.name not in PASSED_OVER:
                    folders.append(entry.path)
            elif any(fnmatchcase(entry.name, name) for name in names):
                yield entry.path
        for below in folders:
            yield from self.inside(below, names, depth + 1)

    def tell(self, trouble: str) -> None:
        """Note what could not be looked at."""
        if len(self.troubles) < TROUBLES_MAX and trouble not in self.troubles:
            self.troubles.append(trouble)

    def _walk(self, folder: str, parts: tuple[str, ...], depth: int) -> Iterator[str]:
        if not parts:
            yield folder
            return
        first, rest = parts[0], parts[1:]
        if first == "**":
            yield from self._walk(folder, rest, 0)
            if depth < DEEP:
                for entry in self._entries(folder):
                    if entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
                        yield from self._walk(entry.path, parts, depth + 1)
        elif not MAGIC & set(first):
            place = os.path.join(folder, first)  # noqa: PTH118  texts, many of them
            if rest or os.path.lexists(place):
                yield from self._walk(place, rest, 0)
        else:
            for entry in self._entries(folder):
                hidden = entry.name.startswith(".") and not first.startswith(".")
                if not hidden and fnmatchcase(entry.name, first) and (not rest or entry.is_dir()):
                    yield from self._walk(entry.path, rest, 0)

    def _entries(self, folder: str) -> Iterator[os.DirEntry[str]]:
        """What lies in a folder, by name; nothing where it may not be read."""
        found: list[os.DirEntry[str]] = []
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if self._left <= 0 or time.monotonic() > self._until:
                        self.is_cut = True
                        break
                    self._left -= 1
                    found.append(entry)
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            self.tell(f"{folder} cannot be looked into: {error.strerror or error}")
            return
        yield from sorted(found, key=lambda entry: entry.name)
