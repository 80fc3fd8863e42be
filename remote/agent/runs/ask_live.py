"""The verbs `save` and `signal`: something is asked of a live run that does not end it; and `log-times`."""

import time
from collections.abc import Generator

from remote.agent.context import Context
from remote.agent.starts.contact import reconcile
from remote.agent.verb import Work
from remote.protocol.errors import CallError
from remote.protocol.keeping import (
    AskArgs,
    LogFile,
    LogTimesArgs,
    LogTimesList,
    SavedCheckpoint,
    SignalArgs,
    SignalSent,
)
from remote.supervisor.log_times import times_of
from trainer.run.control import SIGNALS, Ack, ControlRequest, Verb, put_request, read_ack
from trainer.run.disk.small_record import read_small
from trainer.run.layout import RunDir
from trainer.run.logs import log_files
from trainer.run.run_errors import RunError
from trainer.run.spec import RunSpec
from trainer.run.states import State

TAKEN_S = 5.0
TIMES_MAX = 8 << 20
ROWS_MAX = 4000


def save(ctx: Context, args: AskArgs) -> Work[SavedCheckpoint]:
    """The verb: a checkpoint now, and training goes on. Answers when it is proven on disk.

    Raises:
        CallError: `refused`: a command, or not running; `timeout`: no step ended meanwhile.
    """
    run, spec = _live(ctx, args.run_id)
    if spec.kind != "trainer":
        why = f"{run.run_id} is a command: how it saves is its own business"
        raise CallError("refused", why, f"photinus signal {run.run_id} USR1, where it saves on a signal")
    ack = yield from _asked(ctx, run, _request(ctx, run, args, "save"), args.patience_s)
    if ack is None:
        raise CallError(
            "timeout",
            f"{run.run_id} saved nothing in {args.patience_s:g} s",
            "wait longer (--timeout S); a run that an older Photinus began saves only when it stops",
        )
    return SavedCheckpoint(run_id=run.run_id, step=ack.step, checkpoint=ack.checkpoint, sha256=ack.sha256)


def send_signal(ctx: Context, args: SignalArgs) -> Work[SignalSent]:
    """The verb `signal`: its supervisor sends it, through a pidfd, to the first process of the run alone.

    Raises:
        CallError: `bad_request`: not one of those; `refused`: our trainer has no use for it, or not running.
    """
    run, spec = _live(ctx, args.run_id)
    name = args.signal.upper() if args.signal.upper().startswith("SIG") else f"SIG{args.signal.upper()}"
    if name not in SIGNALS:
        raise CallError(
            "bad_request", f"{name} is not sent so", f"one of {', '.join(SIGNALS)}, or photinus stop"
        )
    if spec.kind == "trainer" and name != "SIGUSR2":
        why = f"our trainer knows SIGUSR2 (its stacks, into the log), and not {name}"
        raise CallError("refused", why, f"photinus stop {run.run_id}, or photinus save {run.run_id}")
    ack = yield from _asked(ctx, run, _request(ctx, run, args, "signal", name), TAKEN_S)
    if ack is None:
        why = f"the supervisor of {run.run_id} did not take it in {TAKEN_S:g} s"
        raise CallError(
            "timeout", why, "one that an older Photinus began takes none: stop and resume the run"
        )
    return SignalSent(run_id=run.run_id, signal=name)


def log_times(ctx: Context, args: LogTimesArgs) -> LogTimesList:
    """The verb: of each file of a run's log its size, its attempt and when it grew; None where unknown."""
    run = ctx.run(args.run_id)
    files = []
    for path in log_files(run)[-200:]:
        attempt, rows = _read_times(run, path.name)
        found = path.stat()
        if rows and found.st_size > rows[-1][1]:
            rows.append((found.st_mtime, found.st_size))  # it grew since it was looked at
        begin = next((size for at, size in reversed(rows) if at < args.since), 0) if args.since else 0
        files.append(
            LogFile(
                file=path.name,
                bytes=found.st_size,
                attempt=attempt,
                first=rows[0][0] if rows else None,
                last=rows[-1][0] if rows else None,
                since=begin,
            )
        )
    return LogTimesList(files=files, dir=str(run.log_dir), wall=time.time())


def _read_times(run: RunDir, name: str) -> tuple[int | None, list[tuple[float, int]]]:
    """What was noted of a file; a torn line is passed over."""
    try:
        data = read_small(times_of(run.log_dir / name), TIMES_MAX, ours=True) or b""
    except (RunError, OSError):
        return None, []
    attempt: int | None = None
    rows: list[tuple[float, int]] = []
    for line in data.splitlines():
        try:
            first, second = line.split()
            if first == b"attempt":
                attempt = min(int(second), 1 << 53)
            elif 0 <= (at := float(first)) < 1e11 and 0 <= (size := int(second)) < 1 << 62:
                rows.append((at, size))
        except ValueError:
            continue
    return attempt, rows


def _live(ctx: Context, run_id: str) -> tuple[RunDir, RunSpec]:
    run = ctx.run(run_id)
    state = reconcile(ctx, run)
    if state.state not in (State.RUNNING, State.STARTING):
        raise CallError(
            "refused", f"{run_id} is {state.state}: it is not running", f"photinus resume {run_id}"
        )
    return run, ctx.views.spec(run)


def _request(ctx: Context, run: RunDir, args: AskArgs, verb: Verb, name: str = "") -> ControlRequest:
    process = ctx.views.process(run)
    if process is None:
        raise CallError("refused", f"{run.run_id} has not begun yet", "try again in a moment")
    return ControlRequest(
        req_id=args.req_id,
        verb=verb,
        attempt=process.attempt,
        token=process.token,
        by=args.by,
        at=time.time(),
        signal=name,
    )


def _asked(
    ctx: Context, run: RunDir, request: ControlRequest, patience_s: float
) -> Generator[None, None, Ack | None]:
    """The answer to a request; None where none came in time. One that comes later stands in its file."""
    put_request(run, request)
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if (ack := read_ack(run, request.req_id)) is not None:
            return ack
        state = ctx.views.state(run)
        if state is None or state.is_terminal:
            ended = state.state if state else "gone"
            raise CallError("refused", f"{run.run_id} is {ended} meanwhile", f"photinus show {run.run_id}")
        yield
    return None
