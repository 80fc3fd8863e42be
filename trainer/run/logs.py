"""The files of `log/`: raw output, in order, each under a number that is never used twice.

An attempt begins a file of its own, and one of our trainers that has written much goes on in the next. So a
number says only what came after what: of the first attempt it is 1, of a later one whatever is next. All
files are kept.
"""

import os
import re
from contextlib import suppress
from pathlib import Path

from trainer.run.disk.atomic import open_append
from trainer.run.layout import RunDir

LOG_NAME = re.compile(r"([0-9]{3,9})\.log")
HIDDEN_NAME = re.compile(r"\.([0-9]{3,9})\.log\.[0-9]+")
FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW


def log_number(name: str) -> int:
    """The number of a file of `log/`; 0 for a name that is none."""
    match = LOG_NAME.fullmatch(name)
    return int(match[1]) if match else 0


def log_files(run: RunDir) -> list[Path]:
    """Those that exist, in the order in which they were written."""
    folder = run.log_dir
    found = [path for path in folder.iterdir() if log_number(path.name)] if folder.is_dir() else []
    return sorted(found, key=lambda path: log_number(path.name))


def newest_log(run: RunDir) -> Path | None:
    """The file that is written to, or was last; None before the first."""
    files = log_files(run)
    return files[-1] if files else None


def begin_log(run: RunDir, attempt: int) -> int:
    """A descriptor that appends to a new file, for a new attempt. The caller closes it.

    Raises:
        OSError: it cannot be made.
    """
    _publish_left(run)
    while True:
        with suppress(FileExistsError):  # somebody took that number meanwhile: it is his
            return os.open(run.log(max(attempt, _last(run) + 1)), FLAGS, 0o600)


def continue_log(run: RunDir, current: Path, fds: tuple[int, ...]) -> Path:
    """Let the descriptors `fds` of this process, which append to `current`, append to the next file instead.

    The new file gets its name last: a reader who finds it has all of the old one before him. Whoever shares
    `current` by other descriptors (a worker forked earlier) goes on writing there, unfollowed.

    Raises:
        OSError: the next file cannot be made; the descriptors are as they were.
    """
    number = _last(run) + 1
    hidden = run.log_dir / f".{run.log(number).name}.{os.getpid()}"
    fd = os.open(hidden, FLAGS, 0o600)
    try:
        os.write(fd, f"photinus: this log goes on from {current.name}\n".encode())
        os.write(fds[0], f"photinus: this log goes on in {run.log(number).name}\n".encode())
        for one in fds:
            os.dup2(fd, one)
    except OSError:
        hidden.unlink(missing_ok=True)
        raise
    finally:
        os.close(fd)
    path = _publish(run, hidden, number)
    append_to(path, fds)  # the same file: but by its name, so that /proc does not call it deleted
    return path


def append_to(path: Path, fds: tuple[int, ...]) -> None:
    """Let the descriptors `fds` of this process append to `path`.

    Raises:
        OSError: it cannot be opened.
    """
    fd = open_append(path)
    for one in fds:
        os.dup2(fd, one)
    os.close(fd)


def _publish(run: RunDir, hidden: Path, number: int) -> Path:
    """Give a hidden file its number, or the first free one after it. A link never replaces a file."""
    while True:
        path = run.log(number)
        with suppress(FileExistsError):
            os.link(hidden, path)
            hidden.unlink()
            return path
        number += 1


def _publish_left(run: RunDir) -> None:
    """What a trainer left that was killed between two files. The caller holds the run's locks: it is gone."""
    left = sorted(path.name for path in run.log_dir.iterdir() if HIDDEN_NAME.fullmatch(path.name))
    for name in left:
        match = HIDDEN_NAME.fullmatch(name)
        _publish(run, run.log_dir / name, int(match[1]) if match else 1)


def _last(run: RunDir) -> int:
    files = log_files(run)
    return log_number(files[-1].name) if files else 0
