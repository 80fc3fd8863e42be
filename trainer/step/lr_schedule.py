"""Linear warm-up, then half a cosine down to a floor."""

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
        horizon: steps that warm-up and cosine span together.
    """

    peak: float
    floor: float
    warmup: int
    horizon: int

    def rate(self, step: int) -> float:
        """Return the rate of the optimizer step that follows `step` finished ones."""
        if step < self.warmup:
            return self.peak * (step + 1) / self.warmup
        if step >= self.horizon:
            return self.floor
        progress = (step - self.warmup) / max(self.horizon - self.warmup, 1)
        return self.floor + (self.peak - self.floor) * 0.5 * (1 + math.cos(math.pi * progress))


def schedule_for(optim: OptimConfig, steps: int, stored_horizon: int = 0) -> Schedule:
    """Return the schedule of a run of `steps` steps.

    A resumed run keeps `stored_horizon`, however `steps` was changed: only `optim.horizon` reshapes it.
    """
    horizon = optim.horizon or stored_horizon or steps
    return Schedule(optim.lr, optim.lr * optim.min_lr_ratio, optim.warmup, horizon)
