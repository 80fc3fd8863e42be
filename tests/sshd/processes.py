"""Processes that a test started on a host: found by a mark in their environment, or by their parent."""

import os
import signal
from pathlib import Path

from tests.waiting import wait_until


def children_of(pid: int) -> list[int]:
    """The children of a process, of all its threads; none where it is gone."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return []


def marked(mark: str) -> list[int]:
    """Every process that has `NAME=value` in its environment and is no zombie; never ourselves."""
    found, needle = [], mark.encode()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            if needle not in (entry / "environ").read_bytes().split(b"\0"):
                continue
            if b") Z " not in (entry / "stat").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def end_marked(mark: str) -> None:
    """SIGKILL to each of them: started by this test by construction."""
    for pid in marked(mark):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    wait_until(lambda: not marked(mark), 20.0, f"the processes with {mark} to be gone")
