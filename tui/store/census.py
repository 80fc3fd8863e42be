"""Processes and locks of a host, as the verb `processes` tells them: parsed once, never guessed at."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast, get_args

from remote.protocol.errors import ProtocolError
from remote.protocol.sanitise import clean_line
from remote.protocol.views import checked

Standing = Literal["live", "orphan", "foreign"]
STANDINGS: tuple[str, ...] = get_args(Standing)
_OPTIONAL_NUMBER = (float, type(None))


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


def census(answer: Mapping[str, Any], at: float) -> Census:
    """Parse an answer.

    Raises:
        ProtocolError: it is malformed; the message names the field.
    """
    rows, locks = checked(answer, "processes", (list,)), checked(answer, "locks", (list,))
    return Census(at, tuple(_process(row) for row in rows), tuple(_lock(row) for row in locks))


def _process(raw: object) -> Process:
    if not isinstance(raw, dict):
        raise ProtocolError("a process must be an object")
    nothing = ("start", "run_id", "age_s", "rss", "gpu_mem", "cmd", "user", "log", "why_not")
    row = {**dict.fromkeys(nothing), **raw}
    standing = checked(row, "class", (str,))
    if standing not in STANDINGS:
        raise ProtocolError(f"a process of the unknown class {standing!r}")
    return Process(
        pid=checked(row, "pid", (int,)),
        start=checked(row, "start", (int, type(None))),
        standing=cast("Standing", standing),
        run_id=checked(row, "run_id", (str, type(None))) or "",
        why=checked(row, "why", (str,)),
        age_s=checked(row, "age_s", _OPTIONAL_NUMBER),
        memory=checked(row, "rss", _OPTIONAL_NUMBER),
        gpu_memory=checked(row, "gpu_mem", _OPTIONAL_NUMBER),
        command=checked(row, "cmd", (str, type(None))) or "",
        user=checked(row, "user", (str, type(None))) or "",
        devices=_words(row.get("devices")),
        log=checked(row, "log", (str, type(None))) or "",
        why_not=checked(row, "why_not", (str, type(None))),
    )


def _words(raw: object) -> str:
    return ", ".join(clean_line(str(one)) for one in raw[:16]) if isinstance(raw, list) else ""


def _lock(raw: object) -> Lock:
    if not isinstance(raw, dict):
        raise ProtocolError("a lock must be an object")
    held_by = raw.get("holders") or ()
    holders = ", ".join(clean_line(str(one)) for one in held_by) if isinstance(held_by, list) else ""
    run_id = checked({"run_id": None, **raw}, "run_id", (str, type(None))) or ""
    return Lock(checked(raw, "name", (str,)), checked(raw, "free", (bool,)), run_id, holders)
