"""Where the processes of a stalled attempt stand, written down before they are ended."""

import contextlib
import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

from remote.supervisor.log import Log
from remote.supervisor.process.command_line import named
from remote.supervisor.process.termination import deliver
from trainer.run.layout import RunDir
from trainer.run.process.survivors import Survivor

DUMP_SIGNAL = signal.SIGUSR2  # our trainer has Python's faulthandler on it; SIGUSR1 is NCCL's
THREADS_MAX = 64
WRITING = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
FACTS = ("wchan", "syscall", "stack")


def record_stacks(run: RunDir, number: int, why: str, found: Sequence[Survivor], log: Log) -> str:
    """Write what the kernel tells of each thread into a file of the run; its name, "" if that failed.

    Whoever catches the dump signal adds its own stacks to the log. Nobody else gets it: it would end him.
    """
    name = f"stacks-{number:03d}.txt"
    lines = [f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} {why}"]
    for one in found:
        lines += ["", f"{named(one.pid)}, state {one.stat.state}", *_threads(one.pid)]
        if catches(one.pid, DUMP_SIGNAL):
            lines.append(f"  its own stacks are in the log, after {DUMP_SIGNAL.name}")
    try:
        fd = os.open(run.path / name, WRITING, 0o600)
        with os.fdopen(fd, "w", encoding="utf-8", errors="replace") as file:
            file.write("\n".join(lines) + "\n")
    except OSError as error:
        log(f"the stacks could not be written: {error}")
        name = ""
    for one in found:
        if catches(one.pid, DUMP_SIGNAL):
            deliver(one.identity, DUMP_SIGNAL, log)
    return name


def catches(pid: int, signum: signal.Signals, proc: Path = Path("/proc")) -> bool:
    """Whether a process has a handler for a signal; False where the kernel does not say (macOS)."""
    with contextlib.suppress(OSError, ValueError):
        for line in (proc / str(pid) / "status").read_text().splitlines():
            if line.startswith("SigCgt:"):
                return bool(int(line.split()[1], 16) >> (signum - 1) & 1)
    return False


def _threads(pid: int) -> list[str]:
    """Name and state of each thread, and in which call of the kernel it is."""
    lines = []
    folder = Path(f"/proc/{pid}/task")
    with contextlib.suppress(OSError):
        for task in sorted(folder.iterdir(), key=lambda path: int(path.name))[:THREADS_MAX]:
            lines.append(f"  thread {task.name} {_read(task / 'comm')}")
            lines += [f"    {fact} {text}" for fact in FACTS if (text := _read(task / fact))]
    return lines


def _read(path: Path) -> str:
    try:
        return " | ".join(path.read_text(errors="replace").split("\n")).strip(" |")
    except OSError:
        return ""
