"""How much a preset learns in a few hundred steps, beside n-gram floors counted on the same text.

    python -m benchmarks.learning one --preset kssm-v3-tiny --data python-docs --steps 400

Bytes, one text or folder, one run, the trainer's own parts: its text, split and floors, its batches, step and
validation; no checkpoints, no evaluations on the way. Prints one JSON object.
"""

import argparse
import json
import sys
import time
from statistics import median
from typing import Any

from trainer.config.resolve import resolve
from trainer.config.schema import RunConfig
from trainer.data import Batches, Corpus, prepare
from trainer.device.device import Device, open_device
from trainer.evals.validation import validate
from trainer.loop.setup import build_state
from trainer.step.metrics import StepMeter, names_of
from trainer.step.optimizer_step import to_device, train_step
from trainer.step.state import TrainState

EVAL_TOKENS = 65536


def main(options: argparse.Namespace) -> int:
    """Train, score, print."""
    sets = [
        f"steps={options.steps}",
        f"batch={options.batch}",
        f"context={options.context}",
        f"seed={options.seed}",
        f"eval.tokens={EVAL_TOKENS}",
        "data.tokenizer=byte",
        *options.set,
    ]
    config = resolve(options.preset, overrides=sets, data=options.data).config
    device = open_device("cpu", options.threads)
    with prepare(config.data) as corpus:
        state = build_state(config, device, corpus.vocab_size, 0)
        report: dict[str, Any] = {
            "preset": options.preset,
            "data": options.data,
            "parameters": state.model.parameter_count(),
            "train_bytes": len(corpus.train),
            "val_bytes": len(corpus.val),
            "unigram": corpus.floors.unigram,
            "bigram": corpus.floors.bigram,
            "trigram": corpus.floors.trigram,
        }
        print(json.dumps(report), file=sys.stderr)
        report["step_ms"] = fit(state, config, device, corpus)
        report["val_ce"] = validate(state, config, device, corpus.val, 1.0, lambda: None)["val_ce"]
    report |= {"threads": options.threads, "steps": options.steps}
    report["below_bigram"] = report["bigram"] - report["val_ce"]
    print(json.dumps({key: round(v, 4) if isinstance(v, float) else v for key, v in report.items()}))
    return 0


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--preset", default="kssm-v3-tiny")
    parser.add_argument("--data", default="python-docs", help="python-docs, or a text file or folder")
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--context", type=int, default=256)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1234)
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="such as optim.lr=1e-3"
    )


def fit(state: TrainState, config: RunConfig, device: Device, corpus: Corpus) -> float:
    """Train to the last step; return the median step in milliseconds."""
    batches = Batches(corpus.train, config.context, config.batch, config.seed)
    meter, times = StepMeter(names_of(config.model)), []
    while state.step < config.steps:
        began = time.perf_counter()
        meter.add(*train_step(state, config, device, to_device(batches.batch_at(state.step), device)))
        times.append(time.perf_counter() - began)
        if state.step % 20 == 0:
            said = " ".join(f"{name} {value:.3f}" for name, value in meter.read().items())
            print(f"{state.step:5d} {said} {1e3 * times[-1]:.0f} ms", file=sys.stderr)
    return 1e3 * median(times)
