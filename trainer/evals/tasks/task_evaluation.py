"""Everything that `photinus-train evaluate` says of a model that was trained on a task."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from trainer.data.tasks.registry import task_of
from trainer.data.tasks.task import Ids, Mask, Sequences
from trainer.data.tasks.task_batches import TRAIN, VALIDATION
from trainer.data.tasks.task_corpus import held_sequences
from trainer.device.device import Device
from trainer.evals.plain_json import finite
from trainer.evals.subject import Subject
from trainer.evals.tasks.baselines import baselines
from trainer.evals.tasks.share import Share, share_of
from trainer.models import LanguageModel

BATCH = 16
FITTED = 2048
"""Training sequences that the baselines are counted on."""
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class TaskEvaluation:
    """What was found.

    Attributes:
        accuracy: of the likeliest token. untrained: likewise, before the first step.
        chance: of a blind choice among the answers.
    """

    name: str
    kind: str
    step: int
    task: str
    sequences: int
    length: int
    parameters: int
    accuracy: Share
    untrained: Share
    chance: float
    baselines: tuple[Share, ...]

    @property
    def best_baseline(self) -> Share:
        """The one that is right most often."""
        return max(self.baselines, key=lambda one: one.value)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        values: dict[str, Any] = finite(asdict(self))
        return values


def evaluate_task(subject: Subject, count: int, say: Say = lambda _: None) -> TaskEvaluation:
    """Ask a model `count` sequences of the validation of its task.

    Raises:
        ValueError: it was trained on a text.
    """
    config, model = subject.config, subject.model
    task = task_of(config.data, config.context)
    if task is None:
        raise ValueError(f"{config.data.source} is a text and no task")
    held = held_sequences(config.data, task, VALIDATION, count)
    say("counting baselines")
    counted = baselines(task, held_sequences(config.data, task, TRAIN, FITTED), held)
    say("answering")
    return TaskEvaluation(
        name=subject.name,
        kind=config.model.kind,
        step=subject.step,
        task=task.name,
        sequences=count,
        length=task.length,
        parameters=model.parameter_count(),
        accuracy=accuracy("trained", model, subject.device, held),
        untrained=accuracy("untrained", subject.untrained(), subject.device, held),
        chance=1 / len(task.answers),
        baselines=tuple(counted),
    )


def accuracy(name: str, model: LanguageModel[Any], device: Device, held: Sequences) -> Share:
    """Return the share of answers that a model gives right; it is left in evaluation mode."""
    said = answers(model, device, held.inputs, held.mask)
    return share_of(name, int((said == held.targets[held.mask]).sum()), held.scored)


@torch.no_grad()
def answers(model: LanguageModel[Any], device: Device, inputs: Ids, mask: Mask) -> Ids:
    """Return the likeliest token at each scored position, in the order of `targets[mask]`."""
    model.eval()
    found = []
    for begin in range(0, len(inputs), BATCH):
        part = slice(begin, begin + BATCH)
        hidden = model.features(torch.from_numpy(inputs[part]).to(device.place)).hidden
        where = torch.from_numpy(mask[part]).to(device.place)
        found.append(model.head(hidden[where]).argmax(-1).cpu().numpy())
    return np.concatenate(found)
