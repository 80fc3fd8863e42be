"""What a run with a free lock deserves: a pure decision."""

import signal
from dataclasses import dataclass
from enum import StrEnum

from trainer.run.records import ExitRecord
from trainer.run.spec import Kind
from trainer.run.states import State, StateRecord

LAST_WORDS = {"succeeded": State.SUCCEEDED, "stopped": State.STOPPED, "failed": State.FAILED}


class Action(StrEnum):
    """What an agent does about it, while it holds the run's lock."""

    LEAVE = "leave"
    ADOPT = "adopt"
    MARK = "mark"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What was seen under the run's lock.

    Attributes:
        recorded_boot: boot id when state or process.json was written, "" if unknown; `boot_id` is today's.
        taken_up: some supervisor recorded itself for this attempt (process.json).
        survivors: how many of its processes live.
        last_word: exit.json of the recorded attempt.
        original: the folder that this one is a copy of, where what was on belongs to that; else "".
        asked: the strongest unanswered request to the attempt: `stop`, `kill` or "".
        age_s: since the state was written.
    """

    state: StateRecord
    kind: Kind
    boot_id: str
    recorded_boot: str
    taken_up: bool
    survivors: int
    last_word: ExitRecord | None
    asked: str
    age_s: float
    original: str = ""


@dataclass(frozen=True, slots=True)
class ReconcileDecision:
    """`state`, `reason` and `signal` are for `Action.MARK`."""

    action: Action
    state: State = State.DIED
    reason: str = ""
    signal: int | None = None


def judge(facts: Facts, forgotten_s: float) -> ReconcileDecision:
    """Adopt what lives; believe what was asked and the trainer's last word; else say that it died, and how we
    know."""
    if facts.state.is_terminal or facts.state.state is State.QUEUED:
        return ReconcileDecision(Action.LEAVE)
    if facts.survivors:
        return ReconcileDecision(Action.ADOPT)
    rebooted = bool(facts.recorded_boot) and facts.recorded_boot != facts.boot_id
    was_obeyed = facts.state.state is State.STOPPING and not rebooted
    if was_obeyed and facts.asked == "kill":
        return ReconcileDecision(Action.MARK, State.FAILED, "killed by operator", int(signal.SIGKILL))
    if facts.last_word is not None:
        return _by_last_word(facts.last_word)
    if was_obeyed and facts.asked == "stop" and facts.kind == "command":
        return ReconcileDecision(Action.MARK, State.STOPPED, "stopped; its supervisor was lost meanwhile")
    return _by_traces(facts, rebooted, forgotten_s)


def _by_last_word(word: ExitRecord) -> ReconcileDecision:
    state = LAST_WORDS.get(word.outcome, State.FAILED)
    if state is State.SUCCEEDED and word.steps_done <= 0:
        return ReconcileDecision(Action.MARK, State.FAILED, "performed none of its planned steps")
    reason = word.reason or word.outcome
    return ReconcileDecision(Action.MARK, state, f"{reason} (by its last word: the supervisor was lost)")


def _by_traces(facts: Facts, rebooted: bool, forgotten_s: float) -> ReconcileDecision:
    if facts.original:
        why = f"this folder is a copy: what was on belongs to {facts.original}, and was not touched"
        return ReconcileDecision(Action.MARK, State.DIED, why)
    if rebooted:
        return ReconcileDecision(
            Action.MARK, State.DIED_REBOOT, "the host was restarted while the run was on"
        )
    if facts.taken_up:
        return ReconcileDecision(
            Action.MARK, State.DIED, "supervisor and trainer are gone, and left no last word"
        )
    if facts.age_s > forgotten_s:
        return ReconcileDecision(
            Action.MARK, State.DIED, "its start was recorded but never carried out; start it again"
        )
    return ReconcileDecision(Action.LEAVE)  # a start whose agent died: the same start id carries it out
