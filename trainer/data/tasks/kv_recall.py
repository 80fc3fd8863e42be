"""`kv-recall`: pairs of key and value lie scattered in noise; at the end the value of a key is asked for.

In the first three quarters of a sequence `(Kv)` stores the value v under the key K; in the last quarter
`?K` asks, and what was stored follows as the answer. Keys differ from one another, and so do values; all
else is noise.
"""

import numpy as np

from trainer.config.data import DataConfig
from trainer.data.data_errors import DataError
from trainer.data.tasks.task import Ids, Mask, Sequences

OPEN, CLOSE, ASK, FIRST_KEY = range(4)
KEYS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
VALUES = "".join(map(chr, range(0x0410, 0x0450)))
NOISE = "".join(map(chr, range(0x2801, 0x2901)))
STORE, QUESTION = 4, 3


class KeyValueRecall:
    """See the module; the letters are Latin for keys, Cyrillic for values and Braille for noise."""

    name = "kv-recall"
    rule = "the value that was stored last"

    def __init__(self, config: DataConfig, length: int) -> None:
        """Take the settings `data.kv_*`.

        Raises:
            DataError: the pairs do not fit the length.
        """
        self.pairs, self.queries, self.length = config.kv_pairs, config.kv_queries, length
        self.stored = length * 3 // 4
        """Pairs are stored before this position, and asked for behind it."""
        if self.pairs * STORE > self.stored or self.queries * QUESTION > length - self.stored:
            least = max(-(-self.pairs * STORE * 4 // 3), self.queries * QUESTION * 4)
            raise DataError(
                f"context = {length} is too short for {self.pairs} pairs and {self.queries} questions",
                f"give a context of at least {least}, or a lower data.kv_pairs or data.kv_queries",
            )
        self.keys, self.values = config.kv_keys, config.kv_values
        self.first_value = FIRST_KEY + self.keys
        self.first_noise = self.first_value + self.values
        self.characters = f"()?{KEYS[: self.keys]}{VALUES[: self.values]}{NOISE[: config.kv_noise]}"
        self.answers = np.arange(self.first_value, self.first_noise)
        self.key = (
            f"kv-recall 1 {length} {self.pairs} {self.keys} {self.values} {config.kv_noise} {self.queries}"
        )

    def draw(self, rng: np.random.Generator) -> tuple[Ids, Ids, Mask]:
        """See `Task`."""
        text = rng.integers(self.first_noise, len(self.characters), self.length + 1)
        mask = np.zeros(self.length, np.bool_)
        keys = FIRST_KEY + rng.choice(self.keys, self.pairs, replace=False)
        values = self.first_value + rng.choice(self.values, self.pairs, replace=False)
        for at, key, value in zip(_places(rng, self.stored, self.pairs, STORE), keys, values, strict=True):
            text[at : at + STORE] = OPEN, key, value, CLOSE
        asked = rng.choice(self.pairs, self.queries, replace=False)
        free = self.length + 1 - self.stored
        for at, pair in zip(self.stored + _places(rng, free, self.queries, QUESTION), asked, strict=True):
            text[at : at + QUESTION] = ASK, keys[pair], values[pair]
            mask[at + 1] = True
        return text[:-1], text[1:], mask

    def by_rule(self, prefix: Ids) -> int:
        """See `Task`."""
        return int(self.pairs_in(prefix)[-1][1])

    def with_other_key(self, held: Sequences, stored: bool) -> tuple[Sequences, Ids]:
        """Return sequences whose last question asks for another key, and the value of that key.

        That question alone is scored, by the old value.

        Args:
            stored: take the next pair's key; else the first one that is not stored, which has no value (-1).
        """
        inputs, mask, own = held.inputs.copy(), np.zeros_like(held.mask), []
        for row in range(len(held)):
            pairs, place = self.pairs_in(inputs[row]), int(np.flatnonzero(held.mask[row])[-1])
            keys = [key for key, _ in pairs]
            key, value = pairs[(keys.index(int(inputs[row, place])) + 1) % len(pairs)]
            if not stored:
                key, value = min(set(range(FIRST_KEY, self.first_value)) - {*keys}), -1
            inputs[row, place] = key
            mask[row, place] = True
            own.append(value)
        return Sequences(inputs, held.targets, mask), np.array(own, np.int64)

    def pairs_in(self, inputs: Ids) -> list[tuple[int, int]]:
        """Return key and value of each pair that is stored in a sequence, in their order."""
        opened = np.flatnonzero(inputs[: self.stored] == OPEN).tolist()
        return [(int(inputs[at + 1]), int(inputs[at + 2])) for at in opened]


def _places(rng: np.random.Generator, room: int, count: int, size: int) -> Ids:
    """Where `count` pieces of `size` tokens begin in `room` tokens: any order-preserving choice alike."""
    chosen = np.sort(rng.choice(room - count * (size - 1), count, replace=False))
    return np.asarray(chosen + (size - 1) * np.arange(count), np.int64)
