"""Every alert on synthetic series: it fires once, anew when it comes anew, and never on null series."""

import math
import random
from collections.abc import Iterable, Iterator

import pytest

from tests.trials import trials
from trainer.config.locate import configs_dir
from trainer.telemetry.alerts.host_rules import HostRules
from trainer.telemetry.alerts.occasion import Occasion, Quiet
from trainer.telemetry.alerts.run_rules import RunRules
from trainer.telemetry.bands import Bands, load

A_DAY = 17_280  # rows, one in five seconds
SCORES_A_DAY = 172
MOST = 0.05  # of null series may have one false alarm a day


@pytest.fixture(scope="module")
def bands() -> Bands:
    return load(configs_dir() / "health" / "kssm.yaml")


def falling(rows: int, seed: int = 0, noise: float = 0.04) -> Iterator[float]:
    """A loss that falls as a power of the step, with noise."""
    rng = random.Random(seed)
    return (2.0 + 6.0 * step**-0.3 + rng.gauss(0.0, noise) for step in range(1, rows + 1))


def told(rules: RunRules, values: Iterable[float], name: str = "loss", *, begin: int = 1) -> list[str]:
    """The rules that fire on a series of rows, in order."""
    found = (rules.row(step, {name: value}) for step, value in enumerate(values, begin))
    return [one.rule for firings in found for one in firings]


def scored(rules: RunRules, values: Iterable[float], begin: int = 1) -> list[str]:
    found = (rules.scores(step, {"val_loss": value}) for step, value in enumerate(values, begin))
    return [one.rule for firings in found for one in firings]


def test_a_number_that_is_none_is_told_once_and_again_after_it_was_well() -> None:
    rules, steps = RunRules(), iter(range(1000))

    def rows(count: int, *bad: str) -> list[str]:
        return [one.rule for _ in range(count) for one in rules.row(next(steps), {}, bad)]

    assert rows(5) == []
    assert rows(50, "ce") == ["nan"]
    assert rows(3) + rows(3, "ce") == []  # it was hardly over
    assert rows(20) + rows(1, "ce", "grad_norm") == ["nan"]


@pytest.mark.parametrize("jump", [[8.0], [3.3, 3.2], [9.0, 8.0, 7.0, 6.0, 5.0, 4.5, 4.0, 3.5]])
def test_a_spike_is_told_once_and_another_one_again(jump: list[float]) -> None:
    rules = RunRules()
    series = [*falling(300), *jump, *falling(300, 1), *jump, *falling(300, 2)]
    assert [name for name in told(rules, series) if name == "spike"] == ["spike", "spike"]


def test_a_loss_that_stays_above_is_one_spike() -> None:
    rules = RunRules()
    assert told(rules, [*falling(300), *(6.0 + value for value in falling(200, 3))]).count("spike") == 1


def test_a_level_that_drifts_up_is_no_spike() -> None:
    assert "spike" not in told(RunRules(), (2.0 + 0.002 * step for step in range(500)))


def test_a_loss_that_falls_no_more_is_a_plateau_and_is_told_once() -> None:
    rng = random.Random(4)
    flat = [2.5 + 4.0 * math.exp(-step / 300) + rng.gauss(0.0, 0.03) for step in range(12_000)]
    assert told(RunRules(), flat) == ["plateau"]
    assert told(RunRules(), flat[:900]) == []  # it still falls


def test_a_loss_that_never_fell_is_a_plateau_too() -> None:
    rng = random.Random(5)
    assert told(RunRules(), (2.303 + rng.gauss(0.0, 0.02) for _ in range(8000))) == ["plateau"]


def test_held_out_loss_that_rises_is_told_once() -> None:
    rng = random.Random(6)
    well = [1.0 + 2.0 / (1 + step) + rng.gauss(0.0, 0.01) for step in range(40)]
    rising = [1.05 + 0.02 * step + rng.gauss(0.0, 0.01) for step in range(40)]
    assert scored(RunRules(), [*well, *rising]) == ["rising"]
    assert scored(RunRules(), well) == []


