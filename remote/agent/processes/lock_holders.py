"""Which processes hold a lock: a lock file says nothing of that, the kernel does."""

import os
from dataclasses import dataclass
from pathlib import Path

from remote.agent.processes.argument_vector import command_of
from trainer.run.process.kernel import ProcessReader, ProcStat
from trainer.run.process.system_kernel import system_reader


@dataclass(frozen=True, slots=True)
class Holder:
    """A process of our own uid. `command` is cut, and empty where it cannot be read."""

    pid: int
    command: str
    stat: ProcStat

    def __str__(self) -> str:
        return f"pid {self.pid}" + (f" ({self.command})" if self.command else "")


def holders(path: Path, reader: ProcessReader | None = None) -> list[Holder]:
    """Who shares the exclusive flock on `path`; where the kernel names nobody, who has the file open.

    Only processes of our own uid can be seen so; an empty list therefore does not mean a free lock.
    """
    reader = reader or system_reader()
    try:
        lock = path.stat()
    except FileNotFoundError:
        return []
    stats = [stat for pid in reader.pids() if (stat := reader.stat(pid)) and not stat.is_zombie]
    mine = [stat for stat in stats if stat.uid == os.geteuid()]
    locked = {stat.pid: reader.locks(stat.pid, lock.st_dev, lock.st_ino) for stat in mine}
    found = [stat for stat in mine if locked[stat.pid]]
    if not found and None in locked.values():
        found = [stat for stat in mine if reader.opens(stat.pid, lock.st_dev, lock.st_ino)]
    return [Holder(stat.pid, command_of(stat.pid), stat) for stat in found if stat.pid != os.getpid()]
