"""The chart's frame as text: what a person would see without colours."""

import math

import pytest

from tui.store.metrics.chart_window import ChartWindow
from tui.store.metrics.series import Series
from tui.widgets.chart.curves import Curves
from tui.widgets.chart.envelope import columns, draw_values, extents, gap_columns
from tui.widgets.chart.frame import AS_AT_FIRST, draw
from tui.widgets.chart.look import ChartLook, FloorLine, View, Zone
from tui.widgets.chart.scale import Scale, fit, label, nice_step

WIDTH, HEIGHT = 80, 14
BRAILLE = range(0x2801, 0x2900)


def series_of(*values: float, every: int = 1) -> Series:
    series = Series()
    for index, value in enumerate(values):
        series.append(index * every, value)
    return series


def text(
    series: Series, look: ChartLook, marks: Series | None = None, width: int = WIDTH, height: int = HEIGHT,
    view: View = AS_AT_FIRST,
) -> list[str]:  # fmt: skip
    return [
        strip.text for strip in draw(Curves(series, marks), look, width, height, focused=False, view=view)
    ]


def dots(lines: list[str]) -> int:
    return sum(ord(sign) in BRAILLE for line in lines for sign in line)


def rows_with_dots(lines: list[str]) -> set[int]:
    return {number for number, line in enumerate(lines) if any(ord(sign) in BRAILLE for sign in line)}


@pytest.mark.parametrize("width", [10, 20, 40, 80, 160])
@pytest.mark.parametrize("height", [1, 3, 4, 9, 30])
def test_a_frame_has_exactly_its_size(width: int, height: int) -> None:
    look = ChartLook(
        "R", zones=(Zone(-math.inf, 0.5, "blue", "☾ Intimacy"),), floors=(FloorLine(0.4, "floor"),)
    )
    strips = draw(Curves(series_of(*(math.sin(i) for i in range(500)))), look, width, height, focused=True)
    assert [strip.cell_length for strip in strips] == [width] * height


def test_the_title_says_the_last_value_and_its_unit() -> None:
    assert text(series_of(3.0, 2.5), ChartLook("loss", "nats/token"))[0].startswith(" loss  2.500 nats/token")


def test_a_narrow_title_keeps_the_value() -> None:
    series = series_of(*(1.0 + i / 10 for i in range(30)))
    assert text(series, ChartLook("loss", "nats/token"), width=16)[0].rstrip() == " loss  3.900"


def test_a_chart_without_values_says_so() -> None:
    assert any("no values yet" in line for line in text(Series(), ChartLook("loss")))


def test_one_spike_among_a_hundred_thousand_values_is_drawn_to_the_top() -> None:
    flat = [1.0] * 100_000
    plain = text(series_of(*flat), ChartLook("x"))
    flat[31_415] = 50.0
    spiked = text(series_of(*flat), ChartLook("x"))
    assert 1 in rows_with_dots(spiked)
    assert len(rows_with_dots(spiked)) == HEIGHT - 2
    assert len(rows_with_dots(plain)) == 1


def test_every_column_reaches_from_its_least_to_its_greatest() -> None:
    values = [math.sin(i * 0.37) * (i % 17) for i in range(2000)]
    series, scale = series_of(*values), Scale(-17, 17, 40)
    cut = columns(series, 0, 1999, 100)
    assert cut[0][0] == 0
    assert cut[-1][1] == 2000
    for mask, (start, stop) in zip(
        draw_values(series, cut, extents(series, cut), scale, set()), cut, strict=True
    ):
        part = values[start:stop]
        for value in (min(part), max(part)):
            assert mask >> scale.place(value) & 1


def test_values_far_apart_are_joined_and_a_gap_is_not() -> None:
    joined = dots(text(series_of(1.0, 2.0, every=100), ChartLook("x")))
    broken = text(series_of(1.0, math.nan, 2.0, every=100), ChartLook("x"))
    assert joined > 30
    assert dots(broken) == 2
    assert any("✕" in line for line in broken[1:])
    assert "not finite" in broken[0]


def test_finite_values_have_no_cross() -> None:
    assert not any("✕" in line for line in text(series_of(1.0, 2.0, 3.0), ChartLook("x")))


def test_gap_marks_stand_in_their_column() -> None:
    series = series_of(*(math.nan if i == 50 else 1.0 for i in range(101)))
    assert gap_columns(series, 0, 100, 100) == {50}
    assert gap_columns(series, 60, 100, 100) == set()


def test_floors_are_labelled_lines_with_and_without_a_legend() -> None:
    look = ChartLook("loss", floors=(FloorLine(2.43, "bigram"),))
    for width in (40, 100):
        lines = text(series_of(*(5 - i / 100 for i in range(400))), look, width=width)
        (named,) = [line for line in lines if "bigram 2.43" in line]
        assert "╌╌╌" in named


