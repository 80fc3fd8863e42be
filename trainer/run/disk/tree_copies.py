"""Trees of files on this disk: where one lies, how it is copied and proven, and what differs from it."""

import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from trainer.run.disk.atomic import fsync_folder, sync_to_disk
from trainer.run.disk.file_tree import LIST_MAX, FileTree, TreeFile, TreeLink
from trainer.run.disk.small_record import open_plain, read_small
from trainer.run.run_errors import RecordError

PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class TreePlace:
    """A tree `name` in a folder of trees, and what belongs to it; it is there once its folder is."""

    folder: Path
    name: str

    @property
    def path(self) -> Path:
        """Its files; nobody changes them."""
        return self.folder / self.name

    @property
    def record(self) -> Path:
        """The list of its files."""
        return self.folder / f".{self.name}.json"

    @property
    def draft(self) -> Path:
        """What of it has come so far."""
        return self.folder / f".draft-{self.name}"

    def read(self) -> FileTree | None:
        """The tree as it is recorded; None where it is not there.

        Raises:
            RecordError: the record is damaged.
        """
        data = read_small(self.record, LIST_MAX, ours=True) if self.path.is_dir() else None
        return None if data is None else FileTree.parse(data)


def code_place(root: Path, sha256: str) -> TreePlace:
    """Where shipped code lies below a state root."""
    return TreePlace(root / "code", sha256)


def write_file(target: Path, one: TreeFile, chunks: Iterator[bytes], *, locked: bool) -> bool:
    """Write a new file of a tree; whether its bytes are the listed ones. `locked`: nobody writes it later.

    Raises:
        OSError: the disk refused, or something has that name already (two names that are one on this disk).
    """
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    mode = (0o400 if locked else 0o600) | (0o100 if one.is_program else 0)
    digest, size = hashlib.sha256(), 0
    fd = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, mode)
    with os.fdopen(fd, "wb") as file:
        for data in chunks:
            file.write(data)
            digest.update(data)
            size += len(data)
        file.flush()
        sync_to_disk(file.fileno())
    return size == one.bytes and digest.hexdigest() == one.sha256


def pieces(file: BinaryIO, count: int) -> Iterator[bytes]:
    """The next `count` bytes of a file, fewer where it ends."""
    while count > 0 and (data := file.read(min(PIECE, count))):
        count -= len(data)
        yield data


def make_links(tree: FileTree, target: Path) -> None:
    """The links of a tree, after its files.

    Raises:
        OSError: the disk refused, or a link has the name of a folder here, which two names that are one can.
    """
    root = Path(os.path.realpath(target))
    for link in tree.links:
        path = target / link.path
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if Path(os.path.realpath(path.parent)) != root / PurePosixPath(link.path).parent:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
        path.symlink_to(link.target)


def sync_folders(top: Path) -> None:
    """Make every name in a tree survive a power cut, before the tree gets its own.

    Raises:
        OSError: the disk refused.
    """
    for folder, _, _ in os.walk(top, onerror=_refuse):
        fsync_folder(Path(folder))


def copy_tree(tree: FileTree, source: Path, target: Path) -> None:
    """A copy that may be written to, under its name only when every hash was proven.

    Raises:
        OSError: a file of the source is another or gone (EILSEQ), or the disk refused.
    """
    part = target.with_name(f".{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(mode=0o700, parents=True)
    for one in tree.files:
        with os.fdopen(_opened(source, one), "rb") as file:
            if not write_file(part / one.path, one, pieces(file, one.bytes + 1), locked=False):
                raise OSError(errno.EILSEQ, "is damaged", str(source / one.path))
    make_links(tree, part)
    sync_folders(part)
    part.rename(target)
    fsync_folder(target.parent)


def listed(folder: Path, left_out: frozenset[str] = frozenset()) -> FileTree:
    """Everything below a folder, hashed; but what lies right in it under these names, and drafts.

    Raises:
        RecordError: what lies there cannot be laid out elsewhere.
        OSError: it cannot be read.
    """
    files, links = [], []
    for path in inside(folder, left_out):
        below = path.relative_to(folder).as_posix()
        if path.is_symlink():
            links.append(TreeLink(below, str(path.readlink())))
        else:
            files.append(_file(path, below))
    tree = FileTree(tuple(sorted(files)), tuple(sorted(links)))
    tree.check()
    return tree


def inside(folder: Path, left_out: frozenset[str] = frozenset()) -> Iterator[Path]:
    """What `listed` lists: everything that is no folder."""
    for top, folders, names in os.walk(folder, onerror=_refuse):
        is_top = Path(top) == folder
        folders[:] = sorted(name for name in folders if not (is_top and name.startswith(".")))
        for name in names:
            is_draft = name.startswith(".") and name.endswith(".tmp")
            if not is_draft and not (is_top and name in left_out):
                yield Path(top, name)
        yield from (path for name in folders if (path := Path(top, name)).is_symlink())


def _refuse(error: OSError) -> None:
    raise error  # a folder that cannot be read is not an empty one


def _file(path: Path, below: str) -> TreeFile:
    digest, size = hashlib.sha256(), 0
    with os.fdopen(open_plain(path), "rb") as file:
        is_program = bool(os.fstat(file.fileno()).st_mode & 0o100)
        while data := file.read(PIECE):
            digest.update(data)
            size += len(data)
    return TreeFile(below, size, digest.hexdigest(), is_program)


def differing(
    tree: FileTree, folder: Path, holds: Callable[[Path, TreeFile], bool] | None = None
) -> list[str]:
    """Paths whose file or link is not the listed one; what lies there beside the tree does not count."""
    holds = holds or is_file_of
    changed = [one.path for one in tree.files if not holds(folder / one.path, one)]
    for link in tree.links:
        path = folder / link.path
        if not path.is_symlink() or str(path.readlink()) != link.target:
            changed.append(link.path)
    return sorted(changed)


def is_file_of(path: Path, one: TreeFile) -> bool:
    """Whether the listed bytes lie there."""
    digest, size = hashlib.sha256(), 0
    try:
        with os.fdopen(open_plain(path), "rb") as file:
            for data in pieces(file, one.bytes + 1):
                digest.update(data)
                size += len(data)
    except (OSError, RecordError):
        return False
    return size == one.bytes and digest.hexdigest() == one.sha256


def _opened(source: Path, one: TreeFile) -> int:
    try:
        return open_plain(source / one.path)
    except RecordError as error:
        raise OSError(errno.EILSEQ, str(error), str(source / one.path)) from error
