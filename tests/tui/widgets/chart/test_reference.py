"""Charts against a renderer of their own that looks at every value: nothing invented, nothing hidden."""

import math
import random
from bisect import bisect_right
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.style import Style

from tui.store.metrics.axis import BY_STEP, Axis, MeasuredAxis
from tui.store.metrics.chart_window import WHOLE, ChartWindow, between
from tui.store.metrics.series import Series
from tui.store.metrics.sums import window
from tui.theme import hue
from tui.widgets.chart import envelope
from tui.widgets.chart.curves import Curves
from tui.widgets.chart.frame import GUTTER, draw
from tui.widgets.chart.grid import MEAN
from tui.widgets.chart.look import ChartLook, View
from tui.widgets.chart.scale import Scale, fit

WIDTH, HEIGHT = 44, 12
CELLS, ROWS = WIDTH - GUTTER, HEIGHT - 2
COLUMNS, DOTS = 2 * CELLS, 4 * ROWS
_BITS = ((0, 1, 2, 6), (3, 4, 5, 7))


@dataclass
class Picture:
    """What stands on a frame: lit dots of each column, signs and styles of each cell."""

    dots: list[set[int]]
    cells: list[list[tuple[str, Style | None]]]
    title: str

    def is_mean(self, row: int, column: int) -> bool:
        style = self.cells[row][column][1]
        return style is not None and style.color == MEAN.color

    def columns_of(self, sign: str) -> set[int]:
        return {column for row in self.cells for column, (one, _) in enumerate(row) if one == sign}


def picture(shown: Curves, view: View) -> Picture:
    strips = draw(shown, ChartLook("x"), WIDTH, HEIGHT, focused=False, view=view)
    cells = [[(sign, part.style) for part in strip for sign in part.text][GUTTER:] for strip in strips[1:-1]]
    dots: list[set[int]] = [set() for _ in range(COLUMNS)]
    for row, line in enumerate(cells):
        for column, (sign, _) in enumerate(line[:CELLS]):
            for side, bits in enumerate(_BITS):
                lit = {
                    4 * row + dot
                    for dot, bit in enumerate(bits)
                    if 0x2800 <= ord(sign) < 0x2900 and ord(sign) >> bit & 1
                }
                dots[2 * column + side] |= lit
    return Picture(dots, cells, strips[0].text)


@dataclass
class Told:
    """A series, and its axis, as the run told them."""

    steps: list[int]
    values: list[float]
    axis: Axis

    @property
    def series(self) -> Series:
        made = Series()
        for step, value in zip(self.steps, self.values, strict=True):
            made.append(step, value)
        return made

    def extent(self) -> tuple[float, float]:
        return self.axis.place(self.steps[0]), self.axis.place(self.steps[-1])

    def in_columns(self, low: float, high: float, count: int = COLUMNS) -> list[list[int]]:
        """Which rows lie in which column, by looking at each."""
        edges = [low + number * ((high - low) / count if high > low else 1.0) for number in range(count)]
        found: list[list[int]] = [[] for _ in range(count)]
        for row, step in enumerate(self.steps):
            place = self.axis.place(step)
            if low <= place <= high:
                found[bisect_right(edges, place) - 1].append(row)
        return found


@st.composite
def told(draw_from: st.DrawFn) -> Told:
    """Noise, a wave, a trend, spikes and gaps, by steps that do not come evenly."""
    draws = random.Random(draw_from(st.integers(0, 1 << 30)))
    count = draw_from(st.sampled_from((2, 7, 40, 90, 300, 1500, 2600)))
    period = draw_from(st.sampled_from((2.0, 37.0, 71.3, 800.0)))
    noise, wave, trend = (draws.choice((0.0, 1.0)) for _ in range(3))
    gaps, spikes = draws.choice((0.0, 0.01, 0.3)), draws.choice((0.0, 0.002))
    values = [
        math.nan if draws.random() < gaps
        else 300.0 if draws.random() < spikes
        else noise * draws.gauss(0, 1) + 3 * wave * math.sin(2 * math.pi * row / period) + trend * row / count
        for row in range(count)
    ]  # fmt: skip
    every = draws.choice((1, 10))
    steps, step = [], 0
    for _ in range(count):
        step += every if draws.random() < 0.98 else 40 * every
        steps.append(step)
    axis: Axis = BY_STEP
    if draws.random() < 0.3:
        axis = MeasuredAxis("time")
        at = 0.0
        for step in steps:
            at += draws.choice((0.0, 0.5, 0.5, 60.0 if draws.random() < 0.01 else 0.4))
            axis.append(step, at)
        if not axis.is_known:
            axis = BY_STEP
    return Told([int(step) for step in steps], values, axis)


