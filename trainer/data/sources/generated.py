"""Generated texts that ask for one thing each: `brackets`, `interleaved`, `flip-flop`, beside `recall`.

Each has a known entropy rate, is a function of its settings alone, and marks by its own rules which bytes a
reader with the right memory must get right.
"""

import hashlib
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from trainer.config.data import DataConfig
from trainer.data.progress import Pulse
from trainer.data.sources import brackets, flipflop, interleaved, recall
from trainer.data.sources.source import Document
from trainer.data.stamps import Stamp


@dataclass(frozen=True, slots=True)
class ScoredBytes:
    """The bytes of a text by which a reader's memory is scored.

    Attributes:
        positions: int64 [N], ascending.
        distances: int64 [N], how many bytes before it the answer was last to be seen; all that lies between
            must be held.
        choices: The bytes among which the answer is to be chosen; blind choice is right once in
            `len(choices)`.
    """

    positions: np.ndarray
    distances: np.ndarray
    choices: bytes


@dataclass(frozen=True, slots=True)
class Rules:
    """One kind of text: its format, the settings that it depends on, and how it is written and scored."""

    format: str
    settings: Callable[[DataConfig], tuple[int, ...]]
    document: Callable[[random.Random, DataConfig], Document]
    score: Callable[[bytes, DataConfig], tuple[list[int], list[int]]]
    choices: bytes


RULES: Mapping[str, Rules] = {
    "brackets": Rules(
        "brackets 1",
        lambda config: (config.brackets_depth,),
        brackets.document,
        brackets.score,
        brackets.CLOSERS.encode(),
    ),
    "interleaved": Rules(
        "interleaved 1",
        lambda config: (config.interleaved_streams, config.interleaved_period),
        interleaved.document,
        interleaved.score,
        interleaved.SYMBOLS.encode(),
    ),
    "flip-flop": Rules(
        "flip-flop 1",
        lambda config: (config.flipflop_gap,),
        flipflop.document,
        flipflop.score,
        flipflop.BITS.encode(),
    ),
}


class GeneratedText:
    """A source of documents of 4 KiB, until `task_bytes` are reached."""

    whole = True

    def __init__(self, config: DataConfig) -> None:
        self.name = config.source
        self._config = config
        self._rules = RULES[config.source]
        self.notes: list[str] = []

    def stamp(self) -> Stamp:
        """See `Source`: the settings are everything."""
        config, rules = self._config, self._rules
        parts = (config.task_bytes, config.task_seed, *rules.settings(config))
        return Stamp(hashlib.sha256(f"{rules.format} {parts}".encode()).hexdigest(), settled=True)

    def content_hash(self, pulse: Pulse) -> str:
        """See `Source`."""
        pulse.beat("hash", 1, 1)
        return self.stamp().digest

    def documents(self, pulse: Pulse) -> Iterator[Document]:
        """See `Source`."""
        config, rules = self._config, self._rules
        rng = random.Random(f"{rules.format} {config.task_seed}")
        done = 0
        while done < config.task_bytes:
            pulse.beat("read", done, config.task_bytes)
            made = rules.document(rng, config)
            done += len(made.text)
            yield made


def scored(text: bytes, config: DataConfig) -> ScoredBytes | None:
    """Return which bytes of a text of `config.source` are scored, or None for a source that scores none.

    Args:
        text: whole documents of the source, blank lines between; each is a world of its own.
    """
    if config.source == "recall":
        found = recall.find_recalls(text)
        return ScoredBytes(found.positions, found.distances, recall.VALUES.encode())
    if config.source not in RULES:
        return None
    rules = RULES[config.source]
    positions: list[int] = []
    distances: list[int] = []
    at = 0
    for document in text.split(b"\n\n"):
        where, how_far = rules.score(document, config)
        positions += [at + one for one in where]
        distances += how_far
        at += len(document) + 2
    return ScoredBytes(np.array(positions, np.int64), np.array(distances, np.int64), rules.choices)
