"""Generous bounds on what must be quick; the benchmarks print the figures."""

import math
import time
from collections.abc import Callable

from tui.store.log_ring import LogRing
from tui.store.series import Series
from tui.widgets.chart.frame import draw
from tui.widgets.chart.look import ChartLook


def best_of(tries: int, act: Callable[[], object]) -> float:
    times = []
    for _ in range(tries):
        begun = time.process_time()
        act()
        times.append(time.process_time() - begun)
    return min(times)


def test_nine_charts_of_a_hundred_thousand_points_take_at_most_a_frame() -> None:
    series = Series()
    for step in range(100_000):
        series.append(step, math.sin(step / 300) + step % 7)
    series.smooth_by(10)

    def frame() -> None:
        for _ in range(9):
            draw(series, None, ChartLook("x"), 52, 14, focused=False)

    assert best_of(5, frame) < 0.060


def test_two_hundred_thousand_log_lines_are_taken_in_at_once() -> None:
    data = b"    20 |  56.769 |  56.660 |  0.1086 | 0.0566 |   0.878 |   16.009\n" * 200_000

    def take() -> None:
        ring = LogRing()
        for start in range(0, len(data), 65536):
            ring.feed(data[start : start + 65536])
        assert len(ring) == 200_000

    assert best_of(2, take) < 2.0
