"""Processes and locks of a host, as the verb `processes` tells them."""

from dataclasses import dataclass, field

from remote.protocol.results import LockRow, ProcessList, ProcessRow, Standing


@dataclass(frozen=True, slots=True)
class Process:
    """A process of a host.

    Attributes:
        start: the kernel's start time, which with the pid says which process it is; None for a foreign one.
        standing: live, orphan (its run is over or nobody supervises it), foreign (no run of ours).
        age_s: seconds. memory, gpu_memory: bytes. None where unknown.
        user, devices, log: of a foreign one: whose, what it computes on, where its output goes.
        why_not: why a foreign one is not ended from here; "" where its user may, None where nobody says.
    """

    pid: int
    start: int | None
    standing: Standing
    run_id: str
    why: str
    age_s: float | None
    memory: float | None
    gpu_memory: float | None
    command: str
    user: str = ""
    devices: str = ""
    log: str = ""
    why_not: str | None = None

    @property
    def row(self) -> str:
        """A name that another process never has."""
        return f"{self.standing}/{self.run_id}/{self.pid}/{self.start}"


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock of a host, and the run that it belongs to or that holds it."""

    name: str
    free: bool
    run_id: str
    holders: str = ""


@dataclass(frozen=True, slots=True)
class Census:
    """One answer of a host. `at`: monotonic seconds. `trouble`: why there is none."""

    at: float = 0.0
    processes: tuple[Process, ...] = ()
    locks: tuple[Lock, ...] = ()
    trouble: str = ""
    left_out: int = field(default=0)

    @property
    def orphans(self) -> tuple[Process, ...]:
        """What was left behind."""
        return tuple(process for process in self.processes if process.standing == "orphan")


def census(answer: ProcessList, at: float) -> Census:
    """What an answer says, as the screen shows it."""
    return Census(at, tuple(map(_process, answer.processes)), tuple(map(_lock, answer.locks)))


def _process(row: ProcessRow) -> Process:
    return Process(
        pid=row.pid,
        start=row.start,
        standing=row.standing,
        run_id=row.run_id or "",
        why=row.why,
        age_s=row.age_s,
        memory=row.rss,
        gpu_memory=row.gpu_mem,
        command=row.cmd or "",
        user=row.user,
        devices=", ".join(row.devices[:16]),
        log=row.log,
        why_not=row.why_not,
    )


def _lock(row: LockRow) -> Lock:
    return Lock(row.name, row.free, row.run_id or "", ", ".join(row.holders))
