"""Whether a failed attempt is tried again, and when: a pure decision."""

from dataclasses import dataclass

from remote.supervisor.outcome import NO_STEPS, Outcome
from trainer.run.spec import RunSpec
from trainer.run.states import State

# Usage, configuration, refused: the same words would be refused again.
HOPELESS_CODES = frozenset({2, 3})


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again in `delay_s` seconds; `spent` is the weighted count of failures so far."""

    spent: int
    delay_s: float


def weight(progressed: bool) -> int:
    """A failure before the first new step counts double, so that a poison checkpoint cannot loop."""
    return 1 if progressed else 2


def retry_for(
    spec: RunSpec, outcome: Outcome, *, asked: bool, progressed: bool, spent: int, cap_s: float
) -> Retry | None:
    """The next try, or None if this ending stands.

    `on-failure` retries `failed`; `always` also an end that nobody asked for (a trainer stopped from outside,
    a command that ended well). What an operator ended (`asked`) is never restarted, nor a finished training.
    """
    policy = spec.restart
    if asked or policy.policy == "never" or not _retryable(spec, outcome):
        return None
    total = spent + weight(progressed)
    if total > policy.max:
        return None
    return Retry(total, min(cap_s, policy.backoff_s * 2.0 ** (total - 1)))


def _retryable(spec: RunSpec, outcome: Outcome) -> bool:
    if outcome.state in (State.FAILED, State.DIED, State.DIED_REBOOT):
        if outcome.hopeless:
            return False
        hopeless = spec.kind == "trainer" and (outcome.code in HOPELESS_CODES or outcome.reason == NO_STEPS)
        return not hopeless
    if spec.restart.policy != "always":
        return False
    return outcome.state is State.STOPPED or spec.kind == "command"
