"""What the kernel says of processes, behind one name for Linux and macOS."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from trainer.run.process.kernel import ProcStat
from trainer.run.run_errors import RunError


class LinuxReader:
    """Reads `/proc` (or a copy of one, in tests)."""

    def __init__(self, proc: Path = Path("/proc")) -> None:
        self._proc = proc

    def boot_id(self) -> str:
        """`/proc/sys/kernel/random/boot_id`."""
        try:
            return (self._proc / "sys/kernel/random/boot_id").read_text().strip()
        except OSError as error:
            raise RunError(f"cannot read the boot id: {error} (is /proc mounted?)") from error

    def pids(self) -> list[int]:
        """The numeric names of `/proc`."""
        return [int(name) for name in os.listdir(self._proc) if name.isdigit()]  # noqa: PTH208

    def stat(self, pid: int) -> ProcStat | None:
        """`/proc/PID/stat` (field 22 is the start in ticks) and the real uid from `/proc/PID/status`."""
        try:
            line = (self._proc / str(pid) / "stat").read_bytes()
            status = (self._proc / str(pid) / "status").read_bytes()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            return None
        # The command in parentheses may itself hold spaces and parentheses: split after the last one.
        words = line[line.rindex(b")") + 2 :].split()
        uid = next(int(row.split()[1]) for row in status.splitlines() if row.startswith(b"Uid:"))
        return ProcStat(
            pid=pid,
            ppid=int(words[1]),
            pgrp=int(words[2]),
            session=int(words[3]),
            uid=uid,
            start=int(words[19]),
            state=_state(words[0].decode(), threads=int(words[17])),
        )

    def environ(self, pid: int) -> bytes:
        """`/proc/PID/environ`: what it was exec'ed with, unless it overwrote that."""
        return next(filter(None, (_bytes_of(path / "environ") for path in self._faces(pid))), b"")

    def opens(self, pid: int, device: int, inode: int) -> bool:
        """Whether any of `/proc/PID/fd` is this file."""
        return bool(self._descriptors(pid, device, inode))

    def locks(self, pid: int, device: int, inode: int) -> bool | None:
        """Whether the `lock:` lines of `/proc/PID/fdinfo` name an exclusive flock through this file.

        They are printed for whoever shares the open file description, so a forked worker shows too.
        """
        for path in self._descriptors(pid, device, inode):
            text = _bytes_of(path.parents[1] / "fdinfo" / path.name)
            if any(_is_exclusive_flock(row) for row in text.decode().splitlines()):
                return True
        return False

    def _faces(self, pid: int) -> Iterator[Path]:
        """Where the kernel shows a process; a first thread that has ended shows nothing, the others do."""
        place = self._proc / str(pid)
        yield place
        if _bytes_of(place / "stat").rpartition(b")")[2].split()[:1] == [b"Z"]:
            with contextlib.suppress(OSError):  # a zombie that is reaped meanwhile shows nothing at all
                yield from (place / "task" / name for name in os.listdir(place / "task") if name != str(pid))  # noqa: PTH208

    def _descriptors(self, pid: int, device: int, inode: int) -> list[Path]:
        """Those of a process that are this file."""
        return next(filter(None, (_files_at(path / "fd", device, inode) for path in self._faces(pid))), [])


def _files_at(folder: Path, device: int, inode: int) -> list[Path]:
    found = []
    try:
        names = os.listdir(folder)  # noqa: PTH208
    except OSError:
        return []
    for name in names:
        try:
            stat = os.stat(folder / name)  # noqa: PTH116
        except OSError:
            continue
        if (stat.st_dev, stat.st_ino) == (device, inode):
            found.append(folder / name)
    return found


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _state(letter: str, threads: int) -> str:
    """A process whose first thread has ended shows as a zombie while its other threads go on: it lives."""
    return "S" if letter == "Z" and threads > 1 else letter


def _is_exclusive_flock(row: str) -> bool:
    words = row.split()
    return words[:1] == ["lock:"] and "FLOCK" in words and "WRITE" in words
