"""Batches as a function of their index: nothing to save, nothing to replay after a resume."""

import numpy as np
from numpy.typing import NDArray

from trainer.data.data_errors import DataError
from trainer.data.permutation import permute, round_keys

PAGE = 1024

Ids = NDArray[np.int64]
Batch = tuple[Ids, Ids]


class Batches:
    """Training windows in shuffled order.

    An epoch lays windows of `context` + 1 tokens side by side from an offset of its own, and takes each once
    in an order of its own. The data position is (seed, epoch, index): `batch_at` needs no state.

    Attributes:
        windows: Windows an epoch.
    """

    def __init__(
        self,
        tokens: NDArray[np.uint16],
        context: int,
        batch: int,
        seed: int,
        begins: NDArray[np.int64] | None = None,
    ) -> None:
        """Look at `tokens` [N].

        Args:
            begins: where the documents begin, ascending, if the inputs are to tell it; see `with_begins`.

        Raises:
            DataError: if there are fewer than `context` + 1 tokens.
        """
        check_length(tokens, context, "train")
        self._tokens = np.asarray(tokens)
        self._context, self._batch, self._seed = context, batch, seed
        self._begins = begins
        # one window fewer than would fit gives every offset below `context` the same number of windows
        self.windows = max(1, (len(tokens) - 1) // context - 1)
        self._slack = min(context - 1, len(tokens) - 1 - self.windows * context)
        self._page = -1
        self._starts = np.zeros(0, np.int64)

    @property
    def batches_per_epoch(self) -> float:
        """Batches until every window was seen once."""
        return self.windows / self._batch

    def epoch_at(self, index: int) -> float:
        """How many epochs lie behind the beginning of batch `index`."""
        return index * self._batch / self.windows

    def batch_at(self, index: int) -> Batch:
        """Inputs and targets of batch `index`, int64 [B, T] each; targets are inputs one token later.

        Inputs are [B, T, 2] where they tell which tokens begin a document.
        """
        starts = self.starts_at(index)
        places = starts[:, None] + np.arange(self._context + 1)
        window = self._tokens[places].astype(np.int64)
        inputs, targets = np.ascontiguousarray(window[:, :-1]), np.ascontiguousarray(window[:, 1:])
        return with_begins(inputs, places[:, :-1], self._begins), targets

    def starts_at(self, index: int) -> Ids:
        """int64 [B], where the windows of batch `index` begin."""
        first = index * self._batch
        parts: list[Ids] = []
        at, end = first, first + self._batch
        while at < end:
            page, offset = divmod(at, PAGE)
            part = self._page_of_starts(page)[offset : offset + end - at]
            parts.append(part)
            at += len(part)
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _page_of_starts(self, page: int) -> Ids:
        """Starts of 1,024 consecutive windows: permuting many at once costs little more than one."""
        if page != self._page:
            positions = np.arange(page * PAGE, (page + 1) * PAGE, dtype=np.int64)
            epochs, places = np.divmod(positions, self.windows)
            starts = np.empty(PAGE, np.int64)
            for epoch in np.unique(epochs).tolist():
                here = epochs == epoch
                keys = round_keys("train", self._seed, epoch)
                jitter = int(round_keys("jitter", self._seed, epoch)[0] % np.uint64(self._slack + 1))
                starts[here] = permute(places[here], self.windows, keys) * self._context + jitter
            self._page, self._starts = page, starts
        return self._starts


def with_begins(ids: Ids, places: Ids, begins: NDArray[np.int64] | None) -> Ids:
    """Return pairs of each id and 1 where a document begins, int64 [..., 2]; the ids alone without `begins`.

    Args:
        places: where in the text each id stands, of one shape with `ids`.
        begins: where the documents begin, ascending.
    """
    if begins is None:
        return ids
    nearest = np.minimum(np.searchsorted(begins, places), len(begins) - 1)
    return np.stack((ids, begins[nearest] == places), axis=-1)


def check_length(tokens: NDArray[np.uint16], context: int, side: str) -> None:
    """Refuse what does not hold one window.

    Raises:
        DataError: if there are fewer than `context` + 1 tokens.
    """
    if len(tokens) < context + 1:
        wider = "a larger data.val_fraction, " if side == "validation" else ""
        raise DataError(
            f"the {side} text has {len(tokens)} tokens, fewer than the context of {context} and one more",
            f"give more text, {wider}or a context of at most {max(1, len(tokens) - 1)}",
        )
