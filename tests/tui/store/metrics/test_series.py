import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.store.metrics.pyramid import Pyramid
from tui.store.metrics.series import Series

VALUES = st.lists(st.one_of(st.floats(-1e6, 1e6, width=32), st.just(math.nan)), max_size=700)


@settings(max_examples=60)
@given(VALUES, st.integers(0, 700), st.integers(0, 700), st.integers(0, 700))
def test_any_stretch_has_the_extremes_of_its_values(values: list[float], keep: int, a: int, b: int) -> None:
    tree = Pyramid()
    for value in values:
        tree.append(value)
    tree.truncate(keep)
    kept = values[:keep]
    for value in values[:40]:
        tree.append(value)
    kept += values[:40]
    numbers = [value for value in kept[min(a, b) : max(a, b)] if not math.isnan(value)]
    assert tree.extent(min(a, b), max(a, b)) == ((min(numbers), max(numbers)) if numbers else None)


def test_one_spike_in_a_million_is_in_the_extremes() -> None:
    tree = Pyramid()
    for index in range(100_000):
        tree.append(1e9 if index == 54_321 else 0.5)
    assert tree.extent(0, 100_000) == (0.5, 1e9)
    assert tree.extent(54_322, 100_000) == (0.5, 0.5)


def filled(count: int, half_life: float = 0.0) -> Series:
    series = Series()
    series.smooth_by(half_life)
    for step in range(count):
        series.append(step, math.sin(step))
    return series


def test_a_resume_supersedes_what_came_after_its_step() -> None:
    series = filled(100)
    series.supersede(39)
    assert (len(series), series.steps[-1]) == (40, 39)
    assert series.last is not None
    assert math.isclose(series.last, math.sin(39), rel_tol=1e-6)


def test_a_step_that_does_not_grow_replaces_what_stands_there() -> None:
    series = filled(100)
    series.append(50, 7.0)
    assert list(series.steps[-2:]) == [49, 50]
    assert series.tree.extent(0, len(series)) == (min(series.tree.values), 7.0)


def test_gaps_are_kept_apart_and_superseded_with_their_step() -> None:
    series = filled(10)
    series.append(10, math.nan)
    series.append(11, math.inf)
    assert list(series.gaps) == [10, 11]
    assert series.last == math.inf
    series.supersede(10)
    assert list(series.gaps) == [10]


def test_the_moving_average_is_the_plain_one_at_every_place() -> None:
    random.seed(1)
    values = [random.random() for _ in range(333)]
    values[100] = math.nan
    series, decay, total, weight = Series(), 0.5**0.1, 0.0, 0.0
    for step, value in enumerate(values[:200]):
        series.append(step, value)
    series.smooth_by(10.0)  # the first part at once, the rest as it comes
    for step, value in enumerate(values[200:], 200):
        series.append(step, value)
    for step, value in enumerate(values):
        if not math.isnan(value):
            total, weight = decay * total + value, decay * weight + 1
        assert math.isclose(series.average_at(step), total / weight, rel_tol=1e-4), step
    assert series.average_at(1) == pytest.approx(
        sum(values[:2]) / 2, rel=0.05
    )  # the first stands for itself alone


def test_a_long_stretch_is_its_mean_and_a_short_one_the_moving_average() -> None:
    random.seed(2)
    values = [random.random() for _ in range(5000)]
    values[2500] = math.nan
    series = Series()
    for step, value in enumerate(values):
        series.append(step, value)
    series.smooth_by(10.0)
    for start, stop in ((0, 5000), (7, 1003), (2480, 2555), (100, 133), (4096, 4992)):
        kept = [value for value in values[start:stop] if value == value]
        assert math.isclose(series.average_over(start, stop), sum(kept) / len(kept), rel_tol=1e-4)
    assert series.average_over(100, 110) == series.average_at(109)


def test_a_fast_wave_is_no_slow_one() -> None:
    """Read at the end of each stretch of 71 rows a wave of 70 rows would seem one of 4,970."""
    series = Series()
    for step in range(20_000):
        series.append(step, math.sin(2 * math.pi * step / 70))
    series.smooth_by(2.0)
    ends = range(71, 20_000, 71)
    assert max(abs(series.average_at(end - 1)) for end in ends) > 0.9  # the control
    assert max(abs(series.average_over(end - 71, end)) for end in ends) < 0.05


def test_the_moving_average_follows_a_resume() -> None:
    again, fresh = filled(100, 5.0), filled(40, 5.0)
    again.supersede(39)
    assert again.average is not None
    assert fresh.average is not None
    assert math.isclose(again.average, fresh.average)


def test_numbers_too_large_for_the_chart_are_gaps() -> None:
    series = filled(3)
    for step, value in enumerate((1e300, -1e300, 10**400), 3):
        series.append(step, value)
    assert list(series.gaps) == [3, 4, 5]
    assert series.tree.extent(0, 6) == series.tree.extent(0, 3)


def test_without_smoothing_there_is_no_average() -> None:
    assert filled(10).average is None


def test_every_change_is_a_new_version() -> None:
    series = filled(5)
    before = series.version
    series.supersede(10)
    assert series.version == before
    series.supersede(2)
    assert series.version > before
