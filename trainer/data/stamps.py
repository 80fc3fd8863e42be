"""Cheap stamps of files: equal stamps of settled files mean equal content."""

import hashlib
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

SETTLED_NS = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Stamp:
    """What the directory says about a set of files, without reading them.

    Attributes:
        digest: Hash over name, size, inode and times of every file; the change time is among them, so even a
            write that puts the old modification time back shows.
        settled: Whether every file has rested for 2 s. One that has not could be written again within the
            clock's grain, with the digest unmoved; such a stamp vouches for nothing.
    """

    digest: str
    settled: bool


def stamp_of(files: Iterable[Path], root: Path, reader: str) -> Stamp:
    """The stamp of `files`, named relative to `root`; `reader` names what else the text depends on.

    Raises:
        OSError: if one cannot be looked at.
    """
    digest = hashlib.sha256(f"{reader}\0".encode())
    newest = 0
    for path in files:
        stat = path.stat()
        name = str(path.relative_to(root)) if path != root else path.name
        digest.update(name.encode("utf-8", "surrogateescape") + b"\0")
        digest.update(
            f"{stat.st_size} {stat.st_ino} {stat.st_dev} {stat.st_mtime_ns} {stat.st_ctime_ns}\n".encode()
        )
        newest = max(newest, stat.st_mtime_ns, stat.st_ctime_ns)
    return Stamp(digest.hexdigest(), settled=time.time_ns() - newest > SETTLED_NS)