def test_silence_is_told_once_by_the_limit_that_is_given_and_again_after_a_row() -> None:
    rules = RunRules()
    for limit in (5.0, 50.0, 4000.0):
        before = [one for idle in (0.0, 0.5 * limit, 0.99 * limit) for one in rules.silence(idle, limit, 7)]
        after = [one.rule for idle in (1.0, 2.0, 9.0) for one in rules.silence(idle * limit, limit, 7)]
        assert (before, after) == ([], ["stall"])
    assert rules.silence(None, 5.0, 7) == []


def test_r_that_is_locked_in_one_zone_is_told_once_and_again_elsewhere(bands: Bands) -> None:
    rng, rules = random.Random(7), RunRules(bands)
    moving = [0.2 + 0.15 * math.sin(step / 200) + rng.gauss(0.0, 0.01) for step in range(1500)]
    stuck = [0.97 + rng.gauss(0.0, 0.0005) for _ in range(4000)]
    lower = [0.6 + rng.gauss(0.0, 0.0005) for _ in range(8000)]
    assert told(rules, [*moving, *stuck, *lower], "R") == ["locked", "locked"]
    assert told(RunRules(bands), moving, "R") == []
    assert told(RunRules(), stuck, "R") == []  # no zones are known


@pytest.mark.parametrize("value", [0.1, 10.0, -1.0])
def test_u_that_is_pinned_is_told_once_and_again_after_it_was_free(value: float) -> None:
    rules = RunRules()
    assert told(rules, [1.0] * 50 + [value] * 19 + [1.0] * 20, "u_val") == []
    assert told(rules, [value] * 500, "u_val", begin=200) == ["clamp"]
    assert told(rules, [1.0] * 20 + [value] * 20, "u_val", begin=800) == ["clamp"]


def test_a_median_that_hides_the_ends_is_told() -> None:
    rules = RunRules()
    found = [rules.row(step, {"u_val": 1.0, "u_low": 0.4, "u_high": 0.2}) for step in range(40)]
    assert [one.text for firings in found for one in firings] == ["u is at its ends for 20 rows"]


@pytest.mark.parametrize("value", [10**400, -(10**400), 1e308, -1e308, math.inf, math.nan, 0.0, -0.0, 5e-324])
def test_no_number_is_too_strange_for_a_rule(bands: Bands, value: float) -> None:
    rules = RunRules(bands)
    names = ("loss", "u_val", "u_low", "u_high", "R")
    for step in range(300):
        strange = step % 3 == 0
        rules.row(step, dict.fromkeys(names, value if strange else 1.0 + step), ("loss",) if strange else ())
        rules.scores(step, {"val_loss": value if strange else 1.0 + step})
        rules.probe(step, {"warfare_ratio": value})


def test_gradient_warfare_is_told_after_two_looks() -> None:
    rules = RunRules()
    found = [
        rules.probe(step, {"warfare_ratio": ratio}) for step, ratio in enumerate([0.2, 2.0, 2.0, 2.0, None])
    ]
    assert [len(firings) for firings in found] == [0, 0, 1, 0, 0]


def test_a_row_that_is_read_again_is_not_told_again_and_one_of_a_new_attempt_is() -> None:
    rules = RunRules()
    assert rules.row(10, {}, ("ce",))
    for step in range(11, 40):
        assert rules.row(step, {}) == []
    assert rules.row(10, {}, ("ce",)) == []
    rules.forget(5)
    assert rules.row(4, {}, ("ce",)) == []
    assert rules.row(6, {}, ("ce",))


