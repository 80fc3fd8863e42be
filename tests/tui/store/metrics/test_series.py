import math
import random

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
    series, decay, mean = Series(), 0.5**0.1, math.nan
    for step, value in enumerate(values[:200]):
        series.append(step, value)
    series.smooth_by(10.0)  # the first part at once, the rest as it comes
    for step, value in enumerate(values[200:], 200):
        series.append(step, value)
    for step, value in enumerate(values):
        if not math.isnan(value):
            mean = value if math.isnan(mean) else decay * mean + (1 - decay) * value
        assert math.isclose(series.average_at(step), mean, rel_tol=1e-4), step


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
