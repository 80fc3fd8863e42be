"""Numbers that the published K-SSM reported, and the inputs by which decay predicts its R."""

from dataclasses import dataclass

import numpy as np

from trainer.evals.probes.decay import Floats, decayed_scales, expected_R
from trainer.step.lr_schedule import Schedule

V1_TRAIN_CE = 2.4534
V1_BIGRAM_ENTROPY = 2.4519
V1_VALIDATION_PPL = (1087.1, 2069.0)
V2_FORCED_MOVE = 5.93
V3_R_AT_10K = 0.3233
ABLATION_STEPS = 15_000
BISTABLE_VAL_LOSS, MONOSTABLE_VAL_LOSS = 8.7621, 10.9295
BISTABLE_REG, MONOSTABLE_REG = 1.134, 5.700
"""Penalties in the last logged rows of both arms, before lambda."""
LAMBDA = 0.5
BISTABLE_R, MONOSTABLE_R = 0.4908, 0.4043

OSCILLATORS = 192
PEAK, WARMUP, WEIGHT_DECAY = 4e-4, 1000, 0.1


@dataclass(frozen=True)
class PublishedRun:
    """R as logged at steps, and the coupling parameter u as logged.

    Attributes:
        horizon: steps of its schedule.
        u: of its late rows.
        resumed_at: where a schedule of `first_horizon` steps was left for this one; 0: nowhere.
    """

    name: str
    horizon: int
    u: float
    observed: tuple[tuple[int, float], ...]
    resumed_at: int = 0
    first_horizon: int = 0

    def rate(self, step: int) -> float:
        """Return the learning rate of the step after `step` finished ones."""
        horizon = self.first_horizon if step < self.resumed_at else self.horizon
        return Schedule(PEAK, 0.0, WARMUP, horizon).rate(step)

    def predicted(self) -> list[float]:
        """Return R at the logged steps by decay alone."""
        steps = [step for step, _ in self.observed]
        u: Floats = np.array([self.u])
        return [expected_R(scale, u, OSCILLATORS) for scale in decayed_scales(steps, self.rate, WEIGHT_DECAY)]


PUBLISHED_RUNS = (
    PublishedRun(
        "A, Gutenberg, 10,000 steps",
        10_000,
        0.1,
        ((3000, 0.1471), (3420, 0.1700), (4700, 0.2345), (6000, 0.2823), (6540, 0.2957), (10_000, 0.3233)),
    ),
    PublishedRun(
        "B, WikiText, bistable",
        15_000,
        0.105,
        ((3000, 0.1493), (5000, 0.2698), (7500, 0.3887), (10_000, 0.4579), (15_000, 0.4908)),
    ),
    PublishedRun(
        "B, WikiText, monostable",
        15_000,
        -1.0,
        ((3000, 0.1270), (5000, 0.2315), (7500, 0.3260), (10_000, 0.3803), (15_000, 0.4043)),
    ),
    PublishedRun(
        "C, to 100,000 steps",
        100_000,
        0.1,
        ((18_000, 0.6528), (22_000, 0.8099)),
        resumed_at=15_000,
        first_horizon=15_000,
    ),
)
