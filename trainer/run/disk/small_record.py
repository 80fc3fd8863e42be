"""Reading a record that another hand may have been at: a plain file, not too large, and sound JSON.

Whatever is there in its place (a FIFO, a device, a link, a folder, a gigabyte, JSON a thousand levels deep)
is one `RecordError`; nothing is waited for, and nothing is read without end.
"""

import errno
import json
import os
import stat
from pathlib import Path

from trainer.run.disk.json_tree import DEPTH_MAX, why_unfit
from trainer.run.run_errors import RecordError

RECORD_MAX = 4 << 20
FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def open_plain(path: Path, *, follow: bool = False, ours: bool = False) -> int:
    """A descriptor that reads a plain file; the caller closes it. Never waits for the writer of a FIFO.

    `ours`: another user's file (root's excepted) is refused: a record says what is run.

    Raises:
        FileNotFoundError: there is none.
        RecordError: something else is there, or it may not be read.
    """
    try:
        fd = os.open(path, FLAGS if follow else FLAGS | os.O_NOFOLLOW)
    except FileNotFoundError:
        raise
    except OSError as error:
        why = "is a symbolic link" if error.errno == errno.ELOOP else f"cannot be read: {error.strerror}"
        raise RecordError(f"{path} {why}") from error
    found = os.fstat(fd)
    mode = found.st_mode
    if ours and found.st_uid not in (os.geteuid(), 0):
        os.close(fd)
        raise RecordError(f"{path} belongs to user {found.st_uid}, not to you: it is not trusted")
    if not stat.S_ISREG(mode):
        os.close(fd)
        kind = next((name for test, name in _KINDS if test(mode)), "no plain file")
        raise RecordError(f"{path} is {kind}, not a file of photinus")
    return fd


def read_small(path: Path, limit: int = RECORD_MAX, *, ours: bool = False) -> bytes | None:
    """All bytes of a small plain file; None where there is none.

    Raises:
        RecordError: it is no plain file, cannot be read, or is larger than `limit`.
    """
    try:
        fd = open_plain(path, ours=ours)
    except FileNotFoundError:
        return None
    try:
        with os.fdopen(fd, "rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise RecordError(f"{path} cannot be read: {error.strerror}") from error
    if len(data) > limit:
        raise RecordError(f"{path} is larger than {limit:,} bytes: it was not written by photinus")
    return data


def decode_record(data: bytes, where: object, depth: int = DEPTH_MAX) -> object:
    """The JSON value in `data`; `where` names it in messages.

    Raises:
        RecordError: not JSON, too deep, a number out of range or a torn character.
    """
    try:
        value: object = json.loads(data, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)[:120]
        raise RecordError(f"{where} is not JSON ({reason}); it was not written by photinus") from error
    if why := why_unfit(value, depth=depth):
        raise RecordError(f"{where} holds {why}; it was not written by photinus")
    return value


def read_record(path: Path, limit: int = RECORD_MAX) -> object | None:
    """The JSON value in a small plain file; None where there is no such file.

    Raises:
        RecordError: anything else than sound JSON in a plain file of ours is there.
    """
    data = read_small(path, limit, ours=True)
    if data is None:
        return None
    value = decode_record(data, path)
    if value is None:  # taken for a file that is not there, it would hide its run
        raise RecordError(f"{path} holds null; it was not written by photinus")
    return value


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")
