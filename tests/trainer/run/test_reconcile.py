from dataclasses import replace
from typing import Any

import pytest

from trainer.run.reconcile import Action, Facts, judge
from trainer.run.records import ExitRecord
from trainer.run.states import TERMINAL, State, StateRecord

BASE = Facts(
    state=StateRecord(run_id="run-aaaaaa", state=State.RUNNING, seq=3, attempt=1, since=0.0),
    kind="trainer",
    boot_id="now",
    recorded_boot="now",
    taken_up=True,
    survivors=0,
    last_word=None,
    asked="",
    age_s=5.0,
)


def facts(state: State = State.RUNNING, **more: Any) -> Facts:
    return replace(BASE, state=replace(BASE.state, state=state), **more)


def word(outcome: str, done: int = 4) -> ExitRecord:
    return ExitRecord(attempt=1, token="t", outcome=outcome, steps_done=done)


@pytest.mark.parametrize("state", sorted(TERMINAL | {State.QUEUED}))
def test_what_is_over_or_waits_is_left(state: State) -> None:
    assert judge(facts(state, survivors=3), 600.0).action is Action.LEAVE


@pytest.mark.parametrize("state", [State.STARTING, State.RUNNING, State.STOPPING, State.UNKILLABLE])
def test_survivors_are_adopted(state: State) -> None:
    assert judge(facts(state, survivors=1, last_word=word("succeeded")), 600.0).action is Action.ADOPT


@pytest.mark.parametrize(
    ("given", "state"),
    [
        (facts(), State.DIED),
        (facts(recorded_boot="before"), State.DIED_REBOOT),
        (facts(recorded_boot=""), State.DIED),
        (facts(last_word=word("succeeded")), State.SUCCEEDED),
        (facts(last_word=word("succeeded", 0)), State.FAILED),
        (facts(last_word=word("stopped")), State.STOPPED),
        (facts(last_word=word("failed")), State.FAILED),
        (facts(last_word=word("succeeded"), recorded_boot="before"), State.SUCCEEDED),
        (facts(State.STOPPING, asked="kill"), State.FAILED),
        (facts(State.STOPPING, asked="kill", recorded_boot="before"), State.DIED_REBOOT),
        (facts(State.STOPPING, asked="stop"), State.DIED),
        (facts(State.STOPPING, asked="stop", kind="command"), State.STOPPED),
        (facts(State.RUNNING, asked="stop", kind="command"), State.DIED),
        (facts(State.STARTING), State.DIED),
        (facts(State.STARTING, taken_up=False, age_s=700.0), State.DIED),
        (facts(State.STARTING, taken_up=False, recorded_boot="before"), State.DIED_REBOOT),
    ],
)
def test_what_is_gone_is_marked(given: Facts, state: State) -> None:
    verdict = judge(given, 600.0)
    assert (verdict.action, verdict.state) == (Action.MARK, state)
    assert verdict.reason


def test_start_that_nobody_took_up_stays_startable_for_a_while() -> None:
    assert judge(facts(State.STARTING, taken_up=False), 600.0).action is Action.LEAVE
