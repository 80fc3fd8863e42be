"""What is asked of a kernel about processes, behind one name for Linux and macOS."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ProcStat:
    """One process as the kernel lists it. `state` is a letter as in ps: R S D T Z."""

    pid: int
    ppid: int
    pgrp: int
    session: int
    uid: int
    start: int
    state: str

    @property
    def is_zombie(self) -> bool:
        """Dead, not yet reaped: it holds no lock and no memory."""
        return self.state in ("Z", "X")


class ProcessReader(Protocol):
    """What is asked of a kernel. Everything of a process that is gone is None or empty."""

    def boot_id(self) -> str:
        """Random identity of this boot."""

    def pids(self) -> list[int]:
        """Every process that we may see."""

    def stat(self, pid: int) -> ProcStat | None:
        """One process."""

    def environ(self, pid: int) -> bytes:
        """Its environment as `NAME=value` joined by NUL; empty if it may not be read."""

    def opens(self, pid: int, device: int, inode: int) -> bool:
        """Whether it has this file open."""

    def locks(self, pid: int, device: int, inode: int) -> bool | None:
        """Whether it shares the exclusive flock on this file; None where the kernel does not say."""
