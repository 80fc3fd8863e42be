"""Frames of the chart: a million points in one, and nine charts of 100,000 points each."""

import random
import time

from benchmarks.figures import Figure, median_seconds, report
from tui.store.metrics.series import Series
from tui.widgets.chart.curves import Curves
from tui.widgets.chart.frame import draw
from tui.widgets.chart.look import ChartLook, FloorLine, Zone

TRIES = 15
ZONES = (Zone(0.0, 0.5, "blue", "☾ Intimacy"), Zone(0.5, 1.0, "green", "⚖ Balance"))


def filled(count: int) -> tuple[Series, float]:
    """A noisy series, and how long one append took on average, microseconds."""
    series, draws = Series(), [random.random() for _ in range(count)]
    begun = time.perf_counter()
    for step, value in enumerate(draws):
        series.append(step, value)
    return series, 1e6 * (time.perf_counter() - begun) / count


def main() -> None:
    """Measure."""
    random.seed(1)
    look = ChartLook("x", zones=ZONES, floors=(FloorLine(0.9, "floor"),))
    million, append_us = filled(1_000_000)
    nine = [filled(100_000)[0] for _ in range(9)]
    one = median_seconds(lambda: draw(Curves(million), look, 120, 24, focused=True), TRIES)
    all_nine = median_seconds(lambda: [draw(Curves(a), look, 53, 15, focused=False) for a in nine], TRIES)
    points = [[random.random() for _ in range(100_000)] for _ in range(9)]
    looked_at = median_seconds(lambda: [(min(one), max(one)) for one in points], TRIES)
    report(
        [
            Figure("a point appended to a series", append_us, "us", n=1_000_000),
            Figure("one chart of a million points, a frame", 1e3 * one, "ms", 10.0, n=TRIES),
            Figure(
                "nine charts of 100k points, a frame",
                1e3 * all_nine,
                "ms",
                60.0,
                n=TRIES,
                baseline="min() and max() over the same points",
                ratio=all_nine / looked_at,
            ),
        ]
    )


if __name__ == "__main__":
    main()
