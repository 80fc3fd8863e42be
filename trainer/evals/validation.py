"""Held-out scores, always over the same windows, without touching a generator of training."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trainer.config.schema import RunConfig
from trainer.data.batches import with_begins
from trainer.data.scored import scored_weights
from trainer.data.tasks.task import Sequences
from trainer.device.device import Device
from trainer.evals.scored_text import windows_of
from trainer.models import LanguageModel
from trainer.step.metrics import as_vector, by_name, names_of
from trainer.step.optimizer_step import Batch, to_device
from trainer.step.state import TrainState

AVERAGED_CE = "val_ce_ema"
"""The same score of the averaged weights of `optim.ema`, where there are some."""
ACCURACY = "val_accuracy"
"""Share of a task's answers that the likeliest token is; no text has one."""
METRICS = {
    "R": "val_R",
    "coherence": "val_coherence",
    "u_val": "val_u",
    "u_low": "val_u_low",
    "u_high": "val_u_high",
}


def validate(
    state: TrainState,
    config: RunConfig,
    device: Device,
    tokens: Any,
    bytes_per_token: float,
    check_stop: Callable[[], None],
    rows: int = 0,
    begins: NDArray[np.int64] | None = None,
) -> dict[str, float]:
    """Return `val_ce` (nats a token), `val_loss` (CE + lambda Reg), `val_ppl`, `val_bpb`, and R and u.

    Of a task: CE of its answers, and `val_accuracy` in place of `val_bpb`.

    Args:
        tokens: the validation tokens, a 1-D array of at least two, or the `Sequences` of a task.
        bytes_per_token: mean length of the tokens that are scored.
        check_stop: raises when a stop was requested; called once a batch.
        rows: sequences at a time; 0: the micro-batch of training.
        begins: where documents begin, if the state is reset there.
    """
    total: Tensor | None = None
    right: Tensor | None = None
    weight = 0
    state.model.eval()
    try:
        with torch.no_grad():
            for batch in windows(tokens, config, device, rows or state.micro_batch, begins):
                check_stop()
                with state.precision.context(device):
                    loss = state.model.loss(batch.inputs, batch.targets, batch.scored)
                    if batch.scored is not None:
                        hits = right_answers(state.model, batch)
                        right = hits if right is None else right + hits
                part = as_vector(loss) * batch.targets.numel()
                total = part if total is None else total + part
                weight += batch.targets.numel()
    finally:
        state.model.train()
    if total is None:
        raise ValueError("nothing to score")
    means = by_name((total / weight).tolist())
    ce = means["ce"]
    scores = {
        "val_ce": ce,
        "val_loss": means["total"],
        "val_ppl": math.exp(ce) if ce < 700 else math.inf,
        **(
            {"val_bpb": ce / math.log(2) / bytes_per_token}
            if right is None
            else {ACCURACY: float(right) / tokens.scored}
        ),
    }
    has = names_of(config.model)
    return scores | {metric: means[name] for name, metric in METRICS.items() if name in has}


def right_answers(model: LanguageModel[Any], batch: Batch) -> Tensor:
    """Return how many scored positions of a batch the likeliest token answers, a number on the device."""
    hits: Tensor = model.head(model.features(batch.inputs).hidden).argmax(-1) == batch.targets
    return (hits & (batch.scored > 0)).sum() if batch.scored is not None else hits.sum()


def windows(
    tokens: Any,
    config: RunConfig,
    device: Device,
    micro_batch: int,
    begins: NDArray[np.int64] | None = None,
) -> Iterator[Batch]:
    """Yield the first `eval.tokens` validation tokens in windows of the run's context, or of all there is.

    Of a task: all sequences that are given; their weights have a mean of 1 over all of them.
    """
    if isinstance(tokens, Sequences):
        arrays = (tokens.inputs, tokens.targets, scored_weights(tokens.mask))
        for start in range(0, len(tokens), micro_batch):
            yield to_device(tuple(one[start : start + micro_batch] for one in arrays), device)
        return
    count, length = windows_of(len(tokens), config)
    cut = np.asarray(tokens[: count * length + 1], dtype=np.int64)
    inputs, targets = cut[:-1].reshape(count, length), cut[1:].reshape(count, length)
    inputs = with_begins(inputs, np.arange(count * length).reshape(count, length), begins)
    for start in range(0, count, micro_batch):
        part = slice(start, start + micro_batch)
        yield to_device((inputs[part], targets[part]), device)
