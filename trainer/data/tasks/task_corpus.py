"""A task as a corpus: what the loop, its checkpoints and its evaluations ask of any text."""

import hashlib
import time

from trainer.config.data import DataConfig
from trainer.data.prepared_corpus import TOKEN, Corpus, Meta
from trainer.data.tasks.answer_floors import answer_floors
from trainer.data.tasks.task import Sequences, Task, sequences
from trainer.data.tasks.task_batches import TRAIN, VALIDATION
from trainer.data.tokenizers.characters import CharacterTokenizer

COUNTED = 1024
"""Sequences of each side that are laid out: to count on, and to be read as text by whoever asks for one."""


def task_corpus(config: DataConfig, task: Task) -> Corpus:
    """Return the corpus of a task: made here, in memory, and never cached.

    Its sides are inputs as text, one sequence a block; training draws its own (`TaskBatches`).
    """
    train, validation = (
        held_sequences(config, task, TRAIN, COUNTED),
        held_sequences(config, task, VALIDATION, COUNTED),
    )
    sides = [made.inputs.astype(TOKEN).ravel() for made in (train, validation)]
    tokenizer = CharacterTokenizer(list(task.characters))
    texts = [len(tokenizer.decode(side.tolist())) for side in sides]
    meta = Meta(
        fingerprint=hashlib.sha256(f"{task.key}|{config.task_seed}".encode()).hexdigest()[:32],
        source=task.name,
        settings={"task": task.key, "seed": str(config.task_seed)},
        documents=2 * COUNTED,
        duplicates=0,
        blocks=(COUNTED, COUNTED),
        text_bytes=(texts[0], texts[1]),
        val_starts=list(range(0, COUNTED * task.length, task.length)),
        vocab_size=tokenizer.vocab_size,
        floors=answer_floors(train, validation, tokenizer.vocab_size),
        entropy_rate=None,
        notes=[],
        files={},
        created=time.time(),
    )
    return Corpus(sides[0], sides[1], tokenizer, meta, from_cache=False, _in_use=None)


def held_sequences(config: DataConfig, task: Task, split: str, count: int, first: int = 0) -> Sequences:
    """Return `count` sequences of a split that no training step sees: neither these nor their generators."""
    return sequences(task, str(config.task_seed), split, range(first, first + count))
