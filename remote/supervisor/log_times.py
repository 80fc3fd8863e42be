"""When the raw log of an attempt grew: `log/NNN.times`, beside the file that is written to.

The first line names the attempt, each further one wall time and size: at most one a second, and none while
nothing came. A log of before has no such file, and its times are unknown.
"""

import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path

from trainer.run.disk.atomic import append_whole, open_append
from trainer.run.layout import RunDir
from trainer.run.logs import newest_log

EVERY_S = 1.0
SUFFIX = ".times"


class LogTimes:
    """Notes for one attempt; a full disk costs a note and nothing else."""

    def __init__(
        self,
        run: RunDir,
        attempt: int,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._run, self._attempt = run, attempt
        self._clock, self._wall = clock, wall
        self._due = 0.0
        self._path: Path | None = None
        self._size = -1

    def look(self) -> None:
        """Note the size of the newest file, where it is another one than a second ago."""
        now = self._clock()
        if now < self._due:
            return
        self._due = now + EVERY_S
        with contextlib.suppress(OSError):
            path = newest_log(self._run)
            if path is None:
                return
            size = path.stat().st_size
            if (path, size) == (self._path, self._size):
                return
            _append(times_of(path), f"{self._wall():.3f} {size}\n", f"attempt {self._attempt}\n")
            self._path, self._size = path, size


def times_of(log: Path) -> Path:
    """The file of the times of a log."""
    return log.with_suffix(SUFFIX)


def _append(path: Path, line: str, first: str) -> None:
    fd = open_append(path)
    try:
        append_whole(fd, (line if os.fstat(fd).st_size else first + line).encode("ascii"))
    finally:
        os.close(fd)
