"""Processes that were left behind, runs that nobody watches over, and runs that only seem to go on."""

import time
from collections.abc import Iterator

from remote.agent.context import Context
from remote.agent.processes.argument_vector import command_of
from remote.agent.processes.orphans import Member, members
from remote.protocol.finding import Finding
from trainer.run.layout import RunDir
from trainer.run.locks import is_free
from trainer.run.process.identity import is_stopped
from trainer.run.states import State, StateRecord

STARTING_S = 60.0


def check(ctx: Context, _deep: bool) -> Iterator[Finding]:
    """Findings about processes of our runs."""
    ours = members(ctx)
    for run in ctx.views.whole():
        state = ctx.views.state(run)
        mine = [member for member in ours if member.run == run]
        if state is not None:
            yield from (_over(state, mine) if state.is_terminal else _going(ctx, run, state, mine))


def _over(state: StateRecord, mine: list[Member]) -> Iterator[Finding]:
    for member in mine:
        if member.standing == "orphan":
            pid = member.identity.pid
            yield Finding(
                level="problem",
                about=state.run_id,
                what=f"pid {pid} is an orphan of {state.run_id}, which is {state.state}: {command_of(pid)}",
                why=member.why,
                remedy=f"photinus reap {state.run_id} {pid}",
            )


def _going(ctx: Context, run: RunDir, state: StateRecord, mine: list[Member]) -> Iterator[Finding]:
    if state.state is State.QUEUED:
        return
    if state.state is State.UNKILLABLE:
        yield Finding(
            level="problem",
            about=run.run_id,
            what=f"{run.run_id} survived SIGKILL: {state.reason}",
            why="a process in the kernel's hands (a driver, a dead disk) cannot be ended from outside",
            remedy="look at dmesg; where the driver does not come back, only a reboot helps",
        )
    if is_free(run.lock):
        yield from _unwatched(run, state, mine)
        return
    process = ctx.views.process(run)
    if process and process.trainer and is_stopped(process.trainer):
        pid = process.trainer.pid
        yield Finding(
            level="warning",
            about=run.run_id,
            what=f"pid {pid} of {run.run_id} is held still by SIGSTOP or Ctrl-Z",
            why="it keeps its device and does nothing",
            remedy=f"kill -CONT {pid}",
        )


def _unwatched(run: RunDir, state: StateRecord, mine: list[Member]) -> Iterator[Finding]:
    if mine:
        pids = ", ".join(str(one.identity.pid) for one in mine)
        yield Finding(
            level="problem",
            about=run.run_id,
            what=f"{run.run_id} is {state.state} and no supervisor watches over it (pid {pids})",
            why="its supervisor died; any contact tries to give it another, and did not succeed",
            remedy=f"photinus adopt {run.run_id}",
        )
    elif state.state is State.STARTING and time.time() - state.since > STARTING_S:
        yield Finding(
            level="warning",
            about=run.run_id,
            what=f"{run.run_id} was to be started and nobody does it",
            why="the agent that took the start died, or the disk was full",
            remedy=f"photinus stop {run.run_id}",
        )
