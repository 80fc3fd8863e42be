"""A tree of files of this machine, bounded and without secrets, ready to be sent."""

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from remote.protocol.errors import CallError
from remote.transfer.trees.secret_files import looks_secret, why_secret
from trainer.run.disk.file_tree import FILES_MAX, FileTree, TreeFile, TreeLink
from trainer.run.disk.small_record import open_plain
from trainer.run.run_errors import RecordError

PIECE = 1 << 20
CODE_MAX = 64 << 20
DATA_MAX = 4 << 30
NAMED = 3


@dataclass(frozen=True, slots=True)
class Limits:
    """What may go: how many bytes, by which option that is raised, and which files are no secret though they
    look like one."""

    most: int
    option: str
    allowed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class LocalTree:
    """A tree, and where each of its files lies here."""

    root: Path
    tree: FileTree
    at: Mapping[str, Path] = field(default_factory=dict)

    def read(self, one: TreeFile, start: int) -> Iterator[bytes]:
        """The bytes of a file from `start` on.

        Raises:
            CallError: `refused`: it is not what it was when the tree was looked at.
        """
        path = self.at[one.path]
        digest, left = hashlib.sha256(), one.bytes
        for data in _chunks(path):
            digest.update(data)
            left -= len(data)
            if left < 0:
                break
            if len(data) > start:
                yield data[start:] if start else data
            start = max(0, start - len(data))
        if left or digest.hexdigest() != one.sha256:
            raise CallError(
                "refused", f"{path} was changed while it was sent", "start again: the rest is there"
            )


def tree_of(
    root: Path, paths: Sequence[str], limits: Limits, *, follows: bool = False, scans: bool = True
) -> LocalTree:
    """Look at the files `paths` below `root`.

    Args:
        follows: a link counts as what it points to, else as a link.
        scans: contents are looked at for secrets, not the names alone.

    Raises:
        CallError: `refused`: too much, too many, a secret, or what cannot be laid out elsewhere.
    """
    if len(paths) > FILES_MAX:
        raise CallError(
            "refused",
            f"{root} has {len(paths):,} files to send, and {FILES_MAX:,} may go; most in {_fullest(paths)}",
            "name a folder further down, or let git ignore what the run does not need",
        )
    found: dict[str, os.stat_result] = {}
    for path in paths:
        try:
            found[path] = (root / path).stat() if follows else (root / path).lstat()
        except FileNotFoundError:
            continue  # tracked, and removed here
        except OSError as error:
            raise CallError("refused", f"{root / path} cannot be read: {error.strerror}") from error
    plain = {path: at for path, at in found.items() if stat.S_ISREG(at.st_mode)}
    linked = [path for path, at in found.items() if stat.S_ISLNK(at.st_mode)]
    links = [TreeLink(path, str((root / path).readlink())) for path in linked]
    if odd := sorted({*found} - {*plain} - {*linked}):
        raise CallError("refused", f"{odd[0]!r} is no plain file", "let git ignore it, or remove it")
    _demand_size(root, plain, limits)
    _demand_no_secret(root, plain, limits, scans=scans)
    tree = FileTree(tuple(_file(root, path, at) for path, at in sorted(plain.items())), tuple(sorted(links)))
    try:
        if not tree.files:
            raise RecordError(f"{root} has no file to send")
        tree.check()
    except RecordError as error:
        raise CallError("refused", f"{error}", "git ls-files shows what git tracks there") from error
    return LocalTree(root, tree, {path: root / path for path in plain})


def _demand_size(root: Path, plain: Mapping[str, os.stat_result], limits: Limits) -> None:
    total = sum(at.st_size for at in plain.values())
    if total <= limits.most:
        return
    biggest = sorted(plain, key=lambda path: -plain[path].st_size)[:NAMED]
    named = ", ".join(f"{path} ({plain[path].st_size / 1e6:,.1f} MB)" for path in biggest)
    raise CallError(
        "refused",
        f"{root} has {total / 1e6:,.1f} MB to send, and {limits.most / 1e6:,.1f} MB may go; most is {named}",
        f"{limits.option} {-(-total // 10**6)}MB, or let git ignore what the run does not need",
        {"bytes": total, "most": limits.most},
    )


def _demand_no_secret(
    root: Path, plain: Mapping[str, os.stat_result], limits: Limits, *, scans: bool
) -> None:
    for path in sorted(plain):
        if path in limits.allowed:
            continue
        why = why_secret(path)
        if not why and scans and looks_secret(_chunks(root / path)):
            why = "holds what looks like a key or a token"
        if why:
            raise CallError(
                "refused",
                f"{path} {why}: it was not sent, nor was anything else",
                f"add it to .gitignore (and `git rm --cached` it), or --ship-allow {path} if it is no secret",
                {"file": path},
            )


def _file(root: Path, path: str, at: os.stat_result) -> TreeFile:
    digest, size = hashlib.sha256(), 0
    for data in _chunks(root / path):
        digest.update(data)
        size += len(data)
    return TreeFile(path, size, digest.hexdigest(), bool(at.st_mode & 0o100))


def _chunks(path: Path) -> Iterator[bytes]:
    try:
        with os.fdopen(open_plain(path, follow=True), "rb") as file:
            while data := file.read(PIECE):
                yield data
    except (OSError, RecordError) as error:
        raise CallError("refused", f"{path} cannot be read: {error}", "look at its mode") from error


def _fullest(paths: Sequence[str]) -> str:
    counts: dict[str, int] = {}
    for path in paths:
        top = path.partition("/")[0] if "/" in path else "."
        counts[top] = counts.get(top, 0) + 1
    return max(counts, key=lambda top: counts[top])


def plain_files(folder: Path) -> list[str]:
    """Paths of what lies below a folder, without what is hidden; links to folders are not entered."""
    found = []
    for top, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        below = Path(top).relative_to(folder)
        found += [(below / name).as_posix() for name in sorted(names) if not name.startswith(".")]
        if len(found) > FILES_MAX:
            break
    return found
