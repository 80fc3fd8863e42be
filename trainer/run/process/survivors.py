"""Which processes of an attempt still live, by three marks: trainer.lock, token, session id.

A spawned worker shows only by token and session, a setsid child only by token; one that left the session and
scrubbed its environment and descriptors shows by none, and is not found.
"""

import os
from collections.abc import Collection
from dataclasses import dataclass

from trainer.run.layout import RunDir
from trainer.run.locks import is_free
from trainer.run.process.identity import Identity
from trainer.run.process.kernel import ProcessReader, ProcStat
from trainer.run.process.process_record import TOKEN_VARIABLE, ProcessRecord
from trainer.run.process.system_kernel import system_reader


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
    reader = reader or system_reader()
    boot = reader.boot_id()
    skipped = {1, os.getpid(), *exclude}
    stats = [stat for pid in reader.pids() if pid not in skipped and (stat := reader.stat(pid))]
    mine = [stat for stat in stats if stat.uid == os.geteuid() and not stat.is_zombie]
    holders = _holders(run, mine, reader)
    found = []
    for stat in mine:
        marks = _marks(stat, record if record and record.boot_id == boot else None, reader)
        if stat.pid in holders:
            marks = ("lock", *marks)
        if marks:
            found.append(Survivor(stat.pid, Identity(stat.pid, stat.start, boot), marks, stat))
    return sorted(found, key=lambda one: (one.stat.start, one.pid))


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
    says = {stat.pid: reader.locks(stat.pid, lock.st_dev, lock.st_ino) for stat in stats}
    holders = {pid for pid, holds in says.items() if holds}
    if holders or is_free(run.trainer_lock):
        return holders
    return {stat.pid for stat in stats if reader.opens(stat.pid, lock.st_dev, lock.st_ino)}


def _marks(stat: ProcStat, record: ProcessRecord | None, reader: ProcessReader) -> tuple[str, ...]:
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
    return tuple(marks)


def _is_our_session(record: ProcessRecord, reader: ProcessReader) -> bool:
    """Whether the id still means ours: its leader is our trainer, or is gone (members pin the number)."""
    leader = reader.stat(record.session) if record.session is not None else None
    return leader is None or (record.trainer is not None and leader.start == record.trainer.start)
