"""Held-out scores, always over the same windows, without touching a generator of training."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from trainer.config.schema import RunConfig
from trainer.device.device import Device
from trainer.step.metrics import MEANS, as_vector, names_of
from trainer.step.optimizer_step import Batch, to_device
from trainer.step.state import TrainState

SAID = {
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
) -> dict[str, float]:
    """Return `val_ce` (nats a token), `val_loss` (CE + lambda Reg), `val_ppl`, `val_bpb`, and R and u.

    Args:
        tokens: the validation tokens, a 1-D array of at least two.
        bytes_per_token: mean length of a token of this text.
        check_stop: raises when a stop was requested; called once a batch.
    """
    total, weight = torch.zeros(len(MEANS), device=device.place), 0
    state.model.eval()
    try:
        with torch.no_grad():
            for batch in windows(tokens, config, device, state.micro_batch):
                check_stop()
                with state.precision.context(device):
                    loss = state.model.loss(batch.inputs, batch.targets)
                total += as_vector(loss) * batch.inputs.numel()
                weight += batch.inputs.numel()
    finally:
        state.model.train()
    means = dict(zip(MEANS, (total / weight).tolist(), strict=True))
    ce = means["ce"]
    scores = {
        "val_ce": ce,
        "val_loss": means["total"],
        "val_ppl": math.exp(ce) if ce < 700 else math.inf,
        "val_bpb": ce / math.log(2) / bytes_per_token,
    }
    has = names_of(config.model)
    return scores | {said: means[name] for name, said in SAID.items() if name in has}


def windows(tokens: Any, config: RunConfig, device: Device, micro_batch: int) -> Iterator[Batch]:
    """Yield the first `eval.tokens` validation tokens in windows of the run's context, or of all there is."""
    length = min(config.context, len(tokens) - 1)
    count = max(1, min(config.eval.tokens // length, (len(tokens) - 1) // length))
    cut = np.asarray(tokens[: count * length + 1], dtype=np.int64)
    inputs, targets = cut[:-1].reshape(count, length), cut[1:].reshape(count, length)
    for start in range(0, count, micro_batch):
        part = slice(start, start + micro_batch)
        yield to_device((inputs[part], targets[part]), device)
