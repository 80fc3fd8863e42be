"""One attempt from hello to its last word. torch is imported late, after everything that can fail fast."""

import errno
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from trainer.checkpoints.compare import differences, refusal
from trainer.checkpoints.origin import find_origin
from trainer.device.operators import missing_operator
from trainer.job.environment import granted_threads, prepare_environment
from trainer.job.job import Assignment, Job, Origin
from trainer.job.log_rotation import OwnLog
from trainer.job.outcome import AttemptEnd, DivergedError, ExitCode, Ledger, RefusedError, StoppedError
from trainer.job.reason import bounded, reason_of, trace_of
from trainer.job.reporter import RunReporter
from trainer.job.stop import Stop
from trainer.run.changes import ORIGIN
from trainer.run.checkpoints.manifest import IMPORTED
from trainer.run.disk.atomic import NO_SPACE, make_reserve, read_json
from trainer.run.layout import RunDir
from trainer.run.records import ExitRecord, write_exit, write_hello
from trainer.run.requirements import REMEDY, missing_for_training, torch_warning
from trainer.telemetry.write import EventWriter
from trainer.user_error import UserError

Work: TypeAlias = Callable[[Job], None]


def training() -> Work:
    """Return the story of a run of so many steps. torch comes with it."""
    from trainer.loop.train import train

    return train


def carry_out(assignment: Assignment, stop: Stop, story: Callable[[], Work] = training) -> ExitCode:
    """Carry out an assignment and leave its last word in `exit.json`. The caller holds the trainer's lock.

    Args:
        story: returns what the attempt does with its job; called once everything that can fail fast has not.
    """
    ledger = Ledger()
    run = assignment.run
    try:
        run.create()
        stop.watch(run, assignment.attempt, assignment.token, assignment.rank.launcher)
        make_reserve(run.reserve)
        write_hello(run, assignment.attempt, assignment.token, os.getpid())
        with EventWriter(run.events, assignment.attempt) as events:
            reporter = RunReporter(events, OwnLog(run, assignment.config.log.max_bytes))
            ending = _judge(lambda: _work(assignment, stop, reporter, ledger, story), stop)
            _last_words(reporter, ending, ledger)
            if ending.outcome != "failed":
                stop.acknowledge(ledger)
    except OSError as error:
        ending = AttemptEnd("failed", _disk_reason(error), ExitCode.FAILURE)
        print(f"Error: {ending.reason}", file=sys.stderr, flush=True)
    _leave_exit(assignment, ending, ledger)
    return ending.code


def _work(
    assignment: Assignment, stop: Stop, reporter: RunReporter, ledger: Ledger, story: Callable[[], Work]
) -> None:
    config, resolved = assignment.config, assignment.resolved
    reporter.events.hello(
        name=assignment.name,
        preset=resolved.preset,
        max_steps=config.steps,
        device=assignment.device,
        pid=os.getpid(),
    )
    origin = _origin(assignment, reporter)
    if origin:
        ledger.step = origin.manifest.step
        if origin.path.parent == assignment.run.checkpoints:
            ledger.at_checkpoint(origin.manifest.step, origin.path.name, origin.sha256)
        _refuse_hopeless(assignment, origin)
    threads = _threads(assignment, origin)
    reporter.events.phase("loading", detail="importing torch")
    if assignment.rank.size == 1:
        stop.check()  # of several, the others must be met first, and dismissed
    if missing := missing_for_training():
        raise RefusedError(f"{', '.join(missing)} is missing: {REMEDY}")
    if warning := torch_warning():
        reporter.note(warning, "warning")
    prepare_environment(deterministic=config.deterministic == "on")
    job = Job(
        assignment=assignment, origin=origin, stop=stop, reporter=reporter, ledger=ledger, threads=threads
    )
    story()(job)


def _origin(assignment: Assignment, reporter: RunReporter) -> Origin | None:
    if not assignment.source and not assignment.parent:
        return None
    origin = None
    for source in filter(None, (assignment.source, str(assignment.parent or ""))):
        origin = origin or find_origin(assignment.run, source, lambda text: reporter.note(text, "warning"))
    if origin is None:
        _refuse_loss(assignment.run)
        reporter.note("no checkpoint to resume from: starting at step 0")
    return origin


