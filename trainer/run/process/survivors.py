"""Which processes of an attempt still live, by three marks: trainer.lock, token, session id.

A spawned worker shows only by token and session, a setsid child only by token; one that left the session and
scrubbed its environment and descriptors shows by none, and is not found.

Token and session are content, and content can be copied: they count only in the folder that the attempt was
started in. A copy of the lock is another file, unless it is a hard link: of a copied folder nobody survives.
"""

import os
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from trainer.run.layout import RunDir
from trainer.run.locks import is_free
from trainer.run.logs import log_files
from trainer.run.process.identity import Identity
from trainer.run.process.kernel import ProcessReader, ProcStat
from trainer.run.process.process_record import RUN_DIR_VARIABLE, TOKEN_VARIABLE, ProcessRecord
from trainer.run.process.system_kernel import system_reader

AGREEING = 2
RESCAN_S = 0.02
UNSEEN_S = 1.0
ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Survivor:
    """A live process of a run. `found_by` holds some of `lock`, `token`, `session`, `recorded`."""

    pid: int
    identity: Identity
    found_by: tuple[str, ...]
    stat: ProcStat


def survivors(
    run: RunDir,
    record: ProcessRecord | None,
    exclude: Collection[int] = (),
    reader: ProcessReader | None = None,
) -> list[Survivor]:
    """Every live process of our own uid that belongs to the run's last attempt, oldest first.

    Zombies, this process, pid 1 and `exclude` (the supervisor's own pid) are left out.
    """
    if record is not None and record.is_of_a_copy(run):
        return []  # not even by the lock: a copy made of hard links (cp -al, a snapshot) shares that file
    reader = reader or system_reader()
    boot = reader.boot_id()
    skipped = {1, os.getpid(), *exclude}
    stats = [stat for stat in _everybody(reader) if stat.pid not in skipped]
    mine = [stat for stat in stats if stat.uid == os.geteuid() and not stat.is_zombie]
    holders = _holders(run, mine, reader)
    if record is not None and record.boot_id != boot:
        record = None
    found = []
    for stat in mine:
        marks = _marks(run, stat, record, reader)
        if stat.pid in holders:
            marks = ("lock", *marks)
        if marks:
            found.append(Survivor(stat.pid, Identity(stat.pid, stat.start, boot), marks, stat))
    return sorted(found, key=lambda one: (one.stat.start, one.pid))


def settled(
    run: RunDir,
    record: ProcessRecord | None,
    exclude: Collection[int] = (),
    reader: ProcessReader | None = None,
) -> list[Survivor]:
    """`survivors`, where an empty answer means nobody: two scans that saw none, and a free trainer.lock.

    What forks while the process table is read may be in no list of it. A lock that stays held though nobody
    is seen (by another user's process, say) ends the waiting: `is_free(run.trainer_lock)` tells.
    """
    deadline = time.monotonic() + UNSEEN_S
    empty = 0
    while empty < AGREEING:
        if found := survivors(run, record, exclude, reader):
            return found
        empty = empty + 1 if is_free(run.trainer_lock) else 0
        if empty < AGREEING:
            if time.monotonic() >= deadline:
                break
            time.sleep(RESCAN_S)
    return []


def main_process(found: list[Survivor], record: ProcessRecord) -> Survivor | None:
    """Which survivor is the trainer itself: the recorded one; if a supervisor died before it could record it,
    the leader of its own session that carries the token or the lock."""
    if record.trainer:
        return next((one for one in found if one.identity == record.trainer), None)
    leaders = (one for one in found if one.stat.session == one.pid)
    return next((one for one in leaders if {"token", "lock"} & set(one.found_by)), None)


def _holders(run: RunDir, stats: list[ProcStat], reader: ProcessReader) -> set[int]:
    """Who shares the exclusive flock on trainer.lock; where the kernel names nobody, whoever has it open."""
    try:
        lock = run.trainer_lock.stat()
    except FileNotFoundError:
        return set()
    locked = {stat.pid: reader.locks(stat.pid, lock.st_dev, lock.st_ino) for stat in stats}
    holders = {pid for pid, holds in locked.items() if holds}
    if holders or is_free(run.trainer_lock):
        return holders
    return {stat.pid for stat in stats if reader.opens(stat.pid, lock.st_dev, lock.st_ino)}


def elsewhere(run: RunDir, record: ProcessRecord, reader: ProcessReader | None = None) -> str:
    """The other folder that live processes with the record's token name; "" where none does."""
    reader = reader or system_reader()
    mark = f"{TOKEN_VARIABLE}={record.token}".encode()
    for pid in reader.pids():
        variables = reader.environ(pid).split(b"\0")
        folder = folder_in(variables) if mark in variables else None
        if folder is not None and not _is_same(folder, run.path):
            return str(folder)
    return ""


def _everybody(reader: ProcessReader) -> Iterator[ProcStat]:
    """Every process, those too that were born while the others were looked at."""
    seen: set[int] = set()
    for _ in range(ROUNDS):
        fresh = set(reader.pids()) - seen
        if not fresh:
            return
        seen |= fresh
        yield from (stat for pid in fresh if (stat := reader.stat(pid)))


def _marks(
    run: RunDir, stat: ProcStat, record: ProcessRecord | None, reader: ProcessReader
) -> tuple[str, ...]:
    if record is None:
        return ()
    marks = []
    variables = reader.environ(stat.pid).split(b"\0")
    if f"{TOKEN_VARIABLE}={record.token}".encode() in variables:
        marks.append("token")
    if record.session is not None and stat.session == record.session and _is_our_session(record, reader):
        marks.append("session")
    if record.trainer and (stat.pid, stat.start) == (record.trainer.pid, record.trainer.start):
        marks.append("recorded")
    if marks and record.place is None and not _is_of_this_folder(run, stat, variables, reader):
        return ()
    return tuple(marks)


def _is_of_this_folder(run: RunDir, stat: ProcStat, variables: list[bytes], reader: ProcessReader) -> bool:
    """For a record of an older version, which does not say where it was written: does the process?"""
    if folder_in(variables):
        return names_folder(variables, run)
    for log in log_files(run):  # it hides its environment; its output still goes where it went
        at = log.stat()
        if reader.opens(stat.pid, at.st_dev, at.st_ino):
            return True
    return False


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def names_folder(variables: list[bytes], run: RunDir) -> bool:
    """Whether an environment names this very folder as its run's."""
    folder = folder_in(variables)
    return folder is not None and _is_same(folder, run.path)


def folder_in(variables: list[bytes]) -> Path | None:
    """The run's folder that an environment names."""
    name = f"{RUN_DIR_VARIABLE}=".encode()
    found = next((one[len(name) :] for one in variables if one.startswith(name)), b"")
    return Path(os.fsdecode(found)) if found else None


def _is_our_session(record: ProcessRecord, reader: ProcessReader) -> bool:
    """Whether the id still means ours: its leader is our trainer, or is gone (members pin the number)."""
    leader = reader.stat(record.session) if record.session is not None else None
    return leader is None or (record.trainer is not None and leader.start == record.trainer.start)
