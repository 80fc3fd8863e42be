"""Linear warm-up, then what `optim.schedule` says, down to a floor."""

import math
from dataclasses import dataclass

from trainer.config.schema import OptimConfig


@dataclass(frozen=True, slots=True)
class Schedule:
    """The learning rate as a pure function of the step; it belongs to the run and is stored with it.

    Attributes:
        peak: rate after warm-up.
        floor: rate at and past the horizon.
        warmup: steps of linear warm-up.
        horizon: steps that warm-up and decay span together.
        shape: cosine, linear, constant or wsd.
        decay: of wsd, the last steps of the horizon, over which it falls.
    """

    peak: float
    floor: float
    warmup: int
    horizon: int
    shape: str = "cosine"
    decay: int = 0

    def rate(self, step: int) -> float:
        """Return the rate of the optimizer step that follows `step` finished ones."""
        if step < self.warmup:
            return self.peak * (step + 1) / self.warmup
        if self.shape == "constant":
            return self.peak
        if step >= self.horizon:
            return self.floor
        progress = (step - self.warmup) / max(self.horizon - self.warmup, 1)
        if self.shape == "wsd":
            progress = min(max((step - self.horizon + self.decay) / max(self.decay, 1), 0.0), progress)
        if self.shape != "cosine":
            return self.peak + (self.floor - self.peak) * progress
        return self.floor + (self.peak - self.floor) * 0.5 * (1 + math.cos(math.pi * progress))


def schedule_for(optim: OptimConfig, steps: int, stored_horizon: int = 0) -> Schedule:
    """Return the schedule of a run of `steps` steps.

    A resumed run keeps `stored_horizon`, however `steps` was changed: only `optim.horizon` reshapes it.
    """
    horizon = optim.horizon or stored_horizon or steps
    floor, decay = optim.lr * optim.min_lr_ratio, round(optim.decay * horizon)
    return Schedule(optim.lr, floor, optim.warmup, horizon, optim.schedule, decay)
