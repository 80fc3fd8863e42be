"""A tree of files by its contents: path, size, SHA-256 and mode of each. The hash of that list names it."""

import hashlib
import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

from trainer.run.disk.small_record import decode_record
from trainer.run.run_errors import RecordError

TREE_FORMAT = 1
FILES_MAX = 20_000
LIST_MAX = 8 << 20
BYTES_MAX = 1 << 44
PATH_MAX, PART_MAX = 1024, 255
HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True, order=True)
class TreeFile:
    """A plain file: of its mode only whether it may be executed counts, as in git."""

    path: str
    bytes: int
    sha256: str
    is_program: bool = False


@dataclass(frozen=True, slots=True, order=True)
class TreeLink:
    """A symbolic link to something in the same tree."""

    path: str
    target: str


@dataclass(frozen=True)
class FileTree:
    """Files and links by their paths below the tree's folder; no folder is listed, an empty one is lost."""

    files: tuple[TreeFile, ...]
    links: tuple[TreeLink, ...] = ()

    @property
    def size(self) -> int:
        """Of all files."""
        return sum(one.bytes for one in self.files)

    @cached_property
    def encoded(self) -> bytes:
        """The list as it is written and hashed: the same for the same tree, whoever makes it."""
        raw = {
            "format": TREE_FORMAT,
            "files": [[one.path, one.bytes, one.sha256, one.is_program] for one in sorted(self.files)],
            "links": [[one.path, one.target] for one in sorted(self.links)],
        }
        return (json.dumps(raw, ensure_ascii=False, separators=(",", ":")) + "\n").encode()

    @cached_property
    def sha256(self) -> str:
        """The tree's name."""
        return hashlib.sha256(self.encoded).hexdigest()

    @classmethod
    def parse(cls, data: bytes) -> "FileTree":
        """A list that came from elsewhere.

        Raises:
            RecordError: it is none, or names what must not touch a path.
        """
        raw = decode_record(data, "the list of a tree's files")
        if not isinstance(raw, Mapping) or raw.get("format") != TREE_FORMAT:
            raise RecordError(f"the list of a tree's files is not of format {TREE_FORMAT}")
        tree = cls(
            tuple(_file(row) for row in _rows(raw, "files", 4)),
            tuple(TreeLink(*_texts(row)) for row in _rows(raw, "links", 2)),
        )
        tree.check()
        return tree

    def check(self) -> None:
        """Refuse what cannot be laid out as it is meant on any host.

        Raises:
            RecordError: naming the path.
        """
        if not self.files:
            raise RecordError("a tree without a file")
        if len(self.files) + len(self.links) > FILES_MAX:
            raise RecordError(f"a tree of {len(self.files) + len(self.links):,} files; {FILES_MAX:,} at most")
        seen: set[str] = set()
        for path in [*(one.path for one in self.files), *(one.path for one in self.links)]:
            if why := why_unfit_path(path):
                raise RecordError(f"{path[:200]!r} {why}")
            if path in seen:
                raise RecordError(f"{path[:200]!r} is listed twice")
            seen.add(path)
        for path in seen:
            if above := next((str(one) for one in PurePosixPath(path).parents if str(one) in seen), ""):
                raise RecordError(f"{path[:200]!r} lies below {above[:200]!r}, which is no folder")
        for link in self.links:
            if why := why_unfit_target(link):
                raise RecordError(f"the link {link.path[:200]!r} {why}")


def why_unfit_path(path: str) -> str:
    """Why a path cannot be one of a tree; empty where it can."""
    if not path or len(path) > PATH_MAX:
        return "is empty or too long"
    if any(unicodedata.category(sign) in ("Cc", "Cs") for sign in path):
        return "has a character that no file of another host can have (not UTF-8, or a control character)"
    if any(part in ("", ".", "..") or len(part.encode()) > PART_MAX for part in path.split("/")):
        return "is no plain path below a folder"
    return "is git's own" if ".git" in path.lower().split("/") else ""


def why_unfit_target(link: TreeLink) -> str:
    """Why a link cannot go along: only one that stays in its tree, whatever other links say, can."""
    parts = link.target.split("/")
    ups = next((at for at, part in enumerate(parts) if part != ".."), len(parts))
    if not link.target or len(link.target) > PATH_MAX or "\0" in link.target or parts[0] == "":
        return f"points to {link.target[:200]!r}, which is no path of this tree"
    if ".." in parts[ups:] or ups > link.path.count("/"):
        return f"points to {link.target[:200]!r}, out of this tree"
    return ""


def _rows(raw: Mapping[str, Any], name: str, width: int) -> list[list[Any]]:
    rows = raw.get(name)
    if not isinstance(rows, list) or any(not isinstance(row, list) or len(row) != width for row in rows):
        raise RecordError(f"the list of a tree's files has no {name}")
    return rows


def _texts(row: list[Any]) -> tuple[str, str]:
    if not all(isinstance(word, str) for word in row):
        raise RecordError("a link of a tree is malformed")
    return row[0], row[1]


def _file(row: list[Any]) -> TreeFile:
    path, size, digest, is_program = row
    is_sized = isinstance(size, int) and not isinstance(size, bool) and 0 <= size <= BYTES_MAX
    is_hash = isinstance(digest, str) and len(digest) == 64 and HEX.issuperset(digest)
    if not (isinstance(path, str) and is_sized and is_hash and isinstance(is_program, bool)):
        raise RecordError("a file of a tree is malformed")
    return TreeFile(path, size, digest, is_program)
