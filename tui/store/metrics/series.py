"""One metric of one run over its steps: every value kept, and cheap to draw at any width."""

from array import array
from bisect import bisect_left, bisect_right
from copy import deepcopy
from math import inf, nan

from tui.store.metrics.pyramid import FAN, Pyramid
from tui.store.metrics.quartiles import BLOCK, Quartiles
from tui.store.metrics.sums import Sums

LARGEST = 3.4e38
MANY = 4096  # values that may wait until what is made of them is asked for
LARGEST_STEP = (1 << 32) - 1


class Series:
    """Values by growing step. A step that does not grow supersedes what came at or after it.

    Attributes:
        steps: step of each value.
        gaps: steps at which the run said nan or inf.
        tree: the values, with their pyramid; NaN where the run said nan or inf.
        last: the newest value at full precision, NaN included; None before the first.
        version: grows with every change, so that a drawing can be kept until then.
    """

    __slots__ = ("__weakref__", "_quartiles", "_sums", "gaps", "last", "steps", "tree", "version")

    def __init__(self) -> None:
        self.steps = array("I")
        self.gaps = array("I")
        self.tree = Pyramid()
        self.last: float | None = None
        self.version = 0
        self._sums = Sums()
        self._quartiles = Quartiles()

    def __len__(self) -> int:
        return len(self.steps)

    def append(self, step: int, value: float) -> None:
        """Add one value; what is not finite is kept as a gap."""
        if not 0 <= step <= LARGEST_STEP:
            return
        if self.steps and step <= self.steps[-1]:
            self.supersede(step - 1)
        self.steps.append(step)
        if -LARGEST <= value <= LARGEST:  # neither nan nor inf, nor too large for single precision
            self.tree.append(value)
        else:
            self.tree.append(nan)
            self.gaps.append(step)
        self.last = value
        self.version += 1
        if not self.version % MANY:
            self.tree.settle()
            _ = self.sums, self.quartiles

    @property
    def sums(self) -> Sums:
        """Sums of what is in the tree."""
        values, sums = self.tree.values, self._sums
        for start in range(len(sums) * FAN, len(values) // FAN * FAN, FAN):
            sums.add(values[start : start + FAN])
        return sums

    @property
    def quartiles(self) -> Quartiles:
        """Quartiles of what is in the tree."""
        values, quartiles = self.tree.values, self._quartiles
        for start in range(len(quartiles) * BLOCK, len(values) // BLOCK * BLOCK, BLOCK):
            quartiles.add(values[start : start + BLOCK])
        return quartiles

    def supersede(self, step: int) -> None:
        """Forget values past `step`: a resume from there replaces them."""
        keep = bisect_right(self.steps, step)
        if keep == len(self.steps):
            return
        del self.steps[keep:]
        del self.gaps[bisect_right(self.gaps, step) :]
        self.tree.truncate(keep)
        self._sums.truncate(keep)
        self._quartiles.truncate(keep)
        self.last = self.tree.values[-1] if keep else None
        self.version += 1

    def index_at(self, step: float) -> int | None:
        """The index of the newest value at or before `step`; None before the first."""
        index = bisect_right(self.steps, step) - 1
        return index if index >= 0 else None

    def first(self, count: int) -> "Series":
        """The first `count` values, as a series of their own."""
        self.tree.settle()
        _ = self.sums, self.quartiles  # copied, not made once more
        made = deepcopy(self)
        if 0 < count < len(self):
            made.supersede(self.steps[count - 1])
        elif count <= 0:
            made = Series()
        made.version = count
        return made

    def span(self, low: float, high: float) -> tuple[int, int]:
        """Indices `[start, stop)` of the steps within `[low, high]`."""
        return bisect_left(self.steps, low), bisect_right(self.steps, high)

    def mean_around(self, index: int, width: int) -> float:
        """The mean of `width` values about value `index`, fewer at the ends; NaN where none is a number."""
        return self.sums.around(self.tree.values, index, width)


def real(value: float) -> float:
    """A float; a whole number beyond every float is inf."""
    try:
        return float(value)
    except OverflowError:
        return inf
