"""What a run will need, before it begins: parameters, memory by part, time; measured on one sequence."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from trainer.config.schema import RunConfig
from trainer.device.device import Device
from trainer.loop.setup import build_state
from trainer.step.kernels import decide_kernels
from trainer.step.optimizer_step import Batch, accumulate
from trainer.step.optimizers import fresh_state
from trainer.step.state import TrainState

FLOAT = 4
ROUNDS = 2


@dataclass(frozen=True, slots=True)
class RunBudget:
    """What a run will need.

    Attributes:
        memory: bytes by part; `kept for the backward pass` is of a whole micro-batch.
        micro_batch: sequences a forward pass that was reckoned with.
        fits: the largest micro-batch, a power of two or the whole batch, whose memory is within the limit; 0:
            not even one sequence is. None without a limit.
        step_s: seconds a step, from the time of one sequence here; evaluation and saving not counted.
        kernels: the code of the inner loops that was timed.
    """

    parameters: int
    memory: dict[str, int]
    micro_batch: int
    fits: int | None
    step_s: float
    total_s: float
    tokens_per_s: float
    kernels: str

    @property
    def bytes(self) -> int:
        """All of it."""
        return sum(self.memory.values())


def budget(config: RunConfig, device: Device, vocab_size: int, limit: int = 0) -> RunBudget:
    """Reckon what a run will need, from one sequence that is worked on `device`.

    Args:
        limit: bytes of memory on the device that will train; 0: not asked.
    """
    state = build_state(config, device, vocab_size, 0)
    kernels = decide_kernels(config.kernels, config.model, device, lambda: None).name
    tokens = torch.randint(vocab_size, (1, config.context), device=device.place)
    one = Batch(tokens, tokens)
    kept, seconds = _kept_bytes(state, one), _seconds(state, device, one)
    fixed = _fixed_bytes(state)
    micro = state.micro_batch
    step_s = seconds * config.batch / config.processes
    return RunBudget(
        parameters=state.model.parameter_count(),
        memory={**fixed, "kept for the backward pass": kept * micro},
        micro_batch=micro,
        fits=_fitting(sum(fixed.values()), kept, config.batch, limit) if limit else None,
        step_s=step_s,
        total_s=step_s * config.steps,
        tokens_per_s=config.batch * config.context / step_s,
        kernels=kernels,
    )


def _fixed_bytes(state: TrainState) -> dict[str, int]:
    weights = sum(_size(one) for one in state.model.parameters())
    moments = sum(
        _size(part)
        for group in state.optimizer.param_groups
        for one in group["params"]
        for part in fresh_state(group, one.detach().to("meta")).values()
    )
    fixed = {"weights": weights, "gradients": weights, "moments": moments}
    return fixed | ({"averaged weights": weights} if state.average is not None else {})


def _size(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()


def _kept_bytes(state: TrainState, batch: Batch) -> int:
    """Bytes that a forward pass keeps for the backward pass, each storage once, without the weights."""
    own = {one.untyped_storage().data_ptr() for one in state.model.parameters()}
    with _storages() as kept:
        state.model.loss(batch.inputs, batch.targets)
    return sum(size for place, size in kept.items() if place not in own)


@contextmanager
def _storages() -> Iterator[dict[int, int]]:
    kept: dict[int, int] = {}
    alive: list[Any] = []

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        alive.append(storage)  # so that no later one takes its place
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        yield kept


def _seconds(state: TrainState, device: Device, batch: Batch) -> float:
    """Seconds of the faster of two passes over one sequence, forward and backward."""
    best = float("inf")
    for _ in range(ROUNDS):
        device.synchronize()
        begun = time.perf_counter()
        accumulate(state, device, batch)
        device.synchronize()
        best = min(best, time.perf_counter() - begun)
        state.optimizer.zero_grad()
    return best


def _fitting(fixed: int, kept: int, batch: int, limit: int) -> int:
    rows = batch
    while rows and fixed + rows * kept > limit:
        rows //= 2
    return rows
