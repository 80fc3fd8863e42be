"""Train models on generated recall text, then ask them at exact distances: the distance curve of each."""

import argparse
import sys
from pathlib import Path

from benchmarks.learning.contenders import CONTENDERS, EVAL_TOKENS, Setting, config_of
from benchmarks.learning.fingerprint import function_of
from benchmarks.learning.kernels import add_kernels, use_kernels
from benchmarks.learning.ledger import RESULTS, Recall, append, lines_of, same_function
from benchmarks.learning.provenance import provenance
from benchmarks.learning.trial import fit, score
from trainer.data import prepare
from trainer.device.device import open_device
from trainer.evals.recall import CHANCE, Recalled, recall_curve
from trainer.loop.setup import build_state

DEFAULT_LR = 6e-3
DEFAULT_STEPS = 2500
TEXT = ("data.recall_bytes=4000000",)


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--models", default=",".join(CONTENDERS))
    parser.add_argument("--steps", type=int, default=DEFAULT_STEPS)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--lr", type=float, default=DEFAULT_LR)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--threads", type=int, default=1)
    add_kernels(parser)
    parser.add_argument("--results", type=Path, default=RESULTS)


def main(options: argparse.Namespace) -> int:
    """Every model that is not there yet with these settings."""
    use_kernels(options.kernels)
    sets = [*TEXT, *options.set]
    for name in options.models.split(","):
        if is_there(options, name, sets):
            continue
        line = perform(name, sets, options)
        append(options.results, line)
        for bindings, points in line.accuracy.items():
            print(name, bindings, points, file=sys.stderr)
    return 0


def is_there(options: argparse.Namespace, name: str, sets: list[str]) -> bool:
    """Whether the very run is in the file, of the function that the model has today."""
    return any(
        isinstance(line, Recall)
        and (line.model, line.settings, line.steps, line.seed, line.lr)
        == (name, sets, options.steps, options.seed, options.lr)
        and same_function(line.function, function_of(name))
        for line in lines_of(options.results)
    )


def perform(name: str, sets: list[str], options: argparse.Namespace) -> Recall:
    """Train on recall text and ask."""
    config = config_of(
        name, Setting(options.lr), "recall", steps=options.steps, seed=options.seed, sets=tuple(sets)
    )
    device = open_device("cpu", options.threads)
    with prepare(config.data) as corpus:
        state = build_state(config, device, corpus.vocab_size, 0)
        cpu_s, curve = fit(state, config, device, corpus)
        print(name, curve, file=sys.stderr)
        accuracy, asked = curves(recall_curve(state.model, pairs=config.data.recall_pairs))
        return Recall(
            model=name,
            settings=sets,
            steps=options.steps,
            batch=config.batch,
            context=config.context,
            seed=options.seed,
            lr=options.lr,
            parameters=state.model.parameter_count(),
            val_ce=score(state, config, device, corpus, EVAL_TOKENS),
            entropy_rate=corpus.entropy_rate,
            accuracy=accuracy,
            n=asked,
            chance=CHANCE,
            cpu_s=round(cpu_s, 1),
            function=function_of(name),
            **provenance(options.threads),
        )


def curves(points: list[Recalled]) -> tuple[dict[str, dict[str, float]], dict[str, dict[str, int]]]:
    """Accuracy and the number of questions, bindings -> distance."""
    accuracy: dict[str, dict[str, float]] = {}
    asked: dict[str, dict[str, int]] = {}
    for one in points:
        accuracy.setdefault(str(one.bindings), {})[str(one.distance)] = one.accuracy
        asked.setdefault(str(one.bindings), {})[str(one.distance)] = one.n
    return accuracy, asked