def as_kept(values: list[float]) -> list[float]:
    series = Series()
    for step, value in enumerate(values):
        series.append(step, value)
    return list(series.tree.values)


def scale_of(values: list[float]) -> Scale:
    return fit(min(values), max(values), DOTS, log=False)


@settings(max_examples=60, deadline=None)
@given(told(), st.floats(0, 1), st.floats(0, 1))
def test_every_column_shows_its_extremes_and_nothing_else(one: Told, a: float, b: float) -> None:
    extent = one.extent()
    reach = extent[1] - extent[0]
    zoom = WHOLE if abs(a - b) > 0.6 else between(extent[0] + a * reach, extent[0] + b * reach, extent)
    low, high = zoom.bounds(extent)
    values, columns = as_kept(one.values), one.in_columns(low, high)
    numbers = [[values[row] for row in rows if values[row] == values[row]] for rows in columns]
    seen = [value for column in numbers for value in column]
    if not seen:
        return
    for smoothing in (0, 3):
        shown = picture(
            Curves(one.series, axis=one.axis), View(smoothing=smoothing, robust=False, window=zoom)
        )
        place = scale_of(seen).place
        gaps = {
            number for number, rows in enumerate(columns) if any(values[row] != values[row] for row in rows)
        }
        assert shown.columns_of("✕") == {column // 2 for column in gaps}
        for number, column in enumerate(numbers):
            last = _joined(columns, values, gaps, number, -1)
            after = _joined(columns, values, gaps, number, 1)
            near = [*column, *(value for value in (last, after) if value is not None)]
            allowed = {place(value) for value in near}
            lit = shown.dots[number]
            own = {
                dot for dot in lit if not shown.is_mean(dot // 4, number // 2)
            }  # the mean has a test of its own
            hidden = {
                dot for dot in (place(value) for value in (min(column), max(column)))
                if dot not in lit
            } if column else set()  # fmt: skip
            # A dot may be left out of a wall where the mean is drawn in it, and where a gap has its mark.
            for dot in hidden:
                assert shown.cells[dot // 4][number // 2][0] == "✕" or shown.is_mean(dot // 4, number // 2)
            if own and allowed:
                assert min(allowed) - 1 <= min(own), (number, "invented above")
                assert max(own) <= max(allowed) + 1, (number, "invented below")
            if not column and not near:
                assert not own


def _joined(
    columns: list[list[int]], values: list[float], gaps: set[int], number: int, way: int
) -> float | None:
    """The value to which a line leads from a column on this side; none over a gap."""
    near = number
    while near not in gaps and 0 <= (near := near + way) < len(columns) and near not in gaps:
        if columns[near]:
            return values[columns[near][-1 if way < 0 else 0]]
    return None


@settings(max_examples=40, deadline=None)
@given(told(), st.sampled_from((0.02, 0.2)))
def test_the_mean_is_that_of_its_rows_in_every_column(one: Told, share: float) -> None:
    values = as_kept(one.values)
    if all(value != value for value in values):
        return
    series, width = one.series, max(window(len(values), share), 8)
    cut = envelope.columns(series, *one.extent(), COLUMNS, one.axis)
    scale = scale_of([value for value in values if value == value])
    exact = []
    for row in range(len(values)):
        part = [
            value for value in values[max(row - width // 2, 0) : row - width // 2 + width] if value == value
        ]
        exact.append(sum(part) / len(part) if part else math.nan)
    masks = envelope.draw_mean(series, cut, scale, width, set())
    dots = [
        [scale.place(exact[row]) for row in range(start, stop) if exact[row] == exact[row]]
        for start, stop in cut
    ]
    for number, (mask, mine) in enumerate(zip(masks, dots, strict=True)):
        lit = [dot for dot in range(DOTS) if mask >> dot & 1]
        around = [dot for near in (_before(dots, number), mine, _after(dots, number)) for dot in near]
        if not lit or not mine:
            continue
        assert min(around) - 1 <= min(lit), number
        assert max(lit) <= max(around) + 1, number
        spare = 1 + DOTS // 16  # a window is moved by a sixteenth of itself
        assert min(lit) <= min(mine) + spare, number
        assert max(mine) - spare <= max(lit), number


def _before(dots: list[list[int]], number: int) -> list[int]:
    return next((dots[near] for near in range(number - 1, -1, -1) if dots[near]), [])


def _after(dots: list[list[int]], number: int) -> list[int]:
    return next((dots[near] for near in range(number + 1, len(dots)) if dots[near]), [])


def test_a_hundred_periods_are_no_slow_waves() -> None:
    """The wave of 106 periods that was drawn as five and a half: a point of the average a column."""
    series = Series()
    for row in range(20_000):
        series.append(row, math.sin(2 * math.pi * 106 * row / 20_000))
    cut, scale = envelope.columns(series, 0, 19_999, COLUMNS), Scale(-1.08, 1.08, DOTS)
    width = window(20_000, 0.02)
    masks = envelope.draw_mean(series, cut, scale, width, set())
    lit = [dot for mask in masks for dot in range(DOTS) if mask >> dot & 1]
    assert max(lit) - min(lit) <= 10
    points = [scale.place(series.tree.values[stop - 1]) for _, stop in cut]
    assert max(points) - min(points) > 30  # the control: points of the wave itself


def test_few_values_far_out_are_marked_and_counted_and_the_rest_has_the_room() -> None:
    draws = random.Random(3)
    values = [draws.gauss(2, 0.1) for _ in range(2000)]
    for row, value in ((500, 400.0), (501, 300.0), (1500, -90.0)):
        values[row] = value
    series = Series()
    for row, value in enumerate(values):
        series.append(row, value)
    robust, whole = (picture(Curves(series), View(robust=robust)) for robust in (True, False))
    assert "▲ 2 ▼ 1 outside" in robust.title
    assert robust.columns_of("▲") == {500 * CELLS // 1999}
    assert robust.columns_of("▼") == {1500 * CELLS // 1999}
    assert len(set.union(*robust.dots)) > 30
    assert not whole.columns_of("▲") | whole.columns_of("▼")
    assert "outside" not in whole.title
    assert len(set.union(*whole.dots[:15])) < 4  # the control: pressed flat


def test_a_step_down_and_a_trend_are_no_outliers() -> None:
    draws = random.Random(5)
    begun_high = [draws.gauss(6 if row < 20 else 2, 0.3) for row in range(1000)]
    for values in (
        begun_high,
        [5.0] * 100 + [1.0] * 900,
        [6 * math.exp(-row / 200) for row in range(1000)],
        [1.0] * 999 + [9.0],
    ):
        series = Series()
        for row, value in enumerate(values):
            series.append(row, value)
        assert "outside" not in picture(Curves(series), View()).title


def test_the_middle_half_of_a_crowd_is_bright_and_what_is_around_it_dim() -> None:
    draws, series = random.Random(4), Series()
    for row in range(20_000):
        series.append(row, draws.gauss(0, 1))
    shown = picture(Curves(series), View(smoothing=3, robust=False))
    place, bright = scale_of(list(series.tree.values)).place, hue("blue").color
    rows = {
        row
        for row, line in enumerate(shown.cells)
        if any(style and style.color == bright for sign, style in line[:CELLS] if sign != "╌")
    }
    assert {place(0.674) // 4} <= rows <= set(range(place(1.2) // 4, place(-1.2) // 4 + 1))
    assert {place(3.0) // 4, place(-3.0) // 4}.isdisjoint(rows)


def test_a_window_follows_the_newest_or_stays() -> None:
    extent = (0.0, 100.0)
    newest = WHOLE.zoomed(extent, 0.5)
    assert newest == ChartWindow(50.0)
    assert newest.bounds((0.0, 120.0)) == (70.0, 120.0)
    earlier = newest.panned(extent, -0.25)
    assert earlier.bounds((0.0, 120.0)) == (37.5, 87.5)
    assert earlier.panned(extent, -9).bounds(extent) == (0.0, 50.0)
    assert earlier.panned(extent, 9) == newest
    assert earlier.zoomed(extent, 9.0) == WHOLE
    about = WHOLE.zoomed(extent, 0.5, 20.0)
    assert about.bounds(extent) == (10.0, 60.0)
    assert between(80.0, 30.0, extent).bounds(extent) == (30.0, 80.0)


def test_an_axis_leads_there_and_back() -> None:
    axis = MeasuredAxis("tokens")
    for step, place in ((10, 0.0), (20, 5.0), (30, 5.0), (40, 4.0), (50, math.nan), (60, 9.0)):
        axis.append(step, place)
    assert [axis.place(step) for step in (0, 10, 15, 20, 40, 50, 60, 99)] == [0, 0, 2.5, 5, 5, 7, 9, 9]
    assert [axis.step_at(place) for place in (-1, 2.5, 5, 7, 9.5)] == [-math.inf, 15, 20, 50, math.inf]
    axis.supersede(20)
    axis.append(15, 1.0)
    assert (axis.place(15), axis.place(99)) == (1.0, 1.0)
