"""What every task offers: sequences with a mask of scored positions, answers by name, and one rule."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Sequences:
    """Sequences of one length; what is not scored has a target too, which nobody looks at.

    Attributes:
        inputs: int64 [N, T].
        targets: int64 [N, T].
        mask: bool [N, T], true where the target is an answer.
    """

    inputs: Ids
    targets: Ids
    mask: Mask

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def scored(self) -> int:
        """How many answers are asked for."""
        return int(np.count_nonzero(self.mask))


class Task(Protocol):
    """A task of a given length; a sequence is a function of the generator that it is given.

    Attributes:
        length: tokens of a sequence.
        characters: one character a token id, each once: how a sequence is written.
        answers: int64, the ids among which an answer is chosen; by chance one in `len(answers)` is right.
        rule: in words, what a reader does who knows the form of the task and not its meaning.
        key: everything that a sequence depends on, beside seed, split and index.
    """

    name: str
    length: int
    characters: str
    answers: Ids
    rule: str
    key: str

    def draw(self, rng: np.random.Generator) -> tuple[Ids, Ids, Mask]:
        """Return inputs, targets and mask of one sequence, each [T]."""

    def by_rule(self, prefix: Ids) -> int:
        """Return what `rule` answers at the end of `prefix`, the inputs up to a scored position."""


def sequences(task: Task, seed: str, split: str, indices: Iterable[int]) -> Sequences:
    """Return the sequences of these indices: functions of (seed, split, index) and the task's settings.

    So validation never changes, and no training sequence is drawn from its generators.
    """
    made = [task.draw(_generator(task, seed, split, index)) for index in indices]
    inputs, targets, masks = (np.stack(column) for column in zip(*made, strict=True))
    return Sequences(inputs, targets, masks)


def _generator(task: Task, seed: str, split: str, index: int) -> np.random.Generator:
    digest = hashlib.blake2b(f"{task.key}|{seed}|{split}|{index}".encode(), digest_size=16).digest()
    return np.random.Generator(np.random.Philox(key=np.frombuffer(digest, np.uint64)))
