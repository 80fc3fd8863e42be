"""One optimizer step: accumulate, clip, update; and what to do when memory does not suffice."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from trainer.config.schema import RunConfig
from trainer.device.device import Device, is_out_of_memory
from trainer.job.outcome import TrainingFailedError
from trainer.step.metrics import as_vector
from trainer.step.state import TrainState
from trainer.step.world import World

ALONE = World()


@dataclass(frozen=True, slots=True)
class Batch:
    """Inputs and targets of one optimizer step on the device, `[B, T]` int64."""

    inputs: Tensor
    targets: Tensor


def to_device(arrays: tuple[Any, Any], device: Device) -> Batch:
    """Return numpy int64 arrays `[B, T]` as a batch on the device."""
    inputs, targets = (torch.from_numpy(array).to(device.place, non_blocking=True) for array in arrays)
    return Batch(inputs, targets)


def train_step(
    state: TrainState, config: RunConfig, device: Device, batch: Batch, world: World = ALONE
) -> tuple[Tensor, Tensor]:
    """Perform one optimizer step; return the vector of `metrics.MEANS` and the gradient norm before clipping.

    Nothing here waits for the device. With several processes, `batch` is this one's part, and what is
    returned is of the whole batch (of a median, the mean over processes).
    """
    means = world.average(list(state.model.parameters()), accumulate(state, device, batch))
    grad_norm = clip(state, config.optim.clip)
    for group in state.optimizer.param_groups:
        group["lr"] = state.schedule.rate(state.step)
    state.optimizer.step()
    state.optimizer.zero_grad(set_to_none=True)
    state.step += 1
    state.tokens += batch.inputs.numel() * world.size
    return means, grad_norm


def accumulate(state: TrainState, device: Device, batch: Batch) -> Tensor:
    """Add up the gradients of a batch, `state.micro_batch` sequences at a time; return the mean metrics."""
    size = batch.inputs.shape[0]
    means: Tensor | None = None
    loss_of = state.compiled or state.model.loss
    parts = (torch.split(tokens, state.micro_batch) for tokens in (batch.inputs, batch.targets))
    for inputs, targets in zip(*parts, strict=True):
        share = inputs.shape[0] / size
        with state.precision.context(device):
            loss = loss_of(inputs, targets)
        torch.autograd.backward(loss.total * share)
        part = as_vector(loss) * share
        means = part if means is None else means + part
    if means is None:
        raise ValueError("an empty batch")
    return means


def clip(state: TrainState, limit: float) -> Tensor:
    """Scale the gradients down to norm `limit` (0: leave them); return their norm before."""
    parameters = list(state.model.parameters())
    if limit:
        return torch.nn.utils.clip_grad_norm_(parameters, limit)
    return torch.nn.utils.get_total_norm([one.grad for one in parameters if one.grad is not None])


def train_step_within_memory(
    state: TrainState,
    config: RunConfig,
    device: Device,
    batch: Batch,
    tell: Callable[[str], None],
    world: World = ALONE,
) -> tuple[Tensor, Tensor]:
    """`train_step`, which halves the micro-batch and tries again as often as memory runs out.

    Raises:
        TrainingFailedError: a single sequence does not fit.
    """
    while True:
        try:
            return train_step(state, config, device, batch, world)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            state.optimizer.zero_grad(set_to_none=True)
            if state.micro_batch == 1:
                raise TrainingFailedError(
                    "out of memory with a micro-batch of one sequence; lower context or model.dim"
                ) from error
        state.micro_batch = (min(state.micro_batch, batch.inputs.shape[0]) + 1) // 2
        device.release_memory()
        passes = -(-batch.inputs.shape[0] // state.micro_batch)
        tell(f"out of memory: micro-batch halved to {state.micro_batch}, {passes} passes a step from here on")
