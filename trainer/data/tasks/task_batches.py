"""Batches of a task as a function of their index: no two steps see one sequence, and nothing is stored."""

from trainer.config.schema import RunConfig
from trainer.data.batches import Batches, Ids
from trainer.data.prepared_corpus import Corpus
from trainer.data.scored import BatchSource, Weights, scored_weights
from trainer.data.tasks.known_tasks import task_of
from trainer.data.tasks.task import Task, sequences

TRAIN, VALIDATION = "train", "validation"


class TaskBatches:
    """Sequence `index * batch + row` of the split `train`, each drawn once."""

    def __init__(self, task: Task, batch: int, seed: str) -> None:
        self._task, self._batch, self._seed = task, batch, seed

    def batch_at(self, index: int) -> tuple[Ids, Ids, Weights]:
        """Return inputs, targets int64 [B, T], and what each position weighs, float32 [B, T]."""
        first = index * self._batch
        made = sequences(self._task, self._seed, TRAIN, range(first, first + self._batch))
        return made.inputs, made.targets, scored_weights(made.mask)


def batches_of(corpus: Corpus, config: RunConfig) -> BatchSource:
    """Return what a run trains on: windows of its text, or sequences of its task.

    Raises:
        DataError: the text is shorter than a window.
    """
    task = task_of(config.data, config.context)
    if task is None:
        return Batches(corpus.train, config.context, config.batch, config.seed, corpus.begins[0])
    return TaskBatches(task, config.batch, training_seed(config))


def training_seed(config: RunConfig) -> str:
    """Runs of other seeds train on other sequences; validation is of `data.task_seed` alone."""
    return f"{config.data.task_seed} {config.seed}"
