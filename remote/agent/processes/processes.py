"""The verbs `processes` and `reap`: what lives, what was left behind, and what is not ours to touch."""

import os
import signal
import stat
import time
from pathlib import Path
from typing import Any

import psutil

from remote.agent.background import in_thread
from remote.agent.context import Context
from remote.agent.processes.orphans import Member, members, orphans
from remote.agent.processes.stale import stranger_row
from remote.agent.processes.strangers import strangers
from remote.agent.verb import Work
from remote.protocol.arguments import NoArgs, ReapArgs
from remote.protocol.errors import CallError
from remote.protocol.results import LockRow, ProcessList, ProcessRow, Reaped
from trainer.run.layout import RunDir
from trainer.run.locks import is_free
from trainer.run.process.identity import Identity, is_alive
from trainer.run.process.signals import RefusedSignalError, send
from trainer.run.run_errors import RunError
from trainer.run.spec import RunSpec

GRACE_S = 2.0
DEATH_S = 5.0
COMMAND_MAX = 300


def processes(ctx: Context, _args: NoArgs) -> Work[ProcessList]:
    """The verb. It looks on a thread of its own: a host has thousands of processes, and a driver may hang."""
    return (yield from in_thread(lambda: listing(ctx)))


def listing(ctx: Context) -> ProcessList:
    """Every process of a run, what looks like training without being one, and every lock."""
    ours = members(ctx)
    mine = {member.identity.pid for member in ours}
    return ProcessList(
        processes=[_member_row(member) for member in ours] + _foreign_rows(ctx, mine), locks=_locks(ctx)
    )


def reap(ctx: Context, args: ReapArgs) -> Work[Reaped]:
    """The verb: end one orphan, if it still is that process and an orphan; SIGTERM, 2 s, SIGKILL.

    Raises:
        CallError: `refused`: it is no orphan of that run; `timeout`: it would not die.
    """
    run = ctx.run(args.run_id)
    member = _orphan(ctx, run.run_id, args.pid, args.start)
    for signum, timeouts in ((signal.SIGTERM, GRACE_S), (signal.SIGKILL, DEATH_S)):
        _orphan(ctx, run.run_id, args.pid, args.start)
        try:
            send(member.identity, signum)
        except RefusedSignalError as error:
            raise CallError("refused", str(error)) from error
        deadline = time.monotonic() + timeouts
        while time.monotonic() < deadline:
            if not is_alive(member.identity):
                return Reaped(pid=member.identity.pid, signal=int(signum))
            yield
    raise CallError("timeout", f"pid {member.identity.pid} did not die of SIGKILL", "look again in a minute")


def _orphan(ctx: Context, run_id: str, pid: int, start: int) -> Member:
    for member in orphans(ctx):
        identity: Identity = member.identity
        if (member.run.run_id, identity.pid, identity.start) == (run_id, pid, start):
            return member
    raise CallError(
        "refused", f"pid {pid} is no orphan of {run_id} (any more)", "look at photinus processes again"
    )


def _member_row(member: Member) -> ProcessRow:
    return ProcessRow(
        pid=member.identity.pid,
        start=member.identity.start,
        standing=member.standing,
        run_id=member.run.run_id,
        why=member.why,
        **_measured(member.identity.pid),
    )


def _measured(pid: int) -> dict[str, Any]:
    """Age, memory and command; null where they cannot be read."""
    row: dict[str, Any] = {"age_s": None, "rss": None, "cmd": None}
    try:
        process = psutil.Process(pid)
        with process.oneshot():
            row["cmd"] = " ".join(process.cmdline())[:COMMAND_MAX]
            row["age_s"] = max(0.0, time.time() - process.create_time())
            row["rss"] = process.memory_info().rss
    except (psutil.Error, OSError):
        return row
    return row


def _foreign_rows(ctx: Context, ours: set[int]) -> list[ProcessRow]:
    """Who computes here and is no run of ours: of our own user, of another, of another state root."""
    return [
        stranger_row(one, log_of(one.stat.pid) if one.is_mine else "", **_measured(one.stat.pid))
        for one in strangers(ctx.home, skip=ours)
    ]


def log_of(pid: int) -> str:
    """The plain file of this user that its output goes to, for `watch`; empty where it is none, or unknown.

    By this name there must be the very file that is open: one that took its place is another's words.
    """
    output = f"/proc/{pid}/fd/1"
    try:
        path = os.readlink(output)  # noqa: PTH115  no file need be there
        named, opened = os.stat(path), os.stat(output)  # noqa: PTH116
    except (OSError, ValueError):
        return ""
    is_mine = stat.S_ISREG(opened.st_mode) and opened.st_uid == os.geteuid()
    return path if is_mine and path.startswith("/") and os.path.samestat(named, opened) else ""


def _spec(ctx: Context, run: RunDir) -> RunSpec | None:
    """What a run runs; None where that cannot be read: its locks are shown all the same."""
    try:
        return ctx.views.spec(run)
    except (RunError, OSError):
        return None


def _locks(ctx: Context) -> list[LockRow]:
    """Every device lock, agent.lock, and the lock of each run that is held or should be."""
    rows = [LockRow(name="agent", free=_is_free(ctx.home.agent_lock), run_id=None)]
    holders: dict[str, str] = {}
    for run in ctx.index.known:
        is_over, free = run.run_id in ctx.index.finished, _is_free(run.lock)
        if is_over and free and _is_free(run.trainer_lock):
            continue
        spec = _spec(ctx, run)
        if not free and spec is not None:
            holders.update(dict.fromkeys(spec.devices, run.run_id))
        rows.append(LockRow(name=f"runs/{run.run_id}", free=free, run_id=run.run_id))
        rows.append(
            LockRow(name=f"runs/{run.run_id}/trainer", free=_is_free(run.trainer_lock), run_id=run.run_id)
        )
    for path in sorted(ctx.home.devices_dir.glob("*.lock")):
        free = _is_free(path)
        owner = None if free else holders.get(path.stem)
        rows.append(LockRow(name=f"devices/{path.stem}", free=free, run_id=owner))
    return rows


def _is_free(lock: Path) -> bool:
    """What is no lock (a link, a folder) is not free: nothing can take it, and the doctor names it."""
    try:
        return is_free(lock)
    except OSError:
        return False
