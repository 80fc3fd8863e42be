"""What is trouble, and what changes after a step back: functions of numbers."""

import json
import math
import random
from collections.abc import Callable

from trainer.config.schema import GuardConfig
from trainer.step.early_rate import EarlySteps
from trainer.step.self_defence import SelfDefence, Trouble, batch_of, excess, merged

GUARD = GuardConfig()


def quiet(seed: int = 0, steps: int = 100, level: float = 2.0) -> SelfDefence:
    """A memory of so many steps without trouble."""
    draw, memory = random.Random(seed), SelfDefence()
    for step in range(1, steps + 1):
        assert memory.observe(step, draw.gauss(level, 0.1), math.exp(draw.gauss(0, 0.3)), GUARD, 4) is None
    return memory


def test_noise_and_a_falling_loss_are_no_trouble() -> None:
    for seed in range(20):
        draw, memory = random.Random(seed), SelfDefence()
        for step in range(1, 400):
            loss = 2 + 3 * math.exp(-step / 60) + draw.gauss(0, 0.15)
            norm = math.exp(draw.gauss(0, 0.7))
            assert memory.observe(step, loss, norm, GUARD, 4) is None
        assert memory.is_calm


def test_a_spike_of_loss_or_gradient_is_named_with_its_step() -> None:
    loss = quiet().observe(101, 9.0, 1.0, GUARD, 4)
    assert loss is not None
    assert (loss.first, "spike of the loss at step 101" in loss.reason) == (101, True)
    norm = quiet().observe(101, 2.0, 5e3, GUARD, 4)
    assert norm is not None
    assert "spike of the gradient" in norm.reason
    assert quiet().observe(101, 2.4, 5.0, GUARD, 4) is None
    assert quiet().observe(101, 9.0, 1.0, GuardConfig(rollbacks=0), 4) is None
    assert quiet(steps=10).observe(11, 9.0, 1.0, GUARD, 4) is None, "ten steps tell nothing yet"


def test_a_row_of_steps_that_are_not_finite_is_trouble_and_one_alone_is_not() -> None:
    memory = quiet()
    found = [memory.observe(101 + index, math.nan, 1.0, GUARD, 4) for index in range(4)]
    assert found[:3] == [None] * 3
    assert found[3] is not None
    assert found[3].first == 101
    assert not memory.is_calm
    memory = quiet()
    for step in range(101, 131):
        bad = step % 3 > 0
        assert memory.observe(step, 2.0, math.inf if bad else 1.0, GUARD, 4) is None


def test_a_loss_that_climbs_slowly_or_jumps_is_found_and_is_no_good_before() -> None:
    memory, found = quiet(), None
    for step in range(101, 300):
        if found := memory.observe(step, 2.0 + (step - 100) * 0.02, 1.0, GUARD, 4):
            break
    assert found is not None
    assert step < 220
    memory = quiet()
    few = [memory.observe(step, 2.7, 1.0, GUARD, 4) for step in range(101, 106)]
    assert few == [None] * 5
    assert not memory.is_calm, "a checkpoint within a jump would be good"


EARLY = EarlySteps(warmup=20, unigram=3.3)


def begun(curve: Callable[[int], float], steps: int = 600) -> tuple[int, Trouble] | None:
    """Where a run that goes this way from its first step on would begin again."""
    memory, guard = SelfDefence(), GuardConfig(rise=0.0, spike=0.0)
    for step in range(1, steps + 1):
        if found := memory.observe(step, curve(step), 1.0, guard, 4, EARLY):
            return step, found
    return None


def test_a_rate_that_is_too_high_from_the_first_step_is_found_where_the_loss_climbs_or_stands() -> None:
    climbs = begun(lambda step: 5.5 if step < 3 else 60.0)
    assert climbs is not None
    assert climbs[0] <= 20
    assert climbs[1].restarts
    assert "since the first step: at step 16 the loss is 60, it began at 5.5" in climbs[1].reason
    stands = begun(lambda step: max(3.52, 5.5 - step * 0.2) + 0.1 * math.sin(step * step))
    assert stands is not None
    assert stands[0] == 20 + 7 * 32
    assert "no longer falls" in stands[1].reason


def test_a_slow_run_one_at_the_floor_and_one_that_is_told_of_nothing_are_left_alone() -> None:
    healthy: list[Callable[[int], float]] = [
        lambda step: 5.5 - step * 1e-5,  # a rate that is too low
        lambda step: 3.4 + 2.1 * math.exp(-step / 400),  # slow, and still falling
        lambda step: 3.3 + 2.2 * math.exp(-step / 10) + 0.1 * math.sin(step * step),  # stands at the floor
        lambda step: 2.5 + 3 * math.exp(-step / 60) + (4 if step == 5 else 0),
    ]
    assert [begun(curve) for curve in healthy] == [None] * 4
    memory = SelfDefence()
    late = [memory.observe(step, 60.0 if step > 700 else 3.5, 1.0, GuardConfig(rise=0, spike=0), 4, EARLY)
            for step in range(600, 800)]  # fmt: skip
    assert late == [None] * 200, "a run of before, which was not watched from its first step"
    off = GuardConfig(restart=0.0, rise=0.0, spike=0.0)
    memory = SelfDefence()
    assert not any(memory.observe(step, 5.5 * step, 1.0, off, 4, EARLY) for step in range(1, 300))


