"""The verbs `stop`, `kill` and `adopt`. Only a supervisor signals its run; the agent leaves it a request."""

import contextlib
import os
import signal
import time
from collections.abc import Generator
from dataclasses import replace
from typing import Literal

from remote.agent.context import Context
from remote.agent.runs.stop_request import ask
from remote.agent.starts.contact import reconcile
from remote.agent.verb import Work
from remote.protocol.arguments import KillArgs, RunArgs, StopArgs
from remote.protocol.errors import CallError
from remote.protocol.views import EndedRun, RunView
from remote.supervisor.admission.queue import leave
from remote.supervisor.process.command_line import named
from trainer.run.control import ControlRequest
from trainer.run.disk.atomic import NO_SPACE, open_append
from trainer.run.layout import RunDir
from trainer.run.locks import Flock, is_free
from trainer.run.process.signals import send
from trainer.run.process.survivors import settled
from trainer.run.records import read_state, write_state
from trainer.run.run_errors import RunError
from trainer.run.spec import STOP_SIGNALS
from trainer.run.states import State, StateRecord

NOT_YET = ""  # the attempt has no token yet: its supervisor takes the request all the same
GRACE_S = 2.0
DEATH_S = 5.0
TAKEN_UP_S = 5.0
Level = Literal["stop", "kill"]


def stop(ctx: Context, args: StopArgs) -> Work[EndedRun]:
    """The verb: ask for a graceful end. The answer may say `stopping`; a run that is over stays as it is."""
    return (yield from _end(ctx, args, "stop", args))


def kill(ctx: Context, args: KillArgs) -> Work[EndedRun]:
    """The verb: end it now. Where no supervisor is and none could be started, the agent itself signals."""
    return (yield from _end(ctx, args, "kill"))


def adopt(ctx: Context, args: RunArgs) -> Work[RunView]:
    """The verb: give an unsupervised run a supervisor again; answers when that has recorded itself."""
    run = ctx.run(args.run_id)
    reconcile(ctx, run)
    deadline = time.monotonic() + TAKEN_UP_S
    while (view := ctx.view(run)).pid and not view.supervisor_pid and time.monotonic() < deadline:
        yield
    return view


def _end(ctx: Context, args: KillArgs, level: Level, stop: StopArgs | None = None) -> Work[EndedRun]:
    run = ctx.run(args.run_id)
    try:
        reconcile(ctx, run)
    except (RunError, OSError) as error:
        if level == "stop":
            if getattr(error, "errno", None) in NO_SPACE:
                raise
            why = f"{run.run_id} has no supervisor, and none could be started: {error}"
            raise CallError("internal", why, f"photinus kill {run.run_id}") from error
    state = read_state(run)
    if state is not None and state.is_terminal:
        ended = yield from _end_left(ctx, run, state, level)
        return EndedRun.of(ctx.view(run), ended=tuple(ended))
    if state is None or _stop_unstarted(ctx, run, args.by):
        return EndedRun.of(ctx.view(run))
    if level == "kill" and is_free(run.lock):
        yield from _kill_unsupervised(ctx, run)
        return EndedRun.of(ctx.view(run))
    record = ctx.views.process(run)
    request = ControlRequest(
        req_id=args.req_id,
        verb=level,
        attempt=state.attempt,
        token=record.token if record and record.attempt == state.attempt else NOT_YET,
        by=args.by,
        at=time.time(),
        deadline_s=stop.deadline_s if stop else None,
        again=stop.again if stop else False,
        signal=_signal(stop.signal) if stop else "",
    )
    mine = record if record and not record.is_of_a_copy(run) else None
    if (yield from ask(run, request, mine)):
        yield from _kill_unsupervised(ctx, run)
    return EndedRun.of(ctx.view(run))


def _signal(name: str) -> str:
    if name and name not in STOP_SIGNALS:
        raise CallError("bad_request", f"{name} is no stop signal", f"one of {', '.join(STOP_SIGNALS)}")
    return name


def _end_left(
    ctx: Context, run: RunDir, state: StateRecord, level: Level
) -> Generator[None, None, list[str]]:
    """What outlived a run that is over: a kill ends it and answers with its names; a stop says who it is.

    Raises:
        CallError: `refused`: something lives, and this is no kill, or it cannot be seen.
    """
    if not is_free(run.lock):
        return []  # its supervisor wrote the end and is about to leave
    left = [named(one.pid) for one in settled(run, ctx.views.process(run))]
    if not left and not is_free(run.trainer_lock):
        why = f"{run.run_id} is over ({state.state}), but what cannot be seen holds its trainer.lock"
        raise CallError("refused", why, f"as root, on the host: lsof {run.trainer_lock}")
    if left and level == "stop":
        why = f"{run.run_id} is over ({state.state}), but of it there still lives {', '.join(left)}"
        raise CallError("refused", why, f"photinus kill {run.run_id}")
    if left:
        yield from _kill_unsupervised(ctx, run)
        _tell(run, f"killed by operator, after the end of the run: {', '.join(left)}")
    return left


def _tell(run: RunDir, text: str) -> None:
    """A line in supervisor.log, where there is space for one."""
    with contextlib.suppress(OSError), os.fdopen(open_append(run.supervisor_log), "a") as log:
        log.write(f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} {text}\n")


def _stop_unstarted(ctx: Context, run: RunDir, by: str) -> bool:
    """Write `stopped` for a run that waits in line, or whose start was recorded and never carried out."""
    with ctx.critical():
        state = read_state(run)
        if state is None or state.state not in (State.QUEUED, State.STARTING):
            return False
        with Flock(run.lock) as lock:
            if not lock.take(0.0):
                return False  # a supervisor has it: it will find the request
            if state.state is State.STARTING and settled(run, ctx.views.process(run)):
                return False
            reason = f"stopped by {by or 'an operator'} before it began"
            write_state(
                run,
                state.seq,
                replace(state, state=State.STOPPED, seq=state.seq + 1, since=time.time(), reason=reason),
            )
            leave(ctx.home, run.run_id)
    return True


def _kill_unsupervised(ctx: Context, run: RunDir) -> Work[None]:
    """SIGTERM, 2 s, SIGKILL to each survivor, identity compared before every signal; then the state."""
    record = ctx.views.process(run)
    for signum, timeouts in ((signal.SIGTERM, GRACE_S), (signal.SIGKILL, DEATH_S)):
        deadline = time.monotonic() + timeouts
        for one in settled(run, record):
            send(one.identity, signum)
        while (left := settled(run, record)) and time.monotonic() < deadline:
            yield
        if not left:
            break
    else:
        pids = ", ".join(str(one.pid) for one in left)
        raise CallError(
            "timeout", f"pid {pids} of {run.run_id} did not die of SIGKILL", "look again in a minute"
        )
    with ctx.critical(), Flock(run.lock) as lock:
        state = read_state(run)
        if state is not None and not state.is_terminal and lock.take(0.0):
            killed = replace(
                state,
                state=State.FAILED,
                seq=state.seq + 1,
                since=time.time(),
                signal=int(signal.SIGKILL),
                reason="killed by operator (it had no supervisor)",
            )
            write_state(run, state.seq, killed, from_reserve=True, patience_s=0.0)
