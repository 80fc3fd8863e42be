"""One look into a model in training, on the text that it has just been trained on.

The look changes nothing: no weight, no gradient, no state of a generator. It waits for the device once, at
its end.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import inf

import torch
from torch import Tensor

from trainer.device.device import Device, default_generator_state, set_default_generator_state
from trainer.evals.probes.gradient_conflict import measure_warfare
from trainer.evals.probes.hooks import banks_with_u, u_shuffled, watched
from trainer.models import U_HIGH, U_LOW
from trainer.models.outputs import Features
from trainer.step.optimizer_step import Batch
from trainer.step.state import TrainState

OF_THE_WHOLE = ("z", "det")
"""What is told of all layers together as well, as their mean."""


@dataclass(frozen=True)
class ProbeReading:
    """What was seen: numbers of the whole model, and numbers a layer, the first layer first."""

    values: dict[str, float] = field(default_factory=dict)
    layers: dict[str, list[float]] = field(default_factory=dict)


def probe(state: TrainState, device: Device, batch: Batch) -> ProbeReading:
    """Look at the first micro-batch of `batch`, in training mode and with the noise that comes next.

    Costs a forward pass; where there is a u two backward passes and a forward pass more. The model
    has oscillators.
    """
    inputs, targets = batch.inputs[: state.micro_batch], batch.targets[: state.micro_batch]
    model = state.model
    banks = banks_with_u(model)
    scalars: dict[str, Tensor] = {}
    with undrawn(state, device), watched(model) as columns, torch.set_grad_enabled(bool(banks)):
        with state.precision.context(device):
            seen = model.features(inputs)
            ce = model.cross_entropy(seen, targets) if banks else None
        layers = dict(columns) | layers_of(seen)
        if ce is not None:
            war = measure_warfare(banks, ce, model.config.reg * seen.penalty)
            scalars |= {"warfare_ratio": war.ratio, "warfare_cosine": war.cosine}
            layers |= {"warfare_ratio": [*war.layer_ratio], "warfare_cosine": [*war.layer_cosine]}
            del seen
    if ce is not None:
        scalars["u_shuffled"] = ce_with_u_shuffled(state, device, Batch(inputs, targets)) - ce.detach()
    scalars |= {name: torch.stack(layers[name]).mean() for name in OF_THE_WHOLE if name in layers}
    seen_now = _read(scalars, layers)
    if seen_now.values.get("warfare_ratio") == inf:  # CE does not reach the banks at all: nothing to compare
        for found in (seen_now.values, seen_now.layers):
            found.pop("warfare_ratio")
            found.pop("warfare_cosine")
    return seen_now


def layers_of(seen: Features) -> dict[str, list[Tensor]]:
    """Return what the features tell of each layer."""
    layers = {"R": seen.R, "coherence": seen.coherence}
    columns = {name: [*of.detach().float().mean((0, 1))] for name, of in layers.items()}
    if seen.u is not None:
        u = seen.u.detach().float().flatten(0, 1)
        columns |= {
            "u": [*u.median(0).values],
            "u_low": [*(u <= U_LOW).float().mean(0)],
            "u_high": [*(u >= U_HIGH).float().mean(0)],
        }
    return columns


def ce_with_u_shuffled(state: TrainState, device: Device, batch: Batch) -> Tensor:
    """Return the CE with every position's u taken from another one, under the same noise as without."""
    order = torch.randperm(batch.targets.numel(), generator=torch.Generator().manual_seed(state.step))
    shuffled = u_shuffled(state.model, order.to(device.place))
    with undrawn(state, device), torch.no_grad(), shuffled, state.precision.context(device):
        return state.model.cross_entropy(state.model.features(batch.inputs), batch.targets)


@contextmanager
def undrawn(state: TrainState, device: Device) -> Iterator[None]:
    """Put the generators back where they were: what is drawn in this block was never drawn."""
    noise, defaults = state.noise.get_state(), default_generator_state(device)
    try:
        yield
    finally:
        state.noise.set_state(noise)
        set_default_generator_state(device, defaults)


def _read(scalars: dict[str, Tensor], layers: dict[str, list[Tensor]]) -> ProbeReading:
    """Fetch everything in one transfer."""
    flat = torch.stack([*scalars.values(), *(one for column in layers.values() for one in column)])
    numbers = iter(flat.float().tolist())
    values = {name: next(numbers) for name in scalars}
    return ProbeReading(values, {name: [next(numbers) for _ in column] for name, column in layers.items()})
