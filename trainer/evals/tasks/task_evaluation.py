"""Everything that `photinus-train evaluate` says of a model that was trained on a task."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from trainer.data.tasks.known_tasks import task_of
from trainer.data.tasks.task import Sequences
from trainer.data.tasks.task_batches import TRAIN, VALIDATION
from trainer.data.tasks.task_corpus import held_sequences
from trainer.device.device import Device
from trainer.evals.plain_json import finite
from trainer.evals.subject import Subject
from trainer.evals.tasks.answered import answers
from trainer.evals.tasks.baselines import baselines
from trainer.evals.tasks.controls import controls
from trainer.evals.tasks.share import Share, share_of
from trainer.models import LanguageModel

FITTED = 2048
"""Training sequences that the baselines are counted on."""
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class TaskEvaluation:
    """What was found.

    Attributes:
        accuracy: of the likeliest token. untrained: likewise, before the first step.
        chance: of a blind choice among the answers.
        controls: what is left without the memory or with another key; empty where there is neither.
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
    controls: tuple[Share, ...]

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
        controls=tuple(controls(task, model, subject.device, held)),
    )


def accuracy(name: str, model: LanguageModel[Any], device: Device, held: Sequences) -> Share:
    """Return the share of answers that a model gives right; it is left in evaluation mode."""
    said = answers(model, device, held.inputs, held.mask)
    return share_of(name, int((said == held.targets[held.mask]).sum()), held.scored)
