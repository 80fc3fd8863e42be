"""How an attempt ended, as a state: a pure decision."""

import signal
from collections.abc import Sequence
from dataclasses import dataclass, replace

from trainer.run.records import ExitRecord
from trainer.run.spec import Kind
from trainer.run.states import State

KILLED = "killed by operator"
NO_STEPS = "performed none of its planned steps"
LEFT_SHOWN = 3


@dataclass(frozen=True, slots=True)
class ProcessEnd:
    """What wait() told. `known` is False for an adopted process: only its parent learns the code."""

    code: int | None = None
    signal: int | None = None
    known: bool = True

    def __str__(self) -> str:
        if not self.known:
            return "exit unknown"
        if self.signal is not None:
            return f"killed by {_signal_name(self.signal)}"
        return f"exit code {self.code}"


@dataclass(frozen=True, slots=True)
class AttemptOutcome:
    """What `state.json` will say."""

    state: State
    reason: str
    code: int | None = None
    signal: int | None = None
    hopeless: bool = False


def outcome_of(
    kind: Kind,
    ending: ProcessEnd,
    word: ExitRecord | None,
    *,
    stop_asked: bool,
    killed: str,
    left: Sequence[str] = (),
) -> AttemptOutcome:
    """Judge an ending by what was asked, by wait() and by the trainer's last word.

    `killed` says why the supervisor killed it, "" if it did not; `left` names what outlived its first process
    and was ended for that. Success of our trainer needs code 0 *and* its word *and* at least one step of its
    own; of a command, that nothing of it was left.
    """
    if killed:
        return AttemptOutcome(State.FAILED, killed, None, int(signal.SIGKILL))
    outcome = _by_ending(kind, ending, word, stop_asked)
    return _with_left(kind, ending, outcome, left) if left else outcome


def _with_left(
    kind: Kind, ending: ProcessEnd, outcome: AttemptOutcome, left: Sequence[str]
) -> AttemptOutcome:
    """Nothing is ended silently; a command that went to the background did not do what was asked of it."""
    what = f"{len(left)} process{'' if len(left) == 1 else 'es'} behind ({', '.join(left[:LEFT_SHOWN])})"
    which = f"{what}, which {'was' if len(left) == 1 else 'were'} ended"
    if kind == "command" and outcome.state is State.SUCCEEDED:
        reason = f"its first process ended with {ending.code} and left {which}; start it in the foreground"
        return replace(outcome, state=State.FAILED, reason=reason, hopeless=True)
    return replace(outcome, reason="; ".join(filter(None, (outcome.reason, f"it left {which}"))))


def _by_ending(kind: Kind, ending: ProcessEnd, word: ExitRecord | None, stop_asked: bool) -> AttemptOutcome:
    if kind == "command":
        return _of_command(ending, stop_asked)
    clean = ending.code == 0 if ending.known else word is not None
    if stop_asked and ending.signal == signal.SIGTERM:
        clean = word is not None  # our own signal overtook its exit: it had seen the request file first
    if not clean or word is None:
        outcome = _without_word(ending, word, stop_asked and clean)
    else:
        outcome = _by_word(ending, word)
    return replace(outcome, hopeless=word is not None and word.hopeless)


def _of_command(ending: ProcessEnd, stop_asked: bool) -> AttemptOutcome:
    if stop_asked:
        return AttemptOutcome(State.STOPPED, f"stopped ({ending})", ending.code, ending.signal)
    if ending.known and ending.code == 0:
        return AttemptOutcome(State.SUCCEEDED, "", 0)
    return AttemptOutcome(State.FAILED, str(ending), ending.code, ending.signal)


def _without_word(ending: ProcessEnd, word: ExitRecord | None, stopped_cleanly: bool) -> AttemptOutcome:
    if stopped_cleanly:
        return AttemptOutcome(State.STOPPED, "stopped, but it left no last word", ending.code)
    if word is not None:
        reason = f"{word.reason or word.outcome} ({ending})"
    elif ending.known and ending.code == 0:
        reason = "exit code 0, but it left no last word"
    else:
        reason = str(ending)
    return AttemptOutcome(State.FAILED, reason, ending.code, ending.signal)


def _by_word(ending: ProcessEnd, word: ExitRecord) -> AttemptOutcome:
    if word.outcome == "stopped":
        return AttemptOutcome(State.STOPPED, word.reason, ending.code)
    if word.outcome != "succeeded":
        return AttemptOutcome(State.FAILED, word.reason or word.outcome, ending.code)
    if word.steps_done <= 0:
        return AttemptOutcome(State.FAILED, NO_STEPS, ending.code)
    return AttemptOutcome(State.SUCCEEDED, word.reason, ending.code)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
