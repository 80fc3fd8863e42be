"""The log that a supervisor gave us as stdout and stderr; when it is long it goes on in a further file."""

import os
import time
from pathlib import Path

from trainer.run.layout import RunDir
from trainer.run.logs import append_to, continue_log, newest_log

STREAMS = (1, 2)
LOOK_S = 1.0


class OwnLog:
    """Descriptors 1 and 2, where both append to the newest file of the run's `log/`; else there is nothing
    to do, and nothing is done: whoever trains alone, or sends our output elsewhere, keeps what is his."""

    def __init__(self, run: RunDir, limit: int) -> None:
        """`limit`: bytes after which the next file begins."""
        self._run = run
        self._limit = limit
        self._next_look = 0.0
        newest = newest_log(run)
        self._current = newest if newest and _is_open_as(newest, STREAMS) else None

    def turn_over(self) -> None:
        """Go on in the next file if this one is long enough and ends with a whole line.

        Raises:
            OSError: there is no next file to be had; this one is written on.
        """
        if self._current is None or os.fstat(1).st_size < self._limit or not _ends_a_line(self._current):
            return
        self._current = continue_log(self._run, self._current, STREAMS)

    def keep_up(self) -> None:
        """Go on where another process of the run went on: they share the log, not its descriptors."""
        now = time.monotonic()
        if self._current is None or now < self._next_look:
            return
        self._next_look = now + LOOK_S
        newest = newest_log(self._run)
        if newest and newest != self._current:
            append_to(newest, STREAMS)
            self._current = newest


def _is_open_as(path: Path, fds: tuple[int, ...]) -> bool:
    file = path.stat()
    try:
        return all(os.path.samestat(file, os.fstat(fd)) for fd in fds)
    except OSError:  # closed
        return False


def _ends_a_line(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"
