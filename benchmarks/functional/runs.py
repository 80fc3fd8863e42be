"""One run of the search: train, validate, and score what the task scores."""

import json
import random
import time
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.functional.variants import SMALL, TASK_SETS
from trainer.config.data import DataConfig
from trainer.config.resolve import resolve
from trainer.config.schema import RunConfig
from trainer.data import Batches, Corpus, prepare
from trainer.data.sources.flipflop import BITS
from trainer.data.sources.generated import ScoredBytes, scored
from trainer.device.device import Device, open_device
from trainer.evals.hysteresis import hysteresis
from trainer.evals.validation import validate
from trainer.loop.setup import build_state
from trainer.models import LanguageModel
from trainer.models.kssm import KuramotoSSM
from trainer.step.optimizer_step import to_device, train_step
from trainer.step.state import TrainState

PRESET = "kssm-v3-tiny"
BATCH, CONTEXT, EVAL_TOKENS = 8, 256, 65536
BOUNDS = (16, 64, 256, 2048)
"""Distances are told apart at these, in bytes."""
FAR_GAP, FAR_DOCUMENTS, DOCUMENT = 1000, 12, 4096
"""A latch is asked too over gaps of 1,000 items, in whole documents: ten times what it was trained on."""


PAIRS = 8
"""Pairs of pasts that are told apart after 1,000 equal bytes."""


class CutError(Exception):
    """The time that was given is over."""


@dataclass(frozen=True, slots=True)
class Run:
    """A task, fields of `model:` over the preset, a seed, and a number of steps."""

    task: str
    fields: tuple[tuple[str, object], ...]
    seed: int
    steps: int

    @property
    def key(self) -> str:
        """What a finished run is known by."""
        return json.dumps([self.task, dict(self.fields), self.seed, self.steps])


def measure(run: Run, deadline: float) -> dict[str, Any]:
    """Return the line of a run.

    Raises:
        CutError: it is past `deadline`, seconds since the epoch.
    """
    device, config = open_device("cpu", 1), configure(run)
    with prepare(config.data) as corpus:
        state = build_state(config, device, corpus.vocab_size, 0)
        train(state, config, device, corpus, deadline)
        scores = validate(state, config, device, corpus.val, 1.0, lambda: None)
        state.model.eval()
        near = accuracy(state.model, np.asarray(corpus.val[:EVAL_TOKENS]), CONTEXT, config.data)
        far = None
        if run.task == "flip-flop":
            far = accuracy(state.model, *long_documents(config.data))
        return {
            "key": run.key,
            "task": run.task,
            "model": dict(run.fields),
            "seed": run.seed,
            "steps": run.steps,
            "parameters": state.model.parameter_count(),
            "val_ce": round(scores["val_ce"], 5),
            "bigram": round(corpus.floors.bigram, 5),
            "trigram": round(corpus.floors.trigram, 5),
            "entropy_rate": corpus.entropy_rate and round(corpus.entropy_rate, 5),
            "R": round(scores["val_R"], 4),
            "coherence": round(scores["val_coherence"], 4),
            "accuracy": near and near[0],
            "by_distance": near and near[1],
            "far": far and far[1],
            "past": past_of(state.model) if run.task == "flip-flop" else None,
        }


def past_of(model: LanguageModel[Any]) -> dict[str, Any]:
    """Return what is left of two pasts that end in another bit written, after 1,000 bytes to be ignored."""
    assert isinstance(model, KuramotoSSM)
    rng = random.Random(0)

    def ignored(items: int) -> str:
        return "".join("i" + rng.choice(BITS) for _ in range(items))

    shared = [ignored(20) for _ in range(PAIRS)]
    one, other = (torch.tensor([list(f"{text}w{bit}".encode()) for text in shared]) for bit in BITS)
    found = hysteresis(model, one, other, torch.tensor(list(ignored(500).encode())))
    return {name: getattr(found, name) for name in ("verdict", "before", "ratio", "nudged", "held", "faded")}


def configure(run: Run) -> RunConfig:
    """Return the configuration of a run."""
    model = {**(SMALL if run.task != "python-docs" else {}), **dict(run.fields)}
    sets = [
        f"steps={run.steps}",
        f"batch={BATCH}",
        f"context={CONTEXT}",
        f"seed={run.seed}",
        f"eval.tokens={EVAL_TOKENS}",
        "data.tokenizer=byte",
        "optim.amp=off",
        *TASK_SETS.get(run.task, ()),
        *(f"model.{name}={json.dumps(value).strip(chr(34))}" for name, value in model.items()),
    ]
    return resolve(PRESET, overrides=sets, data=run.task).config


def train(state: TrainState, config: RunConfig, device: Device, corpus: Corpus, deadline: float) -> None:
    """Take all steps, or raise `CutError`."""
    batches = Batches(corpus.train, config.context, config.batch, config.seed)
    while state.step < config.steps:
        if time.time() > deadline:
            raise CutError
        train_step(state, config, device, to_device(batches.batch_at(state.step), device))


def long_documents(config: DataConfig) -> tuple[NDArray[np.uint16], int, DataConfig]:
    """Return validation text of `flip-flop` with far longer gaps, the window, and what it was made from."""
    far = DataConfig(source=config.source, flipflop_gap=FAR_GAP, task_seed=config.task_seed + 1)
    with prepare(far) as corpus:
        return np.asarray(corpus.val[: FAR_DOCUMENTS * (DOCUMENT + 2)]), DOCUMENT, far


@torch.no_grad()
def accuracy(
    model: LanguageModel[Any], tokens: NDArray[np.uint16], context: int, config: DataConfig
) -> tuple[float, dict[str, list[float]]] | None:
    """Return the share of scored bytes that a model chooses rightly among what may stand there.

    Only answers that the window shows count. By distance: `{"<=16": [share, n], ...}`.
    """
    marks: ScoredBytes | None = scored(tokens.astype(np.uint8).tobytes(), config)
    if marks is None:
        return None
    count = (len(tokens) - 1) // context
    ids = torch.from_numpy(tokens[: count * context + 1].astype(np.int64))
    inputs, targets = ids[:-1].view(count, context), ids[1:].view(count, context)
    choices = torch.tensor(list(marks.choices))
    chosen = [
        choices[model(part).logits[..., choices].argmax(-1)]
        for part in torch.split(inputs, max(1, 8 * CONTEXT // context))
    ]
    right = (torch.cat(chosen) == targets).flatten().numpy()
    # The token at position p is predicted at p - 1, and its answer lies in the same window.
    at = marks.positions - 1
    inside = (at < count * context) & (at % context + 1 >= marks.distances)
    hits, far = right[at[inside]], marks.distances[inside]
    bins: dict[str, list[float]] = defaultdict(list)
    for low, high in zip((0, *BOUNDS), BOUNDS, strict=False):
        here = hits[(far > low) & (far <= high)]
        if len(here):
            bins[f"<={high}"] = [round(float(here.mean()), 4), len(here)]
    return round(float(hits.mean()), 4), dict(bins)
