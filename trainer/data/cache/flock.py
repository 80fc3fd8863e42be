"""Kernel locks on files: they end with the process that holds them, however it ends."""

import fcntl
import os
import time
from pathlib import Path

from trainer.data.progress import Pulse

POLL_S = 0.05


class Flock:
    """A held lock; `close` lets it go."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def take(cls, path: Path, *, shared: bool = False) -> "Flock | None":
        """Take the lock now, making the file if need be; None if somebody holds it, or if the file went away.

        Raises:
            OSError: if the file cannot be opened.
        """
        flags = os.O_RDWR | os.O_CLOEXEC | (0 if shared else os.O_CREAT)
        descriptor = os.open(path, flags, 0o600)
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                return cls(descriptor)
        except (BlockingIOError, FileNotFoundError):
            pass
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
        return None

    @classmethod
    def wait(cls, path: Path, pulse: Pulse) -> "Flock":
        """Take the lock, waiting for its holder as long as no stop is asked for.

        Raises:
            Stopped: if a stop was asked for.
        """
        began = time.monotonic()
        while (lock := cls.take(path)) is None:
            pulse.beat("wait", int(time.monotonic() - began))
            time.sleep(POLL_S)
        return lock

    def close(self) -> None:
        """Let go; a second call does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> "Flock":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
