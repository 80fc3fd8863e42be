"""What one chart shows."""

from dataclasses import dataclass

from tui.store.metrics.axis import BY_STEP, Axis
from tui.store.metrics.series import Series


@dataclass(frozen=True, slots=True)
class Curves:
    """A series, sparse values beside it, a second series on the same axis of values, and the axis along
    which they lie."""

    series: Series
    marks: Series | None = None
    overlay: Series | None = None
    axis: Axis = BY_STEP
