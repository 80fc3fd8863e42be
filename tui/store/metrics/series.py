"""One metric of one run over its steps: every value kept, and cheap to draw at any width."""

from array import array
from bisect import bisect_left, bisect_right
from math import inf, isfinite, nan

from tui.store.metrics.pyramid import FAN, Pyramid

LARGEST = 3.4e38
NONE_YET = (nan, 0.0)
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

    __slots__ = ("_anchors", "_half_life", "_mean", "_sums", "gaps", "last", "steps", "tree", "version")

    def __init__(self) -> None:
        self.steps = array("I")
        self.gaps = array("I")
        self.tree = Pyramid()
        self.last: float | None = None
        self.version = 0
        self._half_life = 0.0
        self._mean = NONE_YET
        self._anchors = array("d")  # the moving average and its weight, at the end of each FAN values
        self._sums = array("d")  # the sum and the number of all finite values, at the same places

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
        if self._half_life:
            self._smooth(len(self.steps) - 1)

    def supersede(self, step: int) -> None:
        """Forget values past `step`: a resume from there replaces them."""
        keep = bisect_right(self.steps, step)
        if keep == len(self.steps):
            return
        del self.steps[keep:]
        del self.gaps[bisect_right(self.gaps, step) :]
        self.tree.truncate(keep)
        self.last = self.tree.values[-1] if keep else None
        self.version += 1
        if self._half_life:
            self.smooth_by(self._half_life, again=True)

    def index_at(self, step: float) -> int | None:
        """The index of the newest value at or before `step`; None before the first."""
        index = bisect_right(self.steps, step) - 1
        return index if index >= 0 else None

    def span(self, low: float, high: float) -> tuple[int, int]:
        """Indices `[start, stop)` of the steps within `[low, high]`."""
        return bisect_left(self.steps, low), bisect_right(self.steps, high)

    def smooth_by(self, half_life: float, *, again: bool = False) -> None:
        """Choose the moving average: a value's weight halves every `half_life` rows; 0 is none."""
        if half_life == self._half_life and not again:
            return
        self._half_life = half_life
        self._mean = NONE_YET
        self._anchors, self._sums = array("d"), array("d")
        if half_life:
            for index in range(len(self.steps)):
                self._smooth(index)

    @property
    def decay(self) -> float:
        """Weight of the past in one step of the moving average."""
        return 0.5 ** (1.0 / self._half_life) if self._half_life else 0.0

    def _smooth(self, index: int) -> None:
        self._mean = _step(self._mean, self.tree.values[index], self.decay)
        if (index + 1) % FAN == 0:
            self._anchors.extend(self._mean)
            total, count = self._sums[-2:] if self._sums else (0.0, 0.0)
            block = [value for value in self.tree.values[index + 1 - FAN : index + 1] if value == value]
            self._sums.extend((total + sum(block), count + len(block)))

    def average_at(self, index: int) -> float:
        """The moving average after value `index`: from the last anchor on, so at most FAN steps of work."""
        anchor = (index + 1) // FAN
        mean = (self._anchors[2 * anchor - 2], self._anchors[2 * anchor - 1]) if anchor else NONE_YET
        decay = self.decay
        for value in self.tree.values[anchor * FAN : index + 1]:
            mean = _step(mean, value, decay)
        return mean[0]

    def average_over(self, start: int, stop: int) -> float:
        """What is drawn for the values `[start, stop)`: the moving average at their end, or their own mean.

        That where they are more than it looks back over: at the end alone a fast wave would seem a slow one.
        """
        if stop - start <= 2 * self._half_life or stop - start <= 2 * FAN:
            return self.average_at(stop - 1)
        first, last = -(-start // FAN), stop // FAN
        total, count = self._sums[2 * last - 2], self._sums[2 * last - 1]
        if first:
            total, count = total - self._sums[2 * first - 2], count - self._sums[2 * first - 1]
        for value in (*self.tree.values[start : first * FAN], *self.tree.values[last * FAN : stop]):
            if value == value:
                total, count = total + value, count + 1
        return total / count if count else nan

    @property
    def average(self) -> float | None:
        """The newest moving average, or None where there is none."""
        return self._mean[0] if self._half_life and isfinite(self._mean[0]) else None


def _step(mean: tuple[float, float], value: float, decay: float) -> tuple[float, float]:
    """One step of the moving average and of its weight; it passes over gaps.

    Divided by the weight of what there is, so that the first values do not stand for all that came before.
    """
    if value != value:
        return mean
    weight = decay * mean[1] + 1.0
    before = mean[0] if mean[1] else 0.0
    return before + (value - before) / weight, weight


def real(value: float) -> float:
    """A float; a whole number beyond every float is inf."""
    try:
        return float(value)
    except OverflowError:
        return inf
