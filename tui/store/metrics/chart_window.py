"""The stretch of its axis that a chart shows: all of it, its newest part, or a part that stays."""

from dataclasses import dataclass

LEAST = 1e-6  # of the whole: nothing is zoomed further than that

Extent = tuple[float, float]


@dataclass(frozen=True, slots=True)
class ChartWindow:
    """A stretch, in the unit of the axis.

    Attributes:
        width: of the stretch; None for everything.
        end: where it ends; None follows the newest.
    """

    width: float | None = None
    end: float | None = None

    def bounds(self, extent: Extent) -> Extent:
        """Its two ends, of an axis that reaches so far."""
        if self.width is None:
            return extent
        high = extent[1] if self.end is None else self.end
        return high - self.width, high

    def zoomed(self, extent: Extent, factor: float, about: float | None = None) -> "ChartWindow":
        """So many times as wide; what lies at `about` stays there, None keeps the right end."""
        low, high = self.bounds(extent)
        about = high if about is None or not low <= about <= high else about
        return between(about - (about - low) * factor, about + (high - about) * factor, extent)

    def panned(self, extent: Extent, share: float) -> "ChartWindow":
        """Moved by so much of its width, as far as there is something."""
        if self.width is None:
            return self
        low, high = self.bounds(extent)
        by = min(max(share * (high - low), extent[0] - low), extent[1] - high)
        return between(low + by, high + by, extent)


WHOLE = ChartWindow()


def between(low: float, high: float, extent: Extent) -> ChartWindow:
    """The window from `low` to `high`, in either order, inside of what there is."""
    low, high = min(low, high), max(low, high)
    whole = extent[1] - extent[0]
    width = max(high - low, LEAST * whole)
    if width >= whole * (1 - 1e-9):
        return WHOLE
    high = max(high, extent[0] + width)
    return ChartWindow(width, None if high >= extent[1] else high)
