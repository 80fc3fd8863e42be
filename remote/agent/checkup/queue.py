"""The queue: entries that hold up nobody and yet wait for nothing, and runs that wait in no line."""

import time
from collections.abc import Iterator

from remote.agent.context import Context
from remote.agent.starts.busy import owner_of
from remote.protocol.finding import Finding
from remote.supervisor.admission.queue import is_ours
from remote.supervisor.admission.waiting_line import waiting
from trainer.run.locks import is_free
from trainer.run.run_errors import RunError
from trainer.run.states import State

PATIENCE_S = 15.0


def check(ctx: Context, _deep: bool) -> Iterator[Finding]:
    """Findings about the queue."""
    seen: set[str] = set()
    in_line: set[str] = set()
    for entry in waiting(ctx.home):
        in_line.add(entry.run_id)
        try:
            run = ctx.home.run(entry.run_id)
            state, spec = ctx.views.state(run), ctx.views.spec(run)
        except RunError as error:
            yield Finding(
                level="warning",
                about="queue",
                what=f"{entry.path.name} names no run that can be started: {error}",
                why="it is passed over, and stays where it is",
                remedy=f"rm {entry.path}",
            )
            continue
        if ctx.home.damage:
            yield Finding(
                level="note",
                about="queue",
                what=f"{run.run_id} is not started from this line",
                why="whose line this is stands in the damaged host.json",
                remedy=f"{ctx.home.move_away}, if this is no copy",
            )
            continue
        if not is_ours(ctx.home, entry):
            yield Finding(
                level="note",
                about="queue",
                what=f"{run.run_id} is not started from this line",
                why=f"it waits in the line of {ctx.home.copy_of}, of which this state root is a copy",
                remedy=f"to run it here: photinus stop {run.run_id}, then photinus resume {run.run_id}",
            )
            continue
        first = [device for device in spec.devices if device not in seen]
        seen.update(spec.devices)
        if state is None or state.state is not State.QUEUED or time.time() - state.since < PATIENCE_S:
            continue
        for device in first:
            lock = ctx.home.devices_dir / f"{device}.lock"
            if is_free(lock):
                yield Finding(
                    level="problem",
                    about="queue",
                    what=f"{run.run_id} is first in the line for {device}, which is free, and does not start",
                    why="whatever ends a run starts the next, and so does any contact: here neither did",
                    remedy=f"look at {run.supervisor_log} and at: photinus show {run.run_id}",
                )
            elif owner_of(ctx.index, ctx.views, device) is None:
                yield Finding(
                    level="warning",
                    about="queue",
                    what=f"{run.run_id} waits for {device}, which no run of ours holds",
                    why="the line cannot move until that lock is free",
                    remedy=f"see what is said of the lock of {device}",
                )
    for run in ctx.views.whole():
        state = ctx.views.state(run)
        if state is not None and state.state is State.QUEUED and run.run_id not in in_line:
            yield Finding(
                level="problem",
                about="queue",
                what=f"{run.run_id} is queued and stands in no line",
                why="its entry was removed by another hand",
                remedy=f"photinus stop {run.run_id}, then start it again",
            )
