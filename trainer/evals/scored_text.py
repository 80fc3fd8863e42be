"""The part of validation that a run is scored on: its length, its bytes, and its floors."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer.config.schema import RunConfig
from trainer.data import Corpus
from trainer.data.prefix_floors import Floors3, prefix_floors
from trainer.data.progress import Pulse
from trainer.data.tasks.answer_floors import answer_floors
from trainer.data.tasks.known_tasks import task_of
from trainer.data.tasks.task import Task
from trainer.data.tasks.task_batches import TRAIN, VALIDATION
from trainer.data.tasks.task_corpus import COUNTED, held_sequences


@dataclass(frozen=True, slots=True)
class ScoredText:
    """What stands beside a run's CE must be of the same tokens.

    Attributes:
        tokens: validation up to the last token that is scored, `[count + 1]`; of a task, its `Sequences`.
        count: tokens that are scored.
        bytes: bytes of text that these are.
        floors: unigram, bigram and trigram over them, nats a token.
    """

    tokens: Any
    count: int
    bytes: int
    floors: Floors3

    @property
    def bytes_per_token(self) -> float:
        """Mean length of a scored token."""
        return self.bytes / self.count


def windows_of(available: int, config: RunConfig) -> tuple[int, int]:
    """Return number and length of the windows that are scored, where there are so many validation tokens."""
    length = min(config.context, available - 1)
    return max(1, min(config.eval.tokens // length, (available - 1) // length)), length


def scored_text(corpus: Corpus, config: RunConfig, cache: Path, pulse: Pulse) -> ScoredText:
    """Return the part of a corpus that a run of `config` is scored on.

    Args:
        cache: the token cache, where the floors of such a part are kept.

    Raises:
        Stopped: if a stop was asked for.
    """
    if (task := task_of(config.data, config.context)) is not None:
        return scored_answers(task, config)
    windows, length = windows_of(len(corpus.val), config)
    count = windows * length
    tokens = corpus.val[: count + 1]
    text = corpus.tokenizer.decode(tokens[1:].tolist())
    return ScoredText(
        tokens, count, len(text), prefix_floors(corpus, count, cache / corpus.fingerprint, pulse)
    )


def scored_answers(task: Task, config: RunConfig) -> ScoredText:
    """Return the answers that a run on a task is scored on: of `eval.tokens` tokens, in whole sequences."""
    held = held_sequences(config.data, task, VALIDATION, max(1, config.eval.tokens // config.context))
    counted = answer_floors(held_sequences(config.data, task, TRAIN, COUNTED), held, len(task.characters))
    floors = (counted.unigram, counted.bigram, counted.trigram)
    return ScoredText(held, held.scored, held.scored, floors)