def _refuse_loss(run: RunDir) -> None:
    """Refuse to begin anew, unasked, where an attempt before left a checkpoint and none is whole any more."""
    last = read_json(run.exit)
    if isinstance(last, dict) and last.get("checkpoint"):
        raise RefusedError(
            f"{run.path.name} had saved {last['checkpoint']}, and none of its checkpoints is whole any more: "
            "bring one back (`photinus-train checkpoints restore RUN` has what was let go), or say --fresh "
            "to begin at step 0"
        )


def _refuse_hopeless(assignment: Assignment, origin: Origin) -> None:
    """Refuse zero steps, and a configuration under which the checkpoint would become another run."""
    step, steps = origin.manifest.step, assignment.config.steps
    if origin.manifest.kind == IMPORTED:
        raise RefusedError(
            f"{origin.path.name} was imported: it holds weights and no optimizer, so nothing can go on with "
            "it; begin a new lineage with them: --init-from, or --set init_from=..."
        )
    if step >= steps:
        raise RefusedError(
            f"{origin.path.name} is at step {step} of {steps}: no step is left to do; "
            f"ask for more with --set steps=N, N > {step}"
        )
    asked = {key for key, source in assignment.resolved.origins.items() if source in ("--set", ORIGIN)}
    if lines := differences(origin.manifest.raw, assignment.config, asked):
        raise RefusedError(refusal(origin.path.name, lines, supervised=bool(assignment.token)))


def _threads(assignment: Assignment, origin: Origin | None) -> int:
    """The threads asked for, else those the run began with, else what the host grants."""
    stored = int(origin.manifest.raw.get("threads", 0)) if origin else 0
    return assignment.config.threads or stored or max(1, granted_threads() // assignment.rank.size)


def _judge(work: Callable[[], None], stop: Stop) -> AttemptEnd:
    """Do the work and say how it ended, in a reason that a screen holds."""
    ending = _ending(work, stop)
    return replace(ending, reason=bounded(ending.reason))


def _ending(work: Callable[[], None], stop: Stop) -> AttemptEnd:
    """Nothing is swallowed: what was not expected leaves its traceback."""
    try:
        work()
    except StoppedError:
        return AttemptEnd("stopped", stop.reason, ExitCode.OK)
    except UserError as error:
        return AttemptEnd("failed", str(error), ExitCode(error.exit_code), isinstance(error, DivergedError))
    except OSError as error:
        return AttemptEnd("failed", _disk_reason(error), ExitCode.FAILURE)
    except Exception as error:  # the last word must be written whatever happened
        print(trace_of(error), file=sys.stderr, flush=True)
        return AttemptEnd("failed", missing_operator(error) or reason_of(error), ExitCode.FAILURE)
    return AttemptEnd("succeeded", "", ExitCode.OK)


def _disk_reason(error: OSError) -> str:
    full = error.errno in NO_SPACE or "os error 28" in str(error)
    where = f" ({Path(str(error.filename)).name})" if error.filename else ""
    if full:
        return f"the disk is full{where}; free some space, then resume from the last checkpoint"
    code = errno.errorcode.get(error.errno or 0, "")
    return f"{code or type(error).__name__}: {error}"


def _last_words(reporter: RunReporter, ending: AttemptEnd, ledger: Ledger) -> None:
    if ending.outcome == "failed":
        print(f"Error: {ending.reason}", file=sys.stderr, flush=True)
        reporter.events.note(ending.reason, "error", ledger.step)
        reporter.events.phase("failed", ledger.step, ending.reason)
    else:
        if ending.outcome == "stopped":
            reporter.say(f"Training Stopped: {ending.reason}; {_standing(ledger)}")
        reporter.events.phase("finished", ledger.step, ending.outcome)


def _standing(ledger: Ledger) -> str:
    return (
        f"step {ledger.step}, {ledger.checkpoint}"
        if ledger.checkpoint
        else "before the first step, no checkpoint"
    )


def _leave_exit(assignment: Assignment, ending: AttemptEnd, ledger: Ledger) -> None:
    record = ExitRecord(
        attempt=assignment.attempt,
        token=assignment.token,
        outcome=ending.outcome,
        reason=ending.reason,
        steps_done=ledger.steps_done,
        hopeless=ending.hopeless,
        at=time.time(),
        **ledger.standing(),
    )
    write_exit(assignment.run, record)
