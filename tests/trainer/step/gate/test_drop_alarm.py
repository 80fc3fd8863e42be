"""The alarm of a gate: seldom without a cause, nearly always with one."""

import itertools
import json
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from trainer.step.gate.drop_alarm import AlarmRules, DropAlarm, drop_bound

N, RUNS = 400, 1000
RULES = AlarmRules()
Alarm = Callable[[Sequence[float], Sequence[float]], bool]


def shipped(before: Sequence[float], after: Sequence[float]) -> bool:
    """Whether the alarm goes off in the validations `after` the gate."""
    alarm = DropAlarm()
    for one in before:
        alarm.observe(one, N, engaged=False, rules=RULES)
    return any(alarm.observe(one, N, engaged=True, rules=RULES) is not None for one in after)


def published(before: Sequence[float], after: Sequence[float]) -> bool:
    """The alarm as it was: the best validation, a fixed drop, two in a row."""
    low = [max(before) - one > 0.01 for one in after]
    return any(a and b for a, b in itertools.pairwise(low))


def share(alarm: Alarm, p: float, drop: float, epochs: int) -> float:
    """How often it goes off, of runs with so many validations before the gate as after it."""
    draw = np.random.default_rng(round(1000 * p))
    before = draw.binomial(N, p, (RUNS, 5)) / N
    after = draw.binomial(N, p - drop, (RUNS, epochs)) / N
    return sum(map(alarm, before.tolist(), after.tolist())) / RUNS


@pytest.mark.parametrize("p", [0.5, 0.7, 0.85, 0.95])
def test_it_is_seldom_false_and_nearly_always_there_in_time(p: float) -> None:
    assert share(shipped, p, 0.0, 10) <= 0.03
    assert share(shipped, p, 0.10, 3) >= 0.90
    assert share(published, p, 0.0, 10) > 0.10  # the control: the best one for a reference, without a bound


def test_the_bound_is_pooled_and_never_below_the_threshold() -> None:
    assert drop_bound(0.9, 0.7, 400, 3, 0.01) == pytest.approx(
        2 * (0.16 * (1 / 400 + 1 / 1200)) ** 0.5, abs=1e-12
    )
    assert drop_bound(1.0, 1.0, 400, 3, 0.01) == 0.01
    assert drop_bound(0.9, 0.7, 400, 1, 0.01) > drop_bound(0.9, 0.7, 400, 3, 0.01)


def test_one_low_validation_is_none_and_two_in_a_row_are() -> None:
    alarm = DropAlarm()
    assert alarm.observe(0.1, N, engaged=True, rules=RULES) is None  # nothing to compare with
    for one in (0.2, 0.90, 0.91, 0.92):
        alarm.observe(one, N, engaged=False, rules=RULES)
    for one in (0.7, 0.9, 0.7):
        assert alarm.observe(one, N, engaged=True, rules=RULES) is None
    alarm = DropAlarm.from_json(json.loads(json.dumps(alarm.to_json())))
    found = alarm.observe(0.7, N, engaged=True, rules=RULES)
    assert found is not None
    assert found.reference == pytest.approx(0.91)  # of the last three before the gate alone
    assert "from 0.910 to 0.700" in found.reason