def test_a_run_that_begins_again_keeps_a_tenth_of_the_rate_to_the_end() -> None:
    before = SelfDefence(rollbacks=1, skipped=[(3, 4)], plateau=0.5)
    after = SelfDefence()
    after.step_back(before, Trouble("why", 40, 0, restarts=True), 0, GUARD)
    assert (after.rollbacks, after.skipped, after.plateau) == (2, [(3, 4)], 0.05)
    assert {after.easing(step, GUARD) for step in (0, 40, 5000)} == {0.05}
    assert SelfDefence.from_json(json.loads(json.dumps(after.to_json()))) == after


def test_a_model_that_learns_by_heart_does_not_diverge_and_one_that_forgets_does() -> None:
    for rises, expected in ((False, False), (True, True)):
        memory = quiet()
        assert memory.judge(100, 2.0, GUARD) is None
        for step in range(101, 170):
            memory.observe(step, 2.25 if rises else 1.5, 1.0, GUARD, 4)
        troubles = [memory.judge(170 + index, 3.0, GUARD) for index in range(2)]
        assert troubles[0] is None
        assert (troubles[1] is not None) is expected
    assert quiet().judge(1, math.nan, GUARD) is not None


def test_the_rate_is_lowered_around_the_trouble_and_comes_back() -> None:
    memory = SelfDefence()
    memory.step_back(SelfDefence(), Trouble("", 100, 100), 80, GUARD)
    assert memory.easing(90, GUARD) == 1.0
    assert memory.easing(100, GUARD) == memory.easing(124, GUARD) == GUARD.lower
    assert memory.easing(126, GUARD) == 1.0
    again = SelfDefence()
    again.step_back(memory, Trouble("", 101, 101), 80, GUARD)
    assert again.easing(100, GUARD) == GUARD.lower**3
    assert again.rollbacks == 2
    third = SelfDefence()
    third.step_back(again, Trouble("", 101, 101), 80, GUARD)
    assert third.easing(100, GUARD) == GUARD.lower**10
    steps = [third.easing(step, GUARD) for step in range(101, 140)]
    assert steps == sorted(steps)
    assert steps[-1] == 1.0


def test_a_rate_whose_return_brings_trouble_stays_low_for_longer_each_time() -> None:
    memory, held = SelfDefence(), []
    step = 100
    for _ in range(4):
        before, memory = memory, SelfDefence()
        memory.step_back(before, Trouble("", step, step), step - 20, GUARD)
        held.append(memory.until - step)
        step = memory.until
    assert held == [25, 50, 200, 800]
    last = SelfDefence()
    last.step_back(memory, Trouble("", step, step), step - 20, GuardConfig(rollbacks=5))
    assert last.easing(10**9, GUARD) < 1, "the last time it does not come back"


def test_batches_at_fault_are_left_out_and_no_other() -> None:
    assert [batch_of(step, [(2, 4), (6, 7)]) for step in range(6)] == [0, 1, 4, 5, 7, 8]
    assert merged([(5, 7), (1, 2), (2, 4), (6, 9)]) == [(1, 4), (5, 9)]
    first = SelfDefence()
    first.step_back(SelfDefence(), Trouble("", 10, 10), 5, GUARD)
    assert first.skipped == [(9, 10)]  # step 10 took batch 9
    second = SelfDefence()
    second.step_back(first, Trouble("", 10, 10), 5, GUARD)
    assert second.skipped == [(9, 11)]  # and then batch 10
    third = SelfDefence()
    third.step_back(second, Trouble("", 12, 0), 8, GUARD)
    assert third.skipped == [(8, 14)], "all since the checkpoint"
    fourth = SelfDefence()
    fourth.step_back(SelfDefence(), Trouble("", 12, 5), 8, GUARD)
    assert fourth.skipped == [(8, 12)], "what was learnt before the checkpoint stays"


def test_what_is_remembered_survives_json_to_the_last_bit() -> None:
    memory = quiet(seed=3)
    memory.step_back(quiet(), Trouble("", 90, 90), 80, GUARD)
    memory.judge(100, 1 / 3, GUARD)
    assert SelfDefence.from_json(json.loads(json.dumps(memory.to_json()))) == memory
    assert SelfDefence.from_json({}) == SelfDefence()


def test_early_stop_and_plateau_count_evaluations() -> None:
    guard = GuardConfig(patience=3, plateau=2)
    memory = quiet()
    memory.judge(1, 2.0, guard)
    told = []
    for _ in range(4):
        memory.judge(2, 2.1, guard)
        told.append((memory.on_plateau(guard), memory.is_stale(guard)))
    assert told == [(False, False), (True, False), (False, True), (True, True)]
    assert memory.plateau == 0.25
    assert not memory.is_stale(GUARD)


def test_an_excess_is_measured_against_the_window() -> None:
    window = [1.0, 1.1, 0.9, 1.05] * 5
    assert excess(window, 1.11, 12, 0.5, 0.5) is None
    found = excess(window, 5.0, 12, 0.5, 0.5)
    assert found is not None
    assert found.sigmas > 12
    assert excess([*window, 6.0], 5.0, 12, 0.5, 0.5) is None, "it was higher before"
