"""A supervisor's whole life: attempts, restarts between them, the terminal state, the locks."""

import contextlib
import json
import os
import time
from dataclasses import replace

from remote.supervisor.attempt import adopt, never_started, run_attempt
from remote.supervisor.attempt_outcome import AttemptOutcome
from remote.supervisor.progress import events_size, lived_s, made_progress
from remote.supervisor.restart_policy import Retry, retry_for, why_not_again
from remote.supervisor.supervisor_context import SupervisorContext, last_word
from trainer.run.checkpoints.manifest import newest_valid
from trainer.run.disk.atomic import open_append
from trainer.run.secrets import masked_text
from trainer.run.states import State

AUDIT = "audit.jsonl"  # as `remote.audit` calls and reads it
REASON_MAX = 500


def supervise(ctx: SupervisorContext) -> None:
    """Run attempts until one ending stands, write it, and only then let the locks go.

    Raises:
        OSError: the disk stayed full; the next agent contact judges the run by its last word.
    """
    before = 0 if ctx.job.adopt else events_size(ctx.run)
    outcome = adopt(ctx) if ctx.job.adopt else run_attempt(ctx, ctx.job.attempt, ctx.job.resume_from)
    earlier: tuple[str, int] | None = None
    while True:
        outcome, earlier = _compared(ctx, outcome, earlier)
        retry = _retry(ctx, outcome, before)
        if retry is None:
            why = why_not_again(ctx.spec, outcome, asked=ctx.inbox.is_asked)
            outcome = replace(outcome, reason="; ".join(filter(None, (outcome.reason, why))))
            break
        interrupted = _back_off(ctx, outcome, retry)
        if interrupted:
            outcome = interrupted
            break
        before = events_size(ctx.run)
        outcome = run_attempt(ctx, ctx.writer.record.attempt + 1, newest(ctx))
    finish(ctx, outcome)


def _compared(
    ctx: SupervisorContext, outcome: AttemptOutcome, earlier: tuple[str, int] | None
) -> tuple[AttemptOutcome, tuple[str, int] | None]:
    """A trainer that says the same of the same step twice will say it for ever: nothing is random there."""
    word = last_word(ctx)
    if outcome.state is not State.FAILED or word is None or word.outcome != "failed":
        return outcome, None
    now = (word.reason, word.step)
    return (replace(outcome, hopeless=True) if now == earlier else outcome), now


def finish(ctx: SupervisorContext, outcome: AttemptOutcome) -> None:
    """Answers, then the terminal state, fsynced; then the locks. On a full disk the state matters most."""
    try:
        ctx.inbox.answer(last_word(ctx))
    except OSError as error:
        ctx.log(f"requests could not be acknowledged: {error}")
    ctx.writer.close(
        outcome.state, outcome.reason, ctx.timeouts.disk_full_s, code=outcome.code, signal=outcome.signal
    )
    if outcome.state is State.FAILED:
        _audit(ctx, outcome)
    for lock in ctx.job.locks.values():
        lock.close()


def _audit(ctx: SupervisorContext, outcome: AttemptOutcome) -> None:
    """A failure and its evidence in the host's audit log, beside what people asked for: one more line."""
    line = {
        "at": round(time.time(), 3),
        "who": f"the supervisor ({ctx.me.pid})",
        "verb": "ended",
        "run": ctx.run.run_id,
        "host": "",
        "args": {"run_id": ctx.run.run_id, "attempt": ctx.writer.record.attempt},
        "outcome": str(outcome.state),
        "said": masked_text(outcome.reason)[:REASON_MAX],
    }
    with contextlib.suppress(OSError), os.fdopen(open_append(ctx.job.home.root / AUDIT), "ab") as log:
        log.write(json.dumps(line).encode("ascii") + b"\n")


def newest(ctx: SupervisorContext) -> str:
    """The checkpoint that a restart continues from; "" starts over."""
    if ctx.spec.kind == "command":
        return ""
    found = newest_valid(ctx.run.checkpoints, ctx.log)
    return found.name if found else ""


def _retry(ctx: SupervisorContext, outcome: AttemptOutcome, before: int) -> Retry | None:
    ctx.inbox.look()
    if not set(ctx.spec.devices) <= set(ctx.job.locks):
        return None  # adopted while another run had its device
    return retry_for(
        ctx.spec,
        outcome,
        asked=ctx.inbox.is_asked,
        progressed=_progressed(ctx, before),
        spent=ctx.writer.record.restarts,
        cap_s=ctx.timeouts.backoff_cap_s,
        lived_s=lived_s(ctx.run),
    )


def _progressed(ctx: SupervisorContext, before: int) -> bool:
    """A command's steps are unknown: it counts as having made some."""
    return ctx.spec.kind == "command" or made_progress(ctx.run, ctx.writer.record.attempt, before)


def _back_off(ctx: SupervisorContext, outcome: AttemptOutcome, retry: Retry) -> AttemptOutcome | None:
    """Wait before the next attempt; an ending at once if an operator asks for one meanwhile."""
    spent = f"{retry.spent} of {ctx.spec.restart.max}"
    words = f"{outcome.reason or outcome.state}; restart in {retry.delay_s:g} s ({spent})"
    ctx.log(words)
    ctx.writer.to(State.STARTING, words, restarts=retry.spent, code=outcome.code, signal=outcome.signal)
    deadline = time.monotonic() + retry.delay_s
    while time.monotonic() < deadline:
        ctx.inbox.look()
        if ctx.inbox.is_asked:
            return never_started(ctx, "while it waited to be started again")
        ctx.writer.settle()
        time.sleep(min(ctx.timeouts.poll_s, max(0.0, deadline - time.monotonic())))
    return None
