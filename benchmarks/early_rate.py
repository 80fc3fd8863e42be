"""`python -m benchmarks.early_rate`: is a rate that is too high from the first step found, and no other?

Small models on one text and on generated tasks, at rates from a thousandth of a good one to a hundredfold;
each run is watched as `guard.restart` would, without being touched. A minute or two a dozen of runs.
"""

import argparse
import contextlib
import io
import json
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from trainer import cli
from trainer.config.schema import GuardConfig
from trainer.step.early_rate import EarlySteps
from trainer.step.self_defence import SelfDefence

KINDS = ("gpt", "gated", "kssm-v3")
RATES = (3e-6, 1e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0)
STEPS = 400
SIZES = (
    "model.dim=32", "model.layers=2", "model.oscillators=16", "model.group=4", "model.harmonics=1",
    "model.heads=2", "batch=8", "context=32", "optim.amp=off", "optim.schedule=constant", "eval.every=0",
    "eval.tokens=4000", "eval.sample_tokens=0", "checkpoint.every=0", "log.every=1", "probe.every=0",
    "guard.restart=0", "guard.rollbacks=1", "guard.spike=0", "guard.rise=0", "threads=1", "device=cpu",
)  # fmt: skip


def trained(out: Path, data: str, *more: str) -> list[dict[str, Any]]:
    """Train one; return its events."""
    sets = [word for one in (*SIZES, f"steps={STEPS}", *more) for word in ("--set", one)]
    with contextlib.redirect_stdout(io.StringIO()):
        cli.main(["run", "--preset", "kssm-v3-tiny", "--data", data, "--out", str(out), *sets])
    return [json.loads(line) for line in (out / "events.jsonl").read_text().splitlines()]


def found_at(events: list[dict[str, Any]], warmup: int) -> int | None:
    """Return the step at which the run would have begun again, None where it would not."""
    unigram = next(one["unigram"] for one in events if one["type"] == "floors")
    memory, early = SelfDefence(), EarlySteps(warmup, unigram)
    guard = GuardConfig(spike=0.0, rise=0.0)
    for row in (one for one in events if one["type"] == "metrics"):
        loss, norm = (row[name] if row[name] is not None else float("nan") for name in ("total", "grad_norm"))
        trouble = memory.observe(row["step"], loss, norm, guard, 1 << 30, early)
        if trouble is not None:
            return int(row["step"])
    return None


def main() -> None:
    """Print a line a run: where it was found, and the loss that it came to."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.early_rate", description=__doc__)
    parser.add_argument(
        "--data", action="append", default=[], help="a text, or a generated task; may be repeated"
    )
    parser.add_argument("--warmup", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=1)
    wish = parser.parse_args()
    head = ("found at", "loss at 100", "last", "unigram")
    print(f"{'data':12} {'kind':10} {'rate':>8} {'seed':>4} " + " ".join(f"{word:>11}" for word in head))
    for data in wish.data or ["python-docs"]:
        for kind in KINDS:
            for rate in RATES:
                for seed in range(wish.seeds):
                    with tempfile.TemporaryDirectory() as folder:
                        events = trained(
                            Path(folder, "run"), data, f"model.kind={kind}", f"optim.lr={rate}",
                            f"optim.warmup={wish.warmup}", f"seed={seed}",
                        )  # fmt: skip
                    losses = [one["ce"] or float("nan") for one in events if one["type"] == "metrics"]
                    unigram = next(one["unigram"] for one in events if one["type"] == "floors")
                    at = found_at(events, wish.warmup)
                    print(
                        f"{Path(data).name:12} {kind:10} {rate:8g} {seed:4} {at or '-':>11} "
                        f"{median(losses[84:100]):11.2f} {median(losses[-16:]):11.2f} {unigram:11.2f}",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
