"""Frames of the chart: a million points in one, and nine charts of 100,000 points each. Prints JSON."""

import json
import random
import sys
import time
from collections.abc import Callable

from tui.store.series import Series
from tui.widgets.frame import Floor, Look, Zone, draw

TRIES = 15
ZONES = (Zone(0.0, 0.5, "blue", "☾ Intimacy"), Zone(0.5, 1.0, "green", "⚖ Balance"))


def filled(count: int) -> tuple[Series, float]:
    """A noisy series, and how long one append took on average, microseconds."""
    series, draws = Series(), [random.random() for _ in range(count)]
    series.smooth_by(10)
    begun = time.perf_counter()
    for step, value in enumerate(draws):
        series.append(step, value)
    return series, 1e6 * (time.perf_counter() - begun) / count


def milliseconds(act: Callable[[], object]) -> list[float]:
    times = []
    for _ in range(TRIES):
        begun = time.perf_counter()
        act()
        times.append(1000 * (time.perf_counter() - begun))
    return sorted(times)


def main() -> int:
    random.seed(1)
    look = Look("x", zones=ZONES, floors=(Floor(0.9, "floor"),))
    million, append_us = filled(1_000_000)
    nine = [filled(100_000)[0] for _ in range(9)]
    one = milliseconds(lambda: draw(million, None, look, 120, 24, focused=True))
    all_nine = milliseconds(lambda: [draw(series, None, look, 53, 15, focused=False) for series in nine])
    result = {
        "benchmark": "chart",
        "append_us": round(append_us, 3),
        "frame_1m_points_ms": {"best": round(one[0], 2), "median": round(one[TRIES // 2], 2), "budget": 10},
        "nine_frames_100k_points_ms": {
            "best": round(all_nine[0], 2),
            "median": round(all_nine[TRIES // 2], 2),
            "budget": 60,
        },
    }
    sys.stdout.write(json.dumps(result) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
