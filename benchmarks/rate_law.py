"""`python -m benchmarks.rate_law`: how the best peak rate falls with width, at sizes that train in seconds.

Each kind at three widths (layers, steps, batch and text are the same), over a grid of rates; the best of each
width is the vertex of a parabola through the best three, in ln rate. The law is a line through these in
ln width. One seed; `--seeds` takes more.
"""

import argparse
import json
import math
import tempfile
from pathlib import Path
from statistics import mean

from benchmarks.early_rate import SIZES
from benchmarks.early_rate import trained as train_small

KINDS = ("gpt", "gated", "kssm-v3")
WIDTHS = (32, 64, 128)
RATES = (1.5e-3, 3e-3, 6e-3, 1.2e-2, 2.4e-2)
SHAPE = (
    "optim.schedule=cosine", "optim.warmup=30", "guard.rollbacks=0", "log.every=100", "batch=8", "context=64",
    "eval.tokens=16384", "data.max_mb=1",
)  # fmt: skip


def score(kind: str, width: int, rate: float, seed: int, steps: int) -> float:
    """Train one; return its validation CE, nats a byte."""
    sets = (
        *SHAPE, f"model.kind={kind}", f"model.dim={width}", f"model.oscillators={width}",
        f"model.heads={max(2, width // 32)}", f"optim.lr={rate}", f"seed={seed}", f"steps={steps}",
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        events = train_small(Path(folder, "run"), "python-docs", *sets)
    return next(float(one["val_ce"]) for one in reversed(events) if one["type"] == "eval")


def vertex(scores: dict[float, float]) -> float:
    """Return the rate at the bottom of the parabola through the best and its neighbours, in ln rate."""
    rates = sorted(scores)
    best = min(range(len(rates)), key=lambda index: scores[rates[index]])
    if best in (0, len(rates) - 1):
        return rates[best]  # at the edge of the grid: no more is known
    left, middle, right = (scores[rates[best + side]] for side in (-1, 0, 1))
    step = math.log(rates[best + 1] / rates[best])
    return float(rates[best] * math.exp(0.5 * step * (left - right) / (left - 2 * middle + right)))


def slope(points: list[tuple[float, float]]) -> float:
    """Return the slope of the least-squares line through the logarithms of points."""
    xs, ys = zip(*((math.log(x), math.log(y)) for x, y in points), strict=True)
    across = [x - mean(xs) for x in xs]
    return float(sum(a * y for a, y in zip(across, ys, strict=True)) / sum(a * a for a in across))


def main() -> None:
    """Print each width's scores and its best rate, then the law of the kind."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rate_law", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--steps", type=int, default=250)
    parser.add_argument("--kind", action="append", choices=KINDS)
    wish = parser.parse_args()
    print(f"{len(SIZES)} settings of benchmarks.early_rate, then: {' '.join(SHAPE)}; {wish.steps} steps")
    for kind in wish.kind or KINDS:
        points = []
        for width in WIDTHS:
            scores = {
                rate: mean(score(kind, width, rate, seed, wish.steps) for seed in range(wish.seeds))
                for rate in RATES
            }
            points.append((float(width), vertex(scores)))
            cells = " ".join(f"{rate:g}:{value:.3f}" for rate, value in scores.items())
            print(f"{kind:8} width {width:4}  {cells}  best {points[-1][1]:.2e}", flush=True)
        power = slope(points)
        print(json.dumps({"kind": kind, "points": points, "power": round(power, 3)}), flush=True)


if __name__ == "__main__":
    main()
