"""Who a process is: pid, the kernel's own start time, and the boot that it belongs to."""

import os
import time
from dataclasses import dataclass
from typing import Any, NewType

from trainer.run.bounds import why_misfit
from trainer.run.process.kernel import ProcessReader
from trainer.run.process.kernel_linux import LinuxReader
from trainer.run.process.system_kernel import system_reader
from trainer.run.run_errors import RecordError

BootId = NewType("BootId", str)
TICK_MAX_S = 0.02


@dataclass(frozen=True, slots=True)
class Identity:
    """A process that cannot be mistaken for a later one with its pid.

    Attributes:
        start: the kernel's start time: clock ticks since boot (Linux), microseconds (macOS). Never psutil's
            `create_time()`, which moves with the clock.
    """

    pid: int
    start: int
    boot_id: str

    def to_json(self) -> dict[str, Any]:
        """Plain values for `process.json`."""
        return {"pid": self.pid, "start": self.start, "boot_id": self.boot_id}

    @classmethod
    def from_json(cls, raw: object) -> "Identity":
        """Read it back.

        Raises:
            RecordError: it is malformed.
        """
        if not isinstance(raw, dict):
            raise RecordError("malformed process identity: not an object")
        if missing := [name for name in ("pid", "start", "boot_id") if raw.get(name) is None]:
            raise RecordError(f"malformed process identity: no {missing[0]}")
        if why := why_misfit(cls, raw):
            raise RecordError(f"malformed process identity: {why}")
        return cls(raw["pid"], raw["start"], raw["boot_id"])


def boot_id(reader: ProcessReader | None = None) -> BootId:
    """The running kernel's boot id."""
    return BootId((reader or system_reader()).boot_id())


def identify(pid: int, reader: ProcessReader | None = None) -> Identity | None:
    """Who has this pid now; None if nobody has. A zombie still has it."""
    reader = reader or system_reader()
    stat = reader.stat(pid)
    return Identity(pid, stat.start, reader.boot_id()) if stat else None


def identify_for_good(pid: int, reader: ProcessReader | None = None) -> Identity | None:
    """As `identify`, of a process that cannot go away meanwhile: ourselves, or a child that we did not reap.

    Linux counts start times in ticks of 10 ms, and a pid may come round within one: 165 of 200 forced reuses
    gave the same pair. This returns once the tick is over, so whoever has the pid later started later.
    """
    reader = reader or system_reader()
    found = identify(pid, reader)
    while found is not None and isinstance(reader, LinuxReader):
        left = (found.start + 1) / os.sysconf("SC_CLK_TCK") - time.clock_gettime(time.CLOCK_BOOTTIME)
        if not 0 < left < TICK_MAX_S:  # over; or a kernel that counts otherwise
            break
        time.sleep(left)
    return found


def is_alive(identity: Identity, reader: ProcessReader | None = None) -> bool:
    """Whether this very process exists and is no zombie (PID 1 of a container may never reap).

    A process that may not be looked at (EPERM) counts as alive.
    """
    reader = reader or system_reader()
    if identity.boot_id != reader.boot_id():
        return False
    stat = reader.stat(identity.pid)
    if stat is None:
        return _is_hidden(identity.pid)
    return stat.start == identity.start and not stat.is_zombie


def is_stopped(identity: Identity, reader: ProcessReader | None = None) -> bool:
    """Whether it is stopped by SIGSTOP or Ctrl-Z, so that it needs SIGCONT to hear anything else."""
    stat = (reader or system_reader()).stat(identity.pid)
    return stat is not None and stat.start == identity.start and stat.state in ("T", "t")


def _is_hidden(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return False  # it was gone when we looked, and its pid is somebody else's now
