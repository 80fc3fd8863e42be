"""What writers that died left behind in a folder: told by its name and by how long nobody wrote to it."""

import contextlib
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

PART = re.compile(r"\..+\.part")
"""A file that is on its way into a folder; it has its name once it is whole."""
PART_REST_S = 86400.0


def old_in(folder: Path, names: re.Pattern[str], rest_s: float) -> Iterator[Path]:
    """What has such a name there, and was not written to for so long: neither it, nor what lies in it."""
    try:
        found = [Path(entry.path) for entry in os.scandir(folder) if names.fullmatch(entry.name)]
    except OSError:
        return
    for path in found:
        if time.time() - _last_write(path) > rest_s:
            yield path


def clear_old_parts(folder: Path) -> None:
    """Remove files that nobody brings here any more: nothing was written to them for a day."""
    for path in old_in(folder, PART, PART_REST_S):
        with contextlib.suppress(OSError):
            path.unlink()


def _last_write(path: Path) -> float:
    """The newest time of it and of what lies right in it; now, of what cannot be looked at."""
    try:
        facts = path.stat(follow_symlinks=False)
        inside = os.scandir(path) if path.is_dir() and not path.is_symlink() else ()
        return max([facts.st_mtime, *(one.stat(follow_symlinks=False).st_mtime for one in inside)])
    except OSError:
        return time.time()
