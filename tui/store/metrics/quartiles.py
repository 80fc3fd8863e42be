"""Between which values the middle half of a long stretch lies."""

from array import array
from math import nan

from tui.store.metrics.pyramid import FAN

BLOCK = 4 * FAN  # rows that are kept as a few values
KEPT = 8  # of each block, and of each four of them: evenly spaced among its sorted ones
GROUP = 4
MANY = 16  # blocks, from which on those above them are asked


class Quartiles:
    """KEPT values of each BLOCK rows, in order, that stand for all of them; the same of each GROUP of blocks,
    and so on."""

    __slots__ = ("_levels",)

    def __init__(self) -> None:
        self._levels: list[array[float]] = [array("f")]

    def __len__(self) -> int:
        return len(self._levels[0]) // KEPT

    def add(self, block: "array[float]") -> None:
        """The next BLOCK values."""
        few = _few(block)
        for level in range(len(self._levels) + 1):
            if level == len(self._levels):
                self._levels.append(array("f"))
            kept = self._levels[level]
            kept.extend(few)
            if len(kept) % (KEPT * GROUP):
                return
            few = _few(kept[-KEPT * GROUP :])

    def truncate(self, count: int) -> None:
        """Keep what the first `count` values made."""
        count //= BLOCK
        for kept in self._levels:
            del kept[count * KEPT :]
            count //= GROUP

    def band(self, values: "array[float]", start: int, stop: int) -> tuple[float, float] | None:
        """Quartiles of `values[start:stop]`, exact over few, else of the values that stand for its blocks.

        None where it holds no number.
        """
        first, last, level = -(-start // BLOCK), stop // BLOCK, 0
        if last - first < 2:
            return _quartiles(values[start:stop])
        begin, end = first, last
        while last - first > MANY and level + 1 < len(self._levels):
            begin, end = first, last
            first, last, level = -(-first // GROUP), last // GROUP, level + 1
        some = self._levels[level][first * KEPT : last * KEPT]
        if level:  # what juts out at both ends: of each block below as many as a quarter of a group has
            below = self._levels[level - 1]
            some += below[begin * KEPT + GROUP // 2 : first * GROUP * KEPT : GROUP]
            some += below[last * GROUP * KEPT + GROUP // 2 : end * KEPT : GROUP]
        return _quartiles(some)


def _few(values: "array[float]") -> list[float]:
    kept = sorted(value for value in values if value == value)
    return [kept[(2 * part + 1) * len(kept) // (2 * KEPT)] for part in range(KEPT)] if kept else [nan] * KEPT


def _quartiles(values: "array[float]") -> tuple[float, float] | None:
    total = sum(values)
    kept = sorted(values) if total == total else sorted(value for value in values if value == value)
    if not kept:
        return None
    place = (len(kept) - 1) // 4
    return kept[place], kept[len(kept) - 1 - place]