def test_memory_and_disk_that_swing_around_a_threshold_are_one_occasion() -> None:
    host = HostRules()
    swing = [host.load(94.0 + 2 * (n // 2 % 2), (0.9 + 0.3 * (n // 2 % 2)) * 1e9) for n in range(100)]
    assert [one.rule for firings in swing for one in firings] == ["disk", "memory"]
    assert [host.load(50.0, 9e9) for _ in range(2)] == [[], []]
    assert [one.rule for _ in range(2) for one in host.load(99.0, 1e8)] == ["memory", "disk"]
    assert host.load(None, None) == []


def test_each_orphan_is_told_once() -> None:
    host = HostRules()
    assert host.orphans({"run": ["a", "b"]}, 0.0) == {}  # its run has just ended: it may be ending, too
    (told,) = host.orphans({"run": ["a", "b"]}, 1.0).values()
    assert (told.rule, told.text) == ("orphan", "left behind and still alive: a, b")
    assert host.orphans({"run": ["b"]}, 2.0) == host.orphans({"run": ["b", "c"], "other": ["b"]}, 3.0) == {}
    found = host.orphans({"run": ["b", "c"], "other": ["b"]}, 4.0)
    assert {run_id: one.text.rpartition(" ")[2] for run_id, one in found.items()} == {
        "run": "c",
        "other": "b",
    }
    assert host.orphans({}, 5.0) == {}


def test_a_link_that_flaps_is_told_once_and_one_that_was_well_again() -> None:
    host = HostRules()
    found = [
        one.rule
        for n in range(10)
        for phase in ("lost", "retrying", "connected")
        for one in host.link(phase, n)
    ]
    assert found == ["lost"]
    assert [one.rule for one in host.link("lost", 100.0, "no pong")] == ["lost"]
    assert [one.text for one in host.link("refused", 101.0, "auth")] == ["link refused: auth"]
    assert host.link("refused", 102.0) == []


def test_an_ending_is_told_once_an_attempt() -> None:
    host = HostRules()
    assert host.ended("a", 1, "running", "", 0.0) == []
    assert [one.level for one in host.ended("a", 1, "failed", "code 1", 1.0)] == ["error"]
    assert host.ended("a", 1, "failed", "code 1", 2.0) == []
    assert [one.level for one in host.ended("a", 2, "succeeded", "", 3.0)] == ["information"]


def test_an_occasion_begins_after_its_readings_and_ends_after_its_own() -> None:
    occasion = Occasion(begins=2, ends=3)
    bad = [True, False, True, True, True, False, False, True, False, False, False, True, True]
    assert [place for place, one in enumerate(bad) if occasion.fires(one)] == [3, 12]


def test_what_comes_and_goes_by_name_is_bounded() -> None:
    quiet = Quiet(10.0, most=3)
    assert all(quiet.begins(name, 0.0) for name in range(10))
    assert not quiet.begins(9, 1.0)
    assert not quiet.ends("never", 1.0)


# Null series: a healthy day, as it may look.


def noisy(kind: str, rows: int, seed: int) -> Iterator[float]:
    rng, drift = random.Random(seed), 0.0
    for step in range(1, rows + 1):
        base = 2.0 + 4.0 * step**-0.3
        if kind == "gauss":
            yield base + rng.gauss(0.0, 0.04)
        elif kind == "correlated":
            drift = 0.9 * drift + rng.gauss(0.0, 0.03)
            yield base + drift
        elif kind == "heavy":
            yield base + 0.05 * rng.gauss(0.0, 1.0) / math.sqrt(rng.gammavariate(2.5, 0.4))
        else:
            yield base * math.exp(rng.gauss(0.0, 0.03))


@pytest.mark.chaos
@pytest.mark.claim("alerts: at most 5 % of healthy days have a false alarm")
@pytest.mark.parametrize("kind", ["gauss", "correlated", "heavy", "relative"])
def test_a_healthy_day_has_no_alarm(kind: str) -> None:
    count, rows = trials(1, 250), trials(3000, A_DAY)
    alarms = sum(bool(told(RunRules(), noisy(kind, rows, seed))) for seed in range(count))
    assert alarms <= MOST * count


@pytest.mark.chaos
@pytest.mark.claim("alerts: at most 5 % of healthy days have a false alarm of the held-out loss")
@pytest.mark.parametrize("kind", ["gauss", "correlated", "heavy", "relative"])
def test_healthy_scores_of_a_day_have_no_alarm(kind: str) -> None:
    count = trials(20, 1000)
    alarms = sum(bool(scored(RunRules(), noisy(kind, SCORES_A_DAY, seed))) for seed in range(count))
    assert alarms <= max(MOST * count, 1)


@pytest.mark.chaos
@pytest.mark.claim("alerts: at most 5 % of healthy days have a false alarm of R or u")
def test_a_healthy_day_of_r_and_u_has_no_alarm(bands: Bands) -> None:
    count, rows = trials(1, 250), trials(3000, A_DAY)
    alarms = 0
    for seed in range(count):
        rng, rules = random.Random(seed), RunRules(bands)
        alarms += any(
            rules.row(step, {"R": 0.35 + rng.gauss(0.0, 0.015), "u_val": math.exp(rng.gauss(0.0, 0.4))})
            for step in range(rows)
        )
    assert alarms <= MOST * count
