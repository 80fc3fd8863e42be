"""One optimizer step: accumulate, clip, update; and what to do when memory does not suffice."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from trainer.config.schema import RunConfig
from trainer.device.device import Device
from trainer.device.out_of_memory import within_memory
from trainer.job.reason import reason_of
from trainer.step.compile import is_compiler_failure
from trainer.step.metrics import as_vector, is_usable
from trainer.step.optimizers import GroupOptimizer, fresh_state
from trainer.step.state import TrainState
from trainer.step.world import World

ALONE = World()


@dataclass(frozen=True, slots=True)
class Batch:
    """Inputs and targets of one optimizer step on the device, `[B, T]` int64.

    Attributes:
        inputs: `[B, T, 2]` where they tell which tokens begin a document (`trainer.data.batches`).
        scored: `[B, T]` float32, what each position weighs in the loss (`trainer.data.scored`); None: alike.
        tokens: how many positions count, of all processes' parts divided by their number.
    """

    inputs: Tensor
    targets: Tensor
    scored: Tensor | None = None
    tokens: float = 0.0


def to_device(arrays: tuple[Any, ...], device: Device) -> Batch:
    """Return numpy int64 arrays `[B, T]`, inputs and targets, and the weights of `trainer.data.scored`, where
    not all positions are scored, as a batch on the device.

    Only what is copied from pinned memory is not waited for: torch keeps such memory until it was read. MPS
    would read pageable memory later, when the arrays may be gone, and train on whatever lies there then.
    """
    inputs, targets, *scored = (_copied(torch.from_numpy(array), device) for array in arrays)
    if not scored:
        return Batch(inputs, targets, None, targets.numel())
    return Batch(inputs, targets, scored[0], targets.numel() / max(float(arrays[2].max()), 1.0))


def _copied(tokens: Tensor, device: Device) -> Tensor:
    if device.kind == "cuda":
        return tokens.pin_memory().to(device.place, non_blocking=True)
    return tokens.to(device.place)


def train_step(
    state: TrainState, config: RunConfig, device: Device, batch: Batch, world: World = ALONE
) -> tuple[Tensor, Tensor]:
    """Perform one optimizer step; return the vector of `metrics.MEANS` and the gradient norm before clipping.

    Nothing here waits for the device. A step whose loss or gradient is not finite changes neither weights nor
    moments: the fused update is told so by a number on the device. With several processes, `batch` is this
    one's part, and what is returned is of the whole batch.
    """
    parameters = list(state.model.parameters())
    means = world.average(parameters, accumulate(state, device, batch))
    scale = state.loss_scale
    overflow = scale.unscale([one.grad for one in parameters if one.grad is not None]) if scale else None
    grad_norm = clip(state, config.optim.clip)
    for group in state.optimizer.param_groups:
        group["lr"] = state.rate(state.step, config.guard)
    make_moments(state.optimizer)
    state.optimizer.found_inf = (~is_usable(means, grad_norm)).float()
    state.optimizer.step()
    if state.average is not None:
        state.average.take(state.model)
    if scale and overflow is not None:
        scale.update(overflow)
    state.optimizer.zero_grad()
    state.step += 1
    state.tokens += round((batch.tokens or batch.targets.numel()) * world.size)
    return means, grad_norm


def accumulate(state: TrainState, device: Device, batch: Batch) -> Tensor:
    """Add up the gradients of a batch, `state.micro_batch` sequences at a time; return the mean metrics."""
    size = batch.inputs.shape[0]
    means: Tensor | None = None
    loss_of = state.compiled or state.model.loss
    arrays = [one for one in (batch.inputs, batch.targets, batch.scored) if one is not None]
    for inputs, *rest in zip(*(torch.split(one, state.micro_batch) for one in arrays), strict=True):
        share = inputs.shape[0] / size
        with state.precision.context(device):
            loss = loss_of(inputs, *rest)
        device.peak.sample()
        weight = share if state.loss_scale is None else state.loss_scale.factor[0] * share
        torch.autograd.backward(loss.total * weight)
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

    def work(rows: int) -> tuple[Tensor, Tensor]:
        state.micro_batch = rows
        try:
            return train_step(state, config, device, batch, world)
        except Exception as error:
            state.optimizer.zero_grad()
            if state.compiled is None or not is_compiler_failure(error):
                raise
            tell(f"torch.compile failed, the run goes on without it: {reason_of(error)}")
        state.compiled = None
        return work(rows)

    def halved(rows: int) -> None:
        passes = -(-batch.inputs.shape[0] // rows)
        tell(f"out of memory: micro-batch halved to {rows}, {passes} passes a step from here on")

    return within_memory(work, min(state.micro_batch, batch.inputs.shape[0]), device, halved)[0]


def make_moments(optimizer: GroupOptimizer) -> None:
    """Make the moments of what is about to be updated for the first time: all of them, or none.

    The optimizer makes them group by group, between updates: where memory ran out, a step was half done.
    """
    made = []
    try:
        for group in optimizer.param_groups:
            for one in group["params"]:
                if one.grad is not None and not optimizer.state.get(one):
                    made.append(one)
                    optimizer.state[one] = fresh_state(group, one)
    except (RuntimeError, MemoryError):
        for one in made:
            optimizer.state.pop(one, None)
        raise
