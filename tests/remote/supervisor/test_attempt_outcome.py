"""How an ending becomes a state: pure."""

import pytest

from remote.supervisor.attempt_outcome import ProcessEnd, outcome_of
from trainer.run.records import ExitRecord
from trainer.run.spec import Kind
from trainer.run.states import State

UNKNOWN = ProcessEnd(known=False)


def word(outcome: str, steps_done: int = 5) -> ExitRecord:
    return ExitRecord(attempt=1, token="t", outcome=outcome, steps_done=steps_done)


@pytest.mark.parametrize(
    ("kind", "ending", "last", "stop_asked", "state"),
    [
        ("trainer", ProcessEnd(code=0), word("succeeded"), False, State.SUCCEEDED),
        ("trainer", ProcessEnd(code=0), word("succeeded", 0), False, State.FAILED),
        ("trainer", ProcessEnd(code=0), word("stopped"), False, State.STOPPED),
        ("trainer", ProcessEnd(code=0), word("stopped"), True, State.STOPPED),
        ("trainer", ProcessEnd(code=0), None, False, State.FAILED),
        ("trainer", ProcessEnd(code=0), None, True, State.STOPPED),
        ("trainer", ProcessEnd(code=1), word("failed"), False, State.FAILED),
        ("trainer", ProcessEnd(code=1), word("failed"), True, State.FAILED),
        ("trainer", ProcessEnd(code=1), word("succeeded"), False, State.FAILED),
        ("trainer", ProcessEnd(signal=11), word("succeeded"), False, State.FAILED),
        ("trainer", ProcessEnd(signal=15), word("stopped"), True, State.STOPPED),
        ("trainer", ProcessEnd(signal=15), word("stopped"), False, State.FAILED),
        ("trainer", ProcessEnd(signal=15), None, True, State.FAILED),
        ("trainer", UNKNOWN, word("succeeded"), False, State.SUCCEEDED),
        ("trainer", UNKNOWN, word("succeeded", 0), False, State.FAILED),
        ("trainer", UNKNOWN, word("stopped"), False, State.STOPPED),
        ("trainer", UNKNOWN, None, False, State.FAILED),
        ("trainer", UNKNOWN, None, True, State.FAILED),
        ("command", ProcessEnd(code=0), None, False, State.SUCCEEDED),
        ("command", ProcessEnd(code=3), None, False, State.FAILED),
        ("command", ProcessEnd(code=3), None, True, State.STOPPED),
        ("command", ProcessEnd(signal=9), None, True, State.STOPPED),
        ("command", UNKNOWN, None, False, State.FAILED),
        ("command", UNKNOWN, None, True, State.STOPPED),
    ],
)
def test_ending_becomes_state(
    kind: Kind, ending: ProcessEnd, last: ExitRecord | None, stop_asked: bool, state: State
) -> None:
    assert outcome_of(kind, ending, last, stop_asked=stop_asked, killed="").state is state


@pytest.mark.parametrize("kind", ["trainer", "command"])
def test_kill_by_the_operator_outranks_every_last_word(kind: Kind) -> None:
    outcome = outcome_of(
        kind, ProcessEnd(code=0), word("succeeded"), stop_asked=True, killed="killed by operator"
    )
    assert (outcome.state, outcome.signal, outcome.reason) == (State.FAILED, 9, "killed by operator")


def test_reasons_name_the_signal() -> None:
    assert outcome_of("command", ProcessEnd(signal=11), None, stop_asked=False, killed="").reason == (
        "killed by SIGSEGV"
    )
    assert str(ProcessEnd(signal=63)) == "killed by signal 63"
