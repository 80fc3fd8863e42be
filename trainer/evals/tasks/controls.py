"""Controls: what is left of an accuracy when the memory, or the right key, is taken away."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from trainer.data.tasks.kv_recall import KeyValueRecall
from trainer.data.tasks.task import Sequences, Task
from trainer.device.device import Device
from trainer.evals.tasks.answered import answers
from trainer.evals.tasks.share import Share, share_of
from trainer.models import LanguageModel
from trainer.models.memory_model import AssociativeModel


def controls(task: Task, model: LanguageModel[Any], device: Device, held: Sequences) -> list[Share]:
    """Return how often the old answer is still given.

    Without writes or reads, where the model has a memory; and, where the task has keys, when another key is
    asked for; then also how often that key's own value is given.
    """
    found = []
    if isinstance(model, AssociativeModel):
        for switch, name in (("writes", "nothing is written"), ("reads", "memory is cut")):
            with switched_off(model, switch):
                said = answers(model, device, held.inputs, held.mask)
            found.append(share_of(name, int((said == held.targets[held.mask]).sum()), held.scored))
    if isinstance(task, KeyValueRecall):
        for name, stored in (("the key of another pair", True), ("a key that is not stored", False)):
            if task.pairs == (1 if stored else task.keys):
                continue
            asked, own = task.with_other_key(held, stored)
            said = answers(model, device, asked.inputs, asked.mask)
            old = int((said == asked.targets[asked.mask]).sum())
            found.append(share_of(f"{name}: the old value", old, len(said)))
            if stored:
                found.append(share_of(f"{name}: its own value", int((said == own).sum()), len(said)))
    return found


@contextmanager
def switched_off(model: AssociativeModel, switch: str) -> Iterator[None]:
    """Switch `writes` or `reads` of every memory off meanwhile."""
    for block in model.typed_blocks():
        setattr(block, switch, False)
    try:
        yield
    finally:
        for block in model.typed_blocks():
            setattr(block, switch, True)
