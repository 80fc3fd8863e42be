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
from trainer.run.atomic import open_append
from trainer.run.checkpoints.manifest import newest_valid
from trainer.run.states import State

AUDIT = "audit.jsonl"  # as `remote.audit` calls and reads it
SAID_MAX = 500


def supervise(post: SupervisorContext) -> None:
    """Run attempts until one ending stands, write it, and only then let the locks go.

    Raises:
        OSError: the disk stayed full; the next agent contact judges the run by its last word.
    """
    before = 0 if post.job.adopt else events_size(post.run)
    outcome = adopt(post) if post.job.adopt else run_attempt(post, post.job.attempt, post.job.resume_from)
    earlier: tuple[str, int] | None = None
    while True:
        outcome, earlier = _compared(post, outcome, earlier)
        retry = _retry(post, outcome, before)
        if retry is None:
            why = why_not_again(post.spec, outcome, asked=post.desk.is_asked)
            outcome = replace(outcome, reason="; ".join(filter(None, (outcome.reason, why))))
            break
        interrupted = _back_off(post, outcome, retry)
        if interrupted:
            outcome = interrupted
            break
        before = events_size(post.run)
        outcome = run_attempt(post, post.journal.record.attempt + 1, newest(post))
    finish(post, outcome)


def _compared(
    post: SupervisorContext, outcome: AttemptOutcome, earlier: tuple[str, int] | None
) -> tuple[AttemptOutcome, tuple[str, int] | None]:
    """A trainer that says the same of the same step twice will say it for ever: nothing is random there."""
    word = last_word(post)
    if outcome.state is not State.FAILED or word is None or word.outcome != "failed":
        return outcome, None
    now = (word.reason, word.step)
    return (replace(outcome, hopeless=True) if now == earlier else outcome), now


def finish(post: SupervisorContext, outcome: AttemptOutcome) -> None:
    """Answers, then the terminal state, fsynced; then the locks. On a full disk the state matters most."""
    try:
        post.desk.answer(last_word(post))
    except OSError as error:
        post.talk(f"requests could not be acknowledged: {error}")
    post.journal.close(
        outcome.state, outcome.reason, post.patience.disk_full_s, code=outcome.code, signal=outcome.signal
    )
    if outcome.state is State.FAILED and not post.desk.kill_reason:  # a kill stands there as it was asked for
        _audit(post, outcome)
    for lock in post.job.locks.values():
        lock.close()


def _audit(post: SupervisorContext, outcome: AttemptOutcome) -> None:
    """A failure and its evidence in the host's audit log, beside what people asked for: one more line."""
    line = {
        "at": round(time.time(), 3),
        "who": f"the supervisor ({post.me.pid})",
        "verb": "ended",
        "run": post.run.run_id,
        "host": "",
        "args": {"run_id": post.run.run_id, "attempt": post.journal.record.attempt},
        "outcome": str(outcome.state),
        "said": outcome.reason[:SAID_MAX],
    }
    with contextlib.suppress(OSError), os.fdopen(open_append(post.job.home.root / AUDIT), "ab") as log:
        log.write(json.dumps(line).encode("ascii") + b"\n")


def newest(post: SupervisorContext) -> str:
    """The checkpoint that a restart continues from; "" starts over."""
    if post.spec.kind == "command":
        return ""
    found = newest_valid(post.run.checkpoints, post.talk)
    return found.name if found else ""


def _retry(post: SupervisorContext, outcome: AttemptOutcome, before: int) -> Retry | None:
    post.desk.look()
    if not set(post.spec.devices) <= set(post.job.locks):
        return None  # adopted while another run had its device
    return retry_for(
        post.spec,
        outcome,
        asked=post.desk.is_asked,
        progressed=_progressed(post, before),
        spent=post.journal.record.restarts,
        cap_s=post.patience.backoff_cap_s,
        lived_s=lived_s(post.run),
    )


def _progressed(post: SupervisorContext, before: int) -> bool:
    """A command's steps are unknown: it counts as having made some."""
    return post.spec.kind == "command" or made_progress(post.run, post.journal.record.attempt, before)


def _back_off(post: SupervisorContext, outcome: AttemptOutcome, retry: Retry) -> AttemptOutcome | None:
    """Wait before the next attempt; an ending at once if an operator asks for one meanwhile."""
    spent = f"{retry.spent} of {post.spec.restart.max}"
    words = f"{outcome.reason or outcome.state}; restart in {retry.delay_s:g} s ({spent})"
    post.talk(words)
    post.journal.to(State.STARTING, words, restarts=retry.spent, code=outcome.code, signal=outcome.signal)
    deadline = time.monotonic() + retry.delay_s
    while time.monotonic() < deadline:
        post.desk.look()
        if post.desk.is_asked:
            return never_started(post, "while it waited to be started again")
        post.journal.settle()
        time.sleep(min(post.patience.poll_s, max(0.0, deadline - time.monotonic())))
    return None
