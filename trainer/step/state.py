"""Everything that training changes, in one object: what a checkpoint must hold."""

import math
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from trainer.config.schema import GuardConfig
from trainer.models import LanguageModel
from trainer.step.averaged_weights import AveragedWeights
from trainer.step.compile import Loss
from trainer.step.kernels import TORCH, Kernels
from trainer.step.loss_scale import LossScale
from trainer.step.lr_schedule import Schedule
from trainer.step.optimizers import GroupOptimizer
from trainer.step.precision import Precision
from trainer.step.self_defence import SelfDefence, batch_of


@dataclass(slots=True)
class TrainState:
    """A run between two optimizer steps.

    Attributes:
        schedule: fixed when the run begins.
        precision: decided once, by the probe or the configuration.
        kernels: likewise.
        compiled: the loss through torch.compile, where that was asked for and worked.
        loss_scale: of fp16; None with any other precision.
        noise: generator of the model's phase noise, on the device.
        step, tokens: finished optimizer steps, and the tokens they saw.
        micro_batch: sequences a forward pass; halved when memory runs out.
        best: lowest validation CE so far; infinite before the first evaluation.
        best_kept: the lowest of those that were saved in this lineage.
        metrics: validation scores of this very step, for the manifest; None where it was not evaluated.
        parent: the checkpoint that training continued from, or the last one saved.
        owes_evaluation: whether a stop cut the evaluation of this very step short.
        average: of the weights, where `optim.ema` asks for one.
        defence: what the run remembers for its own defence.
    """

    model: LanguageModel[Any]
    optimizer: GroupOptimizer
    schedule: Schedule
    precision: Precision
    noise: torch.Generator
    micro_batch: int
    kernels: Kernels = TORCH
    compiled: Loss | None = None
    loss_scale: LossScale | None = None
    step: int = 0
    tokens: int = 0
    best: float = float("inf")
    best_kept: float = float("inf")
    metrics: dict[str, float] | None = None
    parent: str = ""
    owes_evaluation: bool = False
    average: AveragedWeights | None = None
    defence: SelfDefence = field(default_factory=SelfDefence)

    @property
    def cursor(self) -> int:
        """The index of the next batch: the step, and the batches that were left out."""
        return batch_of(self.step, self.defence.skipped)

    def is_worth_keeping(self, share: float) -> bool:
        """Whether the score of this step is that much better than the best that was saved in this lineage."""
        score = (self.metrics or {}).get("val_ce", math.inf)
        return self.best_kept - score > share * abs(self.best_kept) or self.best_kept == math.inf > score

    def rate(self, step: int, guard: GuardConfig) -> float:
        """Return the rate of the optimizer step that follows `step` finished ones."""
        return self.schedule.rate(step) * self.defence.easing(step, guard)


def named_parameters_of(state: TrainState) -> dict[str, nn.Parameter]:
    """Return every trained parameter by name."""
    return dict(state.model.named_parameters())
