"""One metric of one run over its steps: every value kept, and cheap to draw at any width."""

from array import array
from bisect import bisect_left, bisect_right
from math import inf, isfinite, nan

from tui.store.metrics.pyramid import FAN, Pyramid

LARGEST = 3.4e38
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

    __slots__ = ("_anchors", "_half_life", "_mean", "gaps", "last", "steps", "tree", "version")

    def __init__(self) -> None:
        self.steps = array("I")
        self.gaps = array("I")
        self.tree = Pyramid()
        self.last: float | None = None
        self.version = 0
        self._half_life = 0.0
        self._mean = nan
        self._anchors = array("f")  # the moving average at the end of each FAN values

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
        self._mean = nan
        self._anchors = array("f")
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
            self._anchors.append(self._mean)

    def average_at(self, index: int) -> float:
        """The moving average after value `index`: from the last anchor on, so at most FAN steps of work."""
        anchor = (index + 1) // FAN
        mean = self._anchors[anchor - 1] if anchor else nan
        decay = self.decay
        for value in self.tree.values[anchor * FAN : index + 1]:
            mean = _step(mean, value, decay)
        return mean

    @property
    def average(self) -> float | None:
        """The newest moving average, or None where there is none."""
        return self._mean if self._half_life and isfinite(self._mean) else None


def _step(mean: float, value: float, decay: float) -> float:
    """One step of the moving average; it starts at the first value and passes over gaps."""
    if value != value:
        return mean
    return value if mean != mean else decay * mean + (1.0 - decay) * value


def real(value: float) -> float:
    """A float; a whole number beyond every float is inf."""
    try:
        return float(value)
    except OverflowError:
        return inf
