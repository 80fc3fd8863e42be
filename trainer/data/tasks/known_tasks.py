"""Every task by its name, which is also that of its source (`data.source`)."""

from collections.abc import Callable, Mapping

from trainer.config.data import DataConfig
from trainer.data.tasks.kv_recall import KeyValueRecall
from trainer.data.tasks.task import Task

TASKS: Mapping[str, Callable[[DataConfig, int], Task]] = {"kv-recall": KeyValueRecall}


def task_of(config: DataConfig, length: int) -> Task | None:
    """Return the task that `config.source` names, or None where it is a text.

    Args:
        length: tokens of a sequence: the context of a run.

    Raises:
        DataError: its settings do not fit the length.
    """
    return TASKS[config.source](config, length) if config.source in TASKS else None