def test_zones_are_named_beside_the_curve() -> None:
    zones = (
        Zone(-math.inf, 0.1, "grey", "∅ Unformed"),
        Zone(0.1, 0.3, "blue", "☾ Intimacy"),
        Zone(0.3, 9, "green", "⚖ Balance"),
    )
    lines = text(series_of(*(i / 1000 for i in range(250))), ChartLook("R", zones=zones, include=(0.0,)))
    assert [line for line in lines if "Unformed" in line]
    assert [line for line in lines if "Intimacy" in line]
    assert not [line for line in lines if "Balance" in line]


def test_marks_are_diamonds_on_the_same_axis() -> None:
    marks = Series()
    marks.append(50, 2.0)
    lines = text(series_of(*(3 - i / 100 for i in range(100))), ChartLook("loss", marks_title="val"), marks)
    assert sum(line.count("◆") for line in lines[1:]) == 1
    assert "◆ val 2.000" in lines[0]


def test_a_second_series_is_drawn_as_circles_on_the_same_axis_and_named() -> None:
    seen, told = series_of(*(0.2 + i / 1000 for i in range(200))), series_of(*[0.9] * 200)
    look = ChartLook("R", include=(0.0,), overlay_title="weight decay")
    lines = drawn(seen, look, told)
    assert "○ weight decay 0.9000" in lines[0]
    rows = [number for number, line in enumerate(lines[1:], 1) if "○" in line]
    assert len(rows) == 1
    assert lines[rows[0]].count("○") >= 15
    assert rows_with_dots(lines).isdisjoint(rows)
    assert not any("○" in line for line in drawn(seen, look, None))
    assert "○ weight decay 0.9000" in drawn(seen, look, told, View(cursor=7))[0]


def test_where_both_series_agree_the_curve_shows_between_the_circles() -> None:
    seen = series_of(*(i / 200 for i in range(200)))
    lines = drawn(seen, ChartLook("R", overlay_title="told"), seen)
    assert sum(line.count("○") for line in lines[1:]) >= 15
    assert dots(lines) >= 30


def test_a_second_series_that_begins_late_or_has_gaps_leaves_room() -> None:
    late = Series()
    for step in range(100, 200):
        late.append(step, math.nan if step < 150 else 0.5)
    lines = drawn(series_of(*[0.1] * 200), ChartLook("R", overlay_title="told"), late)
    circles = [column for line in lines[1:] for column, sign in enumerate(line) if sign == "○"]
    assert min(circles) > 7 + 0.7 * (WIDTH - 7)


def drawn(series: Series, look: ChartLook, overlay: Series | None, view: View = AS_AT_FIRST) -> list[str]:
    strips = draw(Curves(series, None, overlay), look, WIDTH, HEIGHT, focused=False, view=view)
    return [strip.text for strip in strips]


def test_zoom_shows_the_newest_part() -> None:
    lines = text(
        series_of(*(float(i) for i in range(1000))), ChartLook("x"), view=View(window=ChartWindow(250))
    )
    assert "749" in lines[-1]
    assert "999" in lines[-1]
    assert "zoomed" in lines[0]


def test_a_log_axis_gives_each_decade_its_room() -> None:
    values = [10.0 ** (3 - i / 100) for i in range(500)]
    linear, log = (
        text(series_of(*values), ChartLook("x")),
        text(series_of(*values), ChartLook("x"), view=View(log=True)),
    )
    assert "log" in log[0]
    assert any("100┤" in line for line in log)
    assert any("0.01┤" in line for line in log)
    assert not any("0.01┤" in line for line in linear)


def test_a_log_axis_stands_values_at_or_below_zero_at_its_foot() -> None:
    scale = fit(-1.0, 100.0, 40, log=True)
    assert scale.log
    assert scale.place(-1.0) == scale.place(0.0) == 39


@pytest.mark.parametrize(("low", "high"), [(0.0, 0.0), (5.0, 5.0), (-3.0, 7.0), (1e-12, 2e-12), (1e30, 2e30)])
def test_an_axis_holds_what_it_was_made_for(low: float, high: float) -> None:
    scale = fit(low, high, 40, log=False)
    assert scale.place(high) <= scale.place(low)
    assert scale.low <= low
    assert high <= scale.high
    ticks = scale.ticks(4)
    assert len(ticks) <= 12
    assert all(len(label(tick)) <= 6 for tick in ticks)


def test_ticks_stand_at_round_values() -> None:
    assert [nice_step(raw) for raw in (0.9, 1.1, 2.2, 3, 6)] == [1.0, 2.0, 2.5, 5.0, 10.0]


def test_the_rows_are_the_curve_until_there_are_more_of_them_than_columns() -> None:
    few, many = series_of(*(3.0 - i / 50 for i in range(40))), series_of(*(math.sin(i) for i in range(500)))
    assert "mean" not in text(few, ChartLook("loss"), width=80)[0]
    assert "mean of 10 rows" in text(many, ChartLook("loss"), width=80)[0]
    rough = View(smoothing=0)
    assert text(few, ChartLook("loss")) == text(few, ChartLook("loss"), view=rough), "nothing over it"
    assert "mean" not in text(many, ChartLook("loss"), view=rough)[0]
