"""The paths in a list that `ssh -G` prints on one line: it leaves out the quotes that held them together."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

BOUNDARY = re.compile(r" (?=[/~%$])")
"""Before what an absolute path begins with; a space inside a path is followed by something else."""
WORDS_MAX = 32  # of one path: each beginning is looked for


@dataclass(frozen=True, slots=True)
class PathList:
    """What a list names.

    Attributes:
        unclear: of `paths`, those with a space that are no files: they may be one path or several.
    """

    paths: tuple[str, ...]
    unclear: tuple[str, ...] = ()


def read_path_list(line: str, path_of: Callable[[str], str]) -> PathList:
    """Take a list apart; `path_of` makes a path absolute. Relative ones are told by what exists."""
    paths, unclear = list[str](), list[str]()
    for text in BOUNDARY.split(line.strip()):
        whole = path_of(text)
        if not text or text == "none":
            continue
        if " " not in text or _is_file(whole):
            paths.append(whole)
            continue
        for path in _existing_first(text.split(" "), path_of):
            paths.append(path)
            if " " in path and not _is_file(path):
                unclear.append(path)
    return PathList(tuple(paths), tuple(unclear))


def _existing_first(words: list[str], path_of: Callable[[str], str]) -> list[str]:
    """The longest joins that are files, and what lies between them as it stands."""
    found, rest = list[str](), list[str]()
    while words:
        joins = ((size, path_of(" ".join(words[:size]))) for size in range(min(len(words), WORDS_MAX), 0, -1))
        size, path = next(((size, path) for size, path in joins if _is_file(path)), (0, ""))
        if size:
            found += [path_of(" ".join(rest))] if rest else []
            found.append(path)
            rest = []
        else:
            rest.append(words[0])
        del words[: size or 1]
    return found + ([path_of(" ".join(rest))] if rest else [])


def _is_file(path: str) -> bool:
    """Whether it is one; a name that no file system takes is none."""
    try:
        return Path(path).is_file()
    except OSError:
        return False
