"""Whether a failed attempt is tried again, and when: a pure decision."""

from dataclasses import dataclass

from remote.supervisor.attempt_outcome import NO_STEPS, AttemptOutcome
from trainer.run.spec import Restart, RunSpec
from trainer.run.states import State

# Usage, configuration, refused: the same words would be refused again.
HOPELESS_CODES = frozenset({2, 3})
# What a shell says of a program that cannot be executed, or is not there.
HOPELESS_OF_A_COMMAND = frozenset({126, 127})
FAILURES = frozenset({State.FAILED, State.DIED, State.DIED_REBOOT})


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again in `delay_s` seconds; `spent` is the weighted count of failures so far."""

    spent: int
    delay_s: float


def weight(progressed: bool) -> int:
    """A failure before the first new step counts double, so that a poison checkpoint cannot loop."""
    return 1 if progressed else 2


def decayed(policy: Restart, spent: int, lived_s: float) -> int:
    """What still counts of `spent` failures after an attempt that went on for `lived_s` seconds.

    So a run that fails once a day goes on for ever, and one that fails at every turn does not.
    """
    return max(0, spent - int(max(lived_s, 0.0) // policy.decay_s))


def retry_for(
    spec: RunSpec,
    outcome: AttemptOutcome,
    *,
    asked: bool,
    progressed: bool,
    spent: int,
    cap_s: float,
    lived_s: float = 0.0,
) -> Retry | None:
    """The next try, or None if this ending stands.

    `on-failure` retries `failed`; `always` also an end that nobody asked for (a trainer stopped from outside,
    a command that ended well). What an operator ended (`asked`) is never restarted, nor a finished training.
    """
    policy = spec.restart
    if asked or not _covers(spec, outcome) or is_hopeless(spec, outcome):
        return None
    total = decayed(policy, spent, lived_s) + weight(progressed)
    if total > policy.max:
        return None
    return Retry(total, min(cap_s, policy.backoff_s * 2.0 ** min(total - 1, 30)))


def why_not_again(spec: RunSpec, outcome: AttemptOutcome, *, asked: bool) -> str:
    """Why an ending stands that the policy covers, for its reason; "" where nobody expected another try."""
    if asked or not _covers(spec, outcome):
        return ""
    if is_hopeless(spec, outcome):
        return "not tried again, as it would end so again"
    return f"given up: its restarts are spent (--max-restarts is {spec.restart.max})"


def is_hopeless(spec: RunSpec, outcome: AttemptOutcome) -> bool:
    """Whether the same would happen again."""
    if outcome.state not in FAILURES:
        return False
    if spec.kind == "command":
        return outcome.hopeless or outcome.code in HOPELESS_OF_A_COMMAND
    return outcome.hopeless or outcome.code in HOPELESS_CODES or outcome.reason == NO_STEPS


def _covers(spec: RunSpec, outcome: AttemptOutcome) -> bool:
    policy = spec.restart.policy
    if policy == "never":
        return False
    if outcome.state in FAILURES:
        return True
    return policy == "always" and (outcome.state is State.STOPPED or spec.kind == "command")
