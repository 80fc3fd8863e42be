"""Files that are either the old or the new, never half: draft, fsync, rename, fsync of the folder."""

import contextlib
import errno
import fcntl
import json
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

from trainer.run.disk.small_record import read_record

RESERVE_BYTES = 64 * 1024
NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})
NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})
"""What a file system without hard links says, such as that of a memory stick."""
RETRY_S = 0.05
APPENDING = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
FULL_SYNC = getattr(fcntl, "F_FULLFSYNC", None)
"""macOS alone has it: its fsync stops at the drive, whose cache a power cut empties. Not tried on a Mac."""


def write_bytes(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Replace `path` by `data`, durably and at once. On any error the old file stays and no rest is left.

    Raises:
        OSError: the disk refused (`errno` says why).
    """
    draft = _write_draft(path, data, mode)
    try:
        draft.rename(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    fsync_folder(path.parent)


def put(path: Path, content: bytes | Path, mode: int) -> bool:
    """Make a file of these bytes, or a link to that path; whether anything had to be done.

    Raises:
        OSError: the disk refused.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, Path):
        if path.is_symlink() and path.readlink() == content:
            return False
        path.unlink(missing_ok=True)
        path.symlink_to(content)
        fsync_folder(path.parent)
        return True
    if not path.is_symlink() and path.is_file() and path.read_bytes() == content:
        return False
    write_bytes(path, content, mode)
    return True


def write_json(path: Path, value: object, mode: int = 0o600) -> None:
    """`write_bytes` of one JSON object and a newline."""
    write_bytes(path, encode(value), mode)


def create_json(path: Path, value: object, mode: int = 0o600) -> bool:
    """Make `path` with its whole content, unless it exists; of two writers one gets True.

    A link, not O_EXCL: a writer that dies halfway leaves nothing under the final name.
    """
    draft = _write_draft(path, encode(value), mode)
    try:
        os.link(draft, path)
    except FileExistsError:
        return False
    finally:
        draft.unlink(missing_ok=True)
    fsync_folder(path.parent)
    return True


def take_name(part: Path, target: Path) -> Path:
    """Give a file that is whole the name `target`, or one beside it where that is taken; what it has now.

    A link, not a rename: of two who ask for one name at once, neither replaces the other's file.

    Raises:
        FileNotFoundError: there is no such file (any more).
        OSError: the disk refused.
    """
    free = target
    while True:
        try:
            os.link(part, free)
            break
        except FileExistsError:
            free = target.with_name(f"{target.stem}-{os.urandom(3).hex()}{target.suffix}")
        except OSError as error:
            if error.errno not in NO_LINKS:
                raise
            part.rename(free)
            break
    part.unlink(missing_ok=True)
    fsync_folder(target.parent)
    return free


def encode(value: object) -> bytes:
    """One line of JSON; a non-finite number is an error here, not in the reader."""
    return (json.dumps(value, allow_nan=False, ensure_ascii=False) + "\n").encode()


def read_json(path: Path) -> object | None:
    """The value in `path`, or None if there is no such file; see `trainer.run.disk.small_record`.

    Raises:
        RecordError: what is there is no plain file, too large, or not sound JSON.
    """
    return read_record(path)


def make_reserve(path: Path) -> None:
    """Set 64 KiB aside, unless they are. Random bytes, so that no file system stores them for free."""
    if not path.exists() or path.stat().st_size < RESERVE_BYTES:
        write_bytes(path, os.urandom(RESERVE_BYTES))


def write_json_from_reserve(
    path: Path,
    value: object,
    reserve: Path,
    patience_s: float = 30.0,
    talk: Callable[[str], None] | None = None,
) -> None:
    """`write_json` that on a full disk first gives up the reserve, then waits for space.

    Raises:
        OSError: no space within `patience_s` seconds, or another error than a full disk.
    """
    deadline = time.monotonic() + patience_s
    while True:
        try:
            return write_json(path, value)
        except OSError as error:
            if error.errno not in NO_SPACE or (not reserve.exists() and time.monotonic() > deadline):
                raise
            if talk and reserve.exists():
                talk(f"disk full: {reserve.name} given up to write {path.name}")
        with contextlib.suppress(FileNotFoundError):
            reserve.unlink()
            fsync_folder(reserve.parent)
            continue
        time.sleep(RETRY_S)


def open_append(path: Path) -> int:
    """A descriptor that appends to a private plain file, made if need be. The caller closes it.

    Raises:
        OSError: it cannot be opened, or something else stands in its place; no FIFO is waited for.
    """
    fd = os.open(path, APPENDING, 0o600)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "not a plain file", str(path))
    return fd


def append_whole(fd: int, data: bytes) -> None:
    """Append all of `data` to what `open_append` opened, or none of it: a full disk takes half a line.

    Raises:
        OSError: the disk refused.
    """
    size, rest = os.fstat(fd).st_size, memoryview(data)
    try:
        while rest:
            rest = rest[os.write(fd, rest) :]
    except OSError:
        with contextlib.suppress(OSError):
            os.ftruncate(fd, size)
        raise


def fsync_folder(path: Path) -> None:
    """Make a rename in this folder survive a power cut."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        sync_to_disk(fd)
    finally:
        os.close(fd)


def _write_draft(path: Path, data: bytes, mode: int) -> Path:
    draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}.tmp")
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(fd, rest) :]
        sync_to_disk(fd)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    finally:
        os.close(fd)
    return draft


def sync_to_disk(fd: int) -> None:
    """Return when what was written to `fd` would survive a power cut.

    Raises:
        OSError: the disk refused.
    """
    if FULL_SYNC is not None:
        try:
            fcntl.fcntl(fd, FULL_SYNC)
        except OSError:  # a file system without it, such as one of a network: then as everywhere
            pass
        else:
            return
    os.fsync(fd)
