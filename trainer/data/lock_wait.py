"""Waiting for a kernel lock that another process may hold for minutes, and that a stop must cut short."""

import time
from pathlib import Path

from trainer.data.progress import Pulse
from trainer.run.locks import Flock

POLL_S = 0.05


def wait_for_lock(path: Path, pulse: Pulse) -> Flock:
    """Take the lock, waiting for its holder as long as no stop is asked for.

    Raises:
        Stopped: a stop was asked for.
    """
    began = time.monotonic()
    while (lock := Flock.now(path)) is None:
        pulse.beat("wait", int(time.monotonic() - began))
        time.sleep(POLL_S)
    return lock
