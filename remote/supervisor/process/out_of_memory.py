"""The kernel's own counters of processes that it ended for want of memory: of a cgroup, and of the host."""

import contextlib
from dataclasses import dataclass, field
from pathlib import Path

COUNTER = "oom_kill"


@dataclass(slots=True)
class OomWatch:
    """Compares counters from when a process was first seen in its cgroup with those at its end.

    Linux alone has them; elsewhere nothing is ever said.
    """

    pid: int
    proc: Path = Path("/proc")
    cgroups: Path = Path("/sys/fs/cgroup")
    _before: dict[Path, int] = field(default_factory=dict)

    def look(self) -> None:
        """Note the counters; a process may have been moved to another cgroup meanwhile."""
        for path in self._files():
            if path not in self._before and (count := _count(path)) is not None:
                self._before[path] = count

    def verdict(self, *, was_killed: bool) -> str:
        """What the counters say now, "" for nothing.

        `was_killed`: it ended as by SIGKILL; only then does a count of the whole host mean anything.
        """
        host = self.proc / "vmstat"
        grown = {
            path: now - then
            for path, then in self._before.items()
            if (now := _count(path)) is not None and now > then
        }
        if of_its_own := sum(count for path, count in grown.items() if path != host):
            what = "a process" if of_its_own == 1 else f"{of_its_own} processes"
            return f"out of memory: the kernel ended {what} of its cgroup, whose limit it had reached"
        if was_killed and host in grown:
            return (
                "the kernel ended a process of this host for want of memory meanwhile, most likely this one"
            )
        return ""

    def _files(self) -> list[Path]:
        found = [self.proc / "vmstat"]
        with contextlib.suppress(OSError, ValueError):
            for line in (self.proc / str(self.pid) / "cgroup").read_text().splitlines():
                _, controllers, path = line.split(":", 2)
                below = path.lstrip("/")
                if not controllers and below:  # the root's own counter is the host's
                    found.append(self.cgroups / below / "memory.events")
                elif "memory" in controllers.split(",") and below:
                    found.append(self.cgroups / "memory" / below / "memory.oom_control")
        return found


def _count(path: Path) -> int | None:
    with contextlib.suppress(OSError, ValueError):
        for line in path.read_text().splitlines():
            name, _, value = line.partition(" ")
            if name == COUNTER:
                return int(value)
    return None
