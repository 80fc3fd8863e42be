"""A Mac that sleeps trains nothing: runs there go under `caffeinate -i -w PID`. Not tried on a Mac.

It ends with the process that it is told to wait for, not with the supervisor: an adopted run needs no second.
"""

import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from remote.supervisor.log import Log
from trainer.run.spec import RunSpec

PROGRAM = "/usr/bin/caffeinate"


class Waited(Protocol):
    """A process that can be waited for."""

    def wait(self) -> int:
        """Its exit code."""


def caffeinate_argv(spec: RunSpec, pid: int, platform: str = sys.platform) -> tuple[str, ...]:
    """What keeps the machine awake while `pid` lives; empty where nothing is to."""
    return (PROGRAM, "-i", "-w", str(pid)) if platform == "darwin" and spec.caffeinate else ()


def spawn(argv: Sequence[str]) -> Waited:
    """Start it in a session of its own, without a descriptor of ours.

    Raises:
        OSError: there is no such program.
    """
    return subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def keep_awake(
    spec: RunSpec,
    pid: int,
    log: Log,
    platform: str = sys.platform,
    start: Callable[[Sequence[str]], Waited] = spawn,
) -> None:
    """Keep a Mac from idle sleep while the run's process lives; a run is never lost for want of it."""
    argv = caffeinate_argv(spec, pid, platform)
    if not argv:
        return
    try:
        helper = start(argv)
    except OSError as error:
        log(f"this Mac may fall asleep during the run: {error}")
        return
    threading.Thread(target=helper.wait, name="caffeinate", daemon=True).start()
