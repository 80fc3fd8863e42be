"""Tokens a second of `kssm-v3` and its controls beside `gpt`, in every mode, interleaved in one run.

    python -m benchmarks.speed            every size, length and mode: some 20 minutes, most of it compiling
    python -m benchmarks.speed --quick    tiny, 512 tokens, eager, float32

Contenders take a step each in turn, so that all of them see the same machine; a ratio is of medians. A
model's best mode is compared with the best mode of `gpt`. Writes `benchmarks/results/speed.json`, of which
`python -m benchmarks.speed_table docs/models.md` makes the table of that page.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from typing import Any

import torch

from benchmarks.__main__ import RESULTS
from benchmarks.figures import Figure, report
from benchmarks.learning.kernels import use_kernels
from benchmarks.speed_table import Cell
from trainer.device.device import open_device
from trainer.models import LanguageModel, create, native

CONTENDERS: dict[str, tuple[str, dict[str, object]]] = {
    "gpt": ("gpt", {}),
    "gated": ("gated", {}),
    "kssm-v3": ("kssm-v3", {}),
    "kssm-v3 uncoupled": ("kssm-v3", {"coupled": False}),
}
VOCABULARY = {"tiny": 256, "28m": 4096}
BATCH = {("tiny", 512): 4, ("tiny", 2048): 1, ("28m", 512): 2, ("28m", 2048): 1}
AIM = {"tiny": 0.9, "28m": 1.0}
MODES = ("eager fp32", "eager bf16", "compiled fp32", "compiled bf16", "torch kernels fp32")
"""The last: eager, without compiled kernels; for the models that have them."""


@dataclass(frozen=True)
class Contender:
    """A model, its optimizer and a batch, ready to take a step in any mode."""

    model: LanguageModel[Any]
    optimizer: torch.optim.AdamW
    tokens: torch.Tensor
    compiled: Callable[[torch.Tensor, torch.Tensor], Any]

    def step(self, mode: str) -> None:
        """Perform one optimizer step."""
        loss_of = self.compiled if mode.startswith("compiled") else self.model.loss
        with kernels("torch" not in mode), torch.autocast("cpu", torch.bfloat16, enabled="bf16" in mode):
            total = loss_of(self.tokens[:, :-1], self.tokens[:, 1:]).total
            torch.autograd.backward(total)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)


class kernels(AbstractContextManager[None]):  # noqa: N801
    """Native kernels on or off for a while; a host without a compiler has none."""

    def __init__(self, native_ones: bool) -> None:
        self.off = not native_ones

    def __enter__(self) -> None:
        if self.off:
            native.disable()

    def __exit__(self, *_: object) -> None:
        if self.off:
            use_kernels("auto")


def contender(name: str, size: str, tokens: int) -> Contender:
    """Return a fresh model on random tokens."""
    torch.manual_seed(0)
    kind, fields = CONTENDERS[name]
    model = create(f"{kind}-{size}", VOCABULARY[size], **fields)
    optimizer = torch.optim.AdamW(model.parameter_groups(0.1), lr=1e-3, fused=True)
    batch = torch.randint(VOCABULARY[size], (BATCH[size, tokens], tokens + 1))
    return Contender(model, optimizer, batch, torch.compile(model.loss, dynamic=False))


def measure(
    size: str, tokens: int, modes: tuple[str, ...], rounds: int, clock: Callable[[], float]
) -> dict[tuple[str, str], float]:
    """Return the median tokens a second of every contender in every mode; each is warmed up by two steps."""
    torch.compiler.reset()
    runners = {name: contender(name, size, tokens) for name in CONTENDERS}
    cells = [(name, mode) for mode in modes for name in CONTENDERS if not ("torch" in mode and name == "gpt")]
    taken: dict[tuple[str, str], list[float]] = {cell: [] for cell in cells}
    for name, mode in cells:
        begun = time.perf_counter()
        runners[name].step(mode)
        runners[name].step(mode)
        told = f"{size} {tokens} {name}, {mode}: first two steps {time.perf_counter() - begun:.0f} s"
        print(told, file=sys.stderr, flush=True)
    for _ in range(rounds):
        for name, mode in cells:
            begun = clock()
            runners[name].step(mode)
            taken[name, mode].append(clock() - begun)
    seen = tokens * BATCH[size, tokens]
    return {cell: seen / statistics.median(seconds) for cell, seconds in taken.items()}


def figures(size: str, tokens: int, speeds: dict[tuple[str, str], float], rounds: int) -> list[Figure]:
    """Return each cell beside `gpt` in the same mode, and each model's best beside the best of `gpt`."""
    best = {
        name: max((cell for cell in speeds if cell[0] == name), key=speeds.__getitem__) for name in CONTENDERS
    }
    top = speeds[best["gpt"]]
    told = []
    for (name, mode), speed in speeds.items():
        beside = speeds.get(("gpt", mode)) or speeds["gpt", "eager fp32"]
        what = f"{name}-{size}, {tokens} tokens, {mode}"
        told.append(Figure(what, speed, "tokens/s", None, False, rounds, "gpt, same mode", speed / beside))
    for name, cell in best.items():
        aim = AIM[size] if name == "kssm-v3" else None
        what = f"{name}-{size}, {tokens} tokens, best: {cell[1]}"
        ratio = speeds[cell] / top
        told.append(Figure(what, ratio, "x gpt best", aim, False, rounds, f"gpt, {best['gpt'][1]}", ratio))
    return told


def cells_of(size: str, tokens: int, speeds: dict[tuple[str, str], float]) -> list[Cell]:
    """Return what `benchmarks.speed_table` is made from."""
    where = {"size": size, "tokens": tokens, "batch": BATCH[size, tokens]}
    return [
        {"model": name, **where, "mode": mode, "tokens_per_s": round(speed, 1)}
        for (name, mode), speed in speeds.items()
    ]


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--sizes", nargs="+", choices=list(VOCABULARY), default=list(VOCABULARY))
    parser.add_argument("--tokens", nargs="+", type=int, choices=(512, 2048), default=[512, 2048])
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES))
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--processor-time", action="store_true", help="for a machine that others use")
    options = parser.parse_args()
    if options.quick:
        options.sizes, options.tokens, options.modes = ["tiny"], [512], ["eager fp32"]
    if "eager fp32" not in options.modes:
        options.modes.insert(0, "eager fp32")
    return options


def main() -> None:
    """Measure."""
    options = parse()
    open_device("cpu", options.threads)
    if use_kernels("auto") != "native":
        options.modes = [mode for mode in options.modes if not mode.startswith("torch")]
    if any(mode.startswith("compiled") for mode in options.modes):
        native.hide_from_compiler()
        torch._dynamo.config.recompile_limit = 64  # one function, compiled for every contender and precision
    clock = time.process_time if options.processor_time else time.perf_counter
    collected: list[Figure] = []
    cells: list[Cell] = []
    for size in options.sizes:
        for tokens in options.tokens:
            speeds = measure(size, tokens, tuple(options.modes), options.rounds, clock)
            collected += figures(size, tokens, speeds, options.rounds)
            cells += cells_of(size, tokens, speeds)
            report(collected[-len(speeds) - len(CONTENDERS) :])
    body = {"threads": options.threads, "clock": clock.__name__, "torch": torch.__version__}
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps({**body, "cells": cells, "figures": [asdict(one) for one in collected]}, indent=1)
    (RESULTS / ("speed-quick.json" if options.quick else "speed.json")).write_text(text + "\n")


if __name__ == "__main__":
    main()
