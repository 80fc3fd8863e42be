"""Locks that are held and should not be: by whom, and what would free them."""

import time
from collections.abc import Iterator
from pathlib import Path

from remote.agent.context import Context
from remote.agent.processes.lock_holders import Holder, holders
from remote.agent.processes.orphans import Member, members
from remote.agent.starts.busy import owner_of
from remote.protocol.finding import Finding
from trainer.run.locks import is_free

PROBES = 5
PROBE_EVERY_S = 0.1
ENDING_S = 5.0


def check(ctx: Context, _deep: bool) -> Iterator[Finding]:
    """Findings about agent.lock, the devices' locks and the runs' own."""
    ours = {member.identity.pid: member for member in members(ctx)}
    yield from _agent(ctx)
    yield from _devices(ctx, ours)
    yield from _runs(ctx, ours)


def _agent(ctx: Context) -> Iterator[Finding]:
    path = ctx.home.agent_lock
    for _ in range(PROBES):
        if is_free(path):
            return
        time.sleep(PROBE_EVERY_S)
    who = _names(holders(path))
    yield Finding(
        level="problem",
        about="lock agent",
        what=f"agent.lock is held all the time, by {who}",
        why="every start and stop waits for it; it is meant to be held for some milliseconds",
        remedy="if that process hangs, end it: the lock ends with it, and no run does",
    )


def _devices(ctx: Context, ours: dict[int, Member]) -> Iterator[Finding]:
    for path in sorted(ctx.home.devices_dir.glob("*.lock")):
        if is_free(path) or owner_of(ctx.index, ctx.views, path.stem) is not None:
            continue
        yield _stale(path, path.stem, f"lock {path.stem}", ours)


def _runs(ctx: Context, ours: dict[int, Member]) -> Iterator[Finding]:
    for run in ctx.views.whole():
        state = ctx.views.state(run)
        if state is None or not state.is_terminal or time.time() - state.since < ENDING_S:
            continue
        if not is_free(run.lock):
            yield _stale(run.lock, run.run_id, run.run_id, ours)
        if not is_free(run.trainer_lock):
            yield _stale(run.trainer_lock, f"{run.run_id} (its trainer's lock)", run.run_id, ours)


def _stale(path: Path, name: str, about: str, ours: dict[int, Member]) -> Finding:
    found = holders(path)
    survivor = next((ours[one.pid] for one in found if one.pid in ours), None)
    if survivor is not None:
        run_id, pid = survivor.run.run_id, survivor.identity.pid
        return Finding(
            level="problem",
            about=about,
            what=f"the lock of {name} is held by a survivor: pid {pid} of run {run_id}",
            why=f"{survivor.why}; a lock ends with the last process that inherited it",
            remedy=f"photinus reap {run_id} {pid}"
            if survivor.standing == "orphan"
            else f"photinus kill {run_id}",
        )
    if found:
        return Finding(
            level="problem",
            about=about,
            what=f"the lock of {name} is held by {_names(found)}, which is no run that is known here",
            why="it carries no run's token: it is shown, and never touched",
            remedy=f"if it is yours and not wanted: kill {found[0].pid}",
        )
    return Finding(
        level="problem",
        about=about,
        what=f"the lock of {name} is held by nobody that can be seen",
        why="its holder belongs to another user or another container",
        remedy=f"sudo lsof {path}",
    )


def _names(found: list[Holder]) -> str:
    return ", ".join(map(str, found[:3])) or "a process that cannot be seen"
