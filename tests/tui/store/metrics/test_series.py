import bisect
import math
import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.store.metrics.pyramid import Pyramid
from tui.store.metrics.series import Series
from tui.store.metrics.sums import window

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


def filled(count: int) -> Series:
    series = Series()
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


def plain_mean(values: list[float], row: int, width: int) -> float:
    part = [one for one in values[max(row - width // 2, 0) : row - width // 2 + width] if one == one]
    return sum(part) / len(part) if part else math.nan


@settings(max_examples=40)
@given(st.integers(0, 10), st.integers(1, 3000), st.integers(1, 1300), st.data())
def test_a_moving_mean_is_the_plain_one_wherever_it_is_taken(
    seed: int, count: int, asked: int, data: st.DataObject
) -> None:
    draws = random.Random(seed)
    values = [math.nan if draws.random() < 0.02 * (seed % 3) else draws.gauss(0, 1) for _ in range(count)]
    series, width = Series(), window(asked, 1.0)
    for step, value in enumerate([*values, *values[:70]]):
        series.append(step, value)
    series.supersede(count - 1)
    start = data.draw(st.integers(0, count - 1))
    stop = data.draw(st.integers(start + 1, count))
    found = series.sums.moving(series.tree.values, start, stop, width)
    for row, mean in found:
        assert start <= row < stop
        assert math.isclose(mean, plain_mean(values, row, width), rel_tol=1e-4, abs_tol=1e-4), (row, width)
    if seed % 3 == 0:  # no gaps
        rows = [row for row, _ in found]
        assert (rows[0], rows[-1]) == (start, stop - 1)
        assert max((b - a for a, b in pairwise(rows)), default=0) <= max(width // 16, 1)


def test_a_huge_value_costs_the_means_about_it_alone() -> None:
    series = Series()
    for step in range(5000):
        series.append(step, 1e30 if step == 1000 else 2.0)
    means = dict(series.sums.moving(series.tree.values, 0, 5000, window(5000, 0.1)))
    assert {mean for row, mean in means.items() if abs(row - 1000) > 500} == {2.0}
    assert max(means.values()) > 1e27


@settings(max_examples=30)
@given(st.integers(0, 5), st.integers(1, 9000), st.data())
def test_the_middle_half_is_that_of_the_values(seed: int, count: int, data: st.DataObject) -> None:
    draws = random.Random(seed)
    values = [draws.gauss(0, 1) if seed % 2 else 2 * math.sin(row / 150) for row in range(count)]
    series = Series()
    for step, value in enumerate([*values, *values[:100]]):
        series.append(step, value)
    series.supersede(count - 1)
    start = data.draw(st.integers(0, count - 1))
    stop = data.draw(st.integers(start + 1, count))
    band, part = series.quartiles.band(series.tree.values, start, stop), sorted(values[start:stop])
    assert band is not None
    assert min(part) - 1e-5 <= band[0] <= band[1] <= max(part) + 1e-5
    if len(part) > 1500:  # between the 15th and the 35th of a hundred at least, and as far above
        assert part[15 * len(part) // 100] - 1e-5 <= band[0] <= part[35 * len(part) // 100] + 1e-5
        assert part[65 * len(part) // 100] - 1e-5 <= band[1] <= part[85 * len(part) // 100] + 1e-5


@pytest.mark.parametrize(("start", "stop"), [(1587, 3453), (2049, 4031), (5233, 7367), (1870, 5084)])
def test_what_juts_out_of_the_groups_counts_too(start: int, stop: int) -> None:
    """A third of such a stretch lay in no whole group of blocks, and was left out."""
    series = Series()
    for step in range(stop):
        series.append(step, 2 * math.sin(step / 150))
    band = series.quartiles.band(series.tree.values, start, stop)
    assert band is not None
    part = sorted(series.tree.values[start:stop])
    ranks = [bisect.bisect(part, value) / len(part) for value in band]
    assert abs(ranks[0] - 0.25) < 0.08
    assert abs(ranks[1] - 0.75) < 0.08


@settings(max_examples=40)
@given(VALUES, st.integers(0, 700), st.integers(0, 700), st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_what_lies_outside_is_counted(values: list[float], a: int, b: int, low: float, high: float) -> None:
    series = Series()
    for step, value in enumerate(values):
        series.append(step, value)
    start, stop = min(a, b, len(values)), min(max(a, b), len(values))
    kept = list(series.tree.values[start:stop])
    found = series.tree.beyond(start, stop, low, high)
    assert found == (sum(value < low for value in kept), sum(value > high for value in kept))


def test_numbers_too_large_for_the_chart_are_gaps() -> None:
    series = filled(3)
    for step, value in enumerate((1e300, -1e300, 10**400), 3):
        series.append(step, value)
    assert list(series.gaps) == [3, 4, 5]
    assert series.tree.extent(0, 6) == series.tree.extent(0, 3)


def test_every_change_is_a_new_version() -> None:
    series = filled(5)
    before = series.version
    series.supersede(10)
    assert series.version == before
    series.supersede(2)
    assert series.version > before
