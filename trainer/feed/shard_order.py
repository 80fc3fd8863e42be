"""Which examples come in which step: batches over a walk through shards, as a function of the step."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.data.permutation import permute, round_keys
from trainer.data.scored import ScoredBatch, scored_weights
from trainer.feed.shard import FedShard

Pairs = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Leg:
    """A part of the walk: one shard, from the step `start` to the step `end`, which may be before its last.

    Attributes:
        replay_of: earlier shards of which `replayed` examples are mixed in.
    """

    shard: str
    start: int
    end: int
    replayed: int = 0
    replay_of: tuple[str, ...] = ()


def steps_of(examples: int, batch: int) -> int:
    """Return the steps of so many examples; the last batch may be a part of one."""
    return -(-examples // batch)


def replayed_examples(own: int, earlier: int, share: float) -> int:
    """Return how many of `earlier` examples are mixed among `own` ones, at `share` of these."""
    return min(earlier, round(own * share))


def order_of(sha256: str, sizes: Sequence[int], replayed: int, seed: int) -> Pairs:
    """Return int64 [M, 2], (shard, example) in the order of training: a permutation by seed and content.

    Args:
        sha256: of the shard that is trained.
        sizes: examples of that shard, then of every shard that is replayed.
        replayed: how many examples of those are drawn.
    """
    own = np.stack([np.zeros(sizes[0], np.int64), np.arange(sizes[0], dtype=np.int64)], axis=1)
    every = [own]
    if replayed:
        drawn = permute(np.arange(replayed), sum(sizes[1:]), round_keys("replay", seed, sha256))
        ends = np.cumsum(sizes[1:])
        which = np.searchsorted(ends, drawn, side="right")
        every.append(np.stack([which + 1, drawn - np.concatenate([[0], ends])[which]], axis=1))
    pairs = np.concatenate(every)
    order: Pairs = pairs[permute(np.arange(len(pairs)), len(pairs), round_keys("shard", seed, sha256))]
    return order


class ShardBatches:
    """The batches of a walk: `batch_at(step)` needs no state but the legs.

    Attributes:
        legs: the walk so far; each begins where the one before it ends.
    """

    def __init__(self, load: Callable[[str], FedShard], context: int, batch: int, seed: int) -> None:
        self._load, self._context, self._batch, self._seed = load, context, batch, seed
        self.legs: list[Leg] = []
        self._at: Leg | None = None
        self._shards: list[FedShard] = []
        self._order: Pairs = np.zeros((0, 2), np.int64)

    def leg_at(self, step: int) -> Leg | None:
        """Return the leg whose next step follows `step` finished ones; None past the end of the walk."""
        return next((leg for leg in self.legs if leg.start <= step < leg.end), None)

    def examples_at(self, step: int) -> Pairs:
        """Return int64 [b, 2], (shard, example) of the batch after `step` steps; b may be below the batch.

        Raises:
            LookupError: no leg holds this step.
        """
        leg = self.leg_at(step)
        if leg is None:
            raise LookupError(f"no shard holds step {step}")
        if leg != self._at:
            self._shards = [self._load(key) for key in (leg.shard, *(leg.replay_of if leg.replayed else ()))]
            sizes = [len(one) for one in self._shards]
            self._order = order_of(self._shards[0].sha256, sizes, leg.replayed, self._seed)
            self._at = leg
        first = (step - leg.start) * self._batch
        return self._order[first : first + self._batch]

    def batch_at(self, step: int) -> ScoredBatch:
        """Return inputs, targets int64 [B, T] and weights float32 [B, T] of the batch after `step` steps.

        What an example lacks to the context, and the last batch to its size, is padded and not scored.
        """
        shape = (self._batch, self._context)
        inputs, targets, mask = np.zeros(shape, np.int64), np.zeros(shape, np.int64), np.zeros(shape, bool)
        for row, (shard, number) in enumerate(self.examples_at(step).tolist()):
            ids = self._shards[shard].example(number).astype(np.int64)
            inputs[row, : len(ids) - 1], targets[row, : len(ids) - 1] = ids[:-1], ids[1:]
            mask[row, : len(ids) - 1] = True
        return inputs, targets, scored_weights(mask)
