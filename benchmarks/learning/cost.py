"""What a step of each model costs: process CPU time, all models taking turns in one process."""

import statistics
import time
from collections.abc import Callable, Sequence

import torch

from benchmarks.learning.contenders import BATCH, CONTENDERS, CONTEXT, SUBJECT, Setting, config_of
from benchmarks.learning.ledger import Cost
from benchmarks.learning.provenance import provenance
from trainer.device.device import open_device
from trainer.loop.setup import build_state
from trainer.step.optimizer_step import Batch, train_step

ROUNDS, WARM = 41, 3


def measure(threads: int, rounds: int = ROUNDS) -> Cost:
    """Median CPU milliseconds of an optimizer step, and how many steps each gets for one of the subject's.

    A ratio is the median over the rounds: a processor changes its pace within seconds, a round is shorter.
    """
    steps = {name: stepper(name, threads) for name in CONTENDERS}
    taken: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    for turn in range(WARM + rounds):
        for name, step in steps.items():
            began = time.process_time()
            step()
            if turn >= WARM:
                taken[name].append(time.process_time() - began)
    ms = {name: 1e3 * statistics.median(times) for name, times in taken.items()}
    return Cost(
        ms={name: round(one, 1) for name, one in ms.items()},
        ratio={name: round(_ratio(taken[SUBJECT], times), 3) for name, times in taken.items()},
        rounds=rounds,
        **provenance(threads),
    )


def _ratio(ours: Sequence[float], others: Sequence[float]) -> float:
    return statistics.median(one / other for one, other in zip(ours, others, strict=True))


def stepper(name: str, threads: int) -> Callable[[], object]:
    """A function that performs one step of a fresh model on random bytes."""
    config = config_of(name, Setting(1e-3), "python-docs", steps=1000, seed=0)
    device = open_device("cpu", threads)
    state = build_state(config, device, 256, 0)
    tokens = torch.randint(256, (BATCH, CONTEXT + 1))
    batch = Batch(tokens[:, :-1].contiguous(), tokens[:, 1:].contiguous())
    return lambda: train_step(state, config, device, batch)
