"""Kernel locks (flock): they end with their last holder, however it ends; a run's are never unlinked."""

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from trainer.run.layout import check_device
from trainer.run.run_errors import LockHeldError

RETRY_S = 1.0
POLL_S = 0.002


class Flock:
    """A flock on one file, held by an open file description that can be handed to a child.

    `close()` only closes this process's descriptor: an unlock would free the lock under a child's feet.
    """

    def __init__(self, path: Path, *, shared: bool = False) -> None:
        """`shared`: holders exclude those who want it alone and not each other; the file must be there."""
        self.path = path
        self._kind, self._flags = (fcntl.LOCK_SH, 0) if shared else (fcntl.LOCK_EX, os.O_CREAT)
        self._fd = -1

    def __repr__(self) -> str:
        return f"Flock({str(self.path)!r}, fd={self._fd})"

    @property
    def is_held(self) -> bool:
        """Whether this object holds the lock."""
        return self._fd >= 0

    @property
    def fd(self) -> int:
        """The descriptor that holds the lock.

        Raises:
            LockHeldError: the lock was not taken.
        """
        if self._fd < 0:
            raise LockHeldError(f"{self.path} was not taken by this process")
        return self._fd

    def take(self, retry_s: float = RETRY_S) -> bool:
        """Take the lock; False if it was held for all of `retry_s` (a probe holds it for microseconds).

        Raises:
            OSError: the file cannot be opened.
        """
        deadline = time.monotonic() + retry_s
        while self._fd < 0:
            self._fd = self._open_held()
            if self._fd < 0:
                if time.monotonic() >= deadline:
                    return False
                time.sleep(POLL_S)
        return True

    @classmethod
    def now(cls, path: Path, *, shared: bool = False) -> "Flock | None":
        """The lock, if it can be had at once.

        Raises:
            OSError: the file cannot be opened.
        """
        lock = cls(path, shared=shared)
        return lock if lock.take(0.0) else None

    def _open_held(self) -> int:
        """A descriptor with the lock on the file of this name; -1 if another holds it, or it went away."""
        flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | self._flags
        fd = os.open(self.path, flags, 0o600)
        try:
            if _try(fd, self._kind) and os.path.samestat(os.fstat(fd), self.path.stat()):
                return fd
        except FileNotFoundError:
            pass
        except BaseException:
            os.close(fd)
            raise
        os.close(fd)
        return -1

    @classmethod
    def adopt(cls, path: Path, fd: int) -> "Flock":
        """Own a descriptor that was inherited with the lock on it.

        Raises:
            LockHeldError: the descriptor is of another file, or somebody else holds the lock.
        """
        try:
            mine, named = os.fstat(fd), path.stat()
        except OSError as error:
            raise LockHeldError(f"no lock was handed over for {path}: {error}") from error
        if (mine.st_dev, mine.st_ino) != (named.st_dev, named.st_ino):
            raise LockHeldError(f"descriptor {fd} is not {path}")
        if not _try(fd, fcntl.LOCK_EX):  # a no-op when this very description holds it
            raise LockHeldError(f"{path} is held by another process")
        os.set_inheritable(fd, False)
        lock = cls(path)
        lock._fd = fd
        return lock

    def close(self) -> None:
        """Let go of this process's descriptor; the lock ends with the last copy of it."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> "Flock":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def is_free(path: Path) -> bool:
    """Probe a lock with LOCK_SH: two probes do not exclude each other, and takers retry."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return True
    try:
        return _try(fd, fcntl.LOCK_SH)
    finally:
        os.close(fd)


class DeviceLocks:
    """All locks of a start's devices, or none. Sorted names, so that two starts cannot block each other."""

    def __init__(self, folder: Path, names: Iterable[str]) -> None:
        self.locks: Mapping[str, Flock] = {
            name: Flock(folder / f"{check_device(name)}.lock") for name in sorted(set(names))
        }
        self.busy = ""

    def take(self, retry_s: float = RETRY_S) -> bool:
        """Take them all; on the first that is held let all go, name it in `busy` and return False."""
        for name, lock in self.locks.items():
            if not lock.take(retry_s):
                self.busy = name
                self.close()
                return False
        return True

    def close(self) -> None:
        """Close every descriptor."""
        for lock in self.locks.values():
            lock.close()


def _try(fd: int, kind: int) -> bool:
    with contextlib.suppress(InterruptedError):
        try:
            fcntl.flock(fd, kind | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                raise
        else:
            return True
    return False
