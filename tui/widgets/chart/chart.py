"""The chart: one metric over its steps, drawn from the store's pyramid, and only when something changed."""

from dataclasses import replace
from typing import ClassVar

from rich.segment import Segment
from textual.events import Click
from textual.strip import Strip
from textual.widget import Widget

from tui.store.metrics.series import Series
from tui.theme import hue
from tui.widgets.chart.frame import GUTTER, draw, window
from tui.widgets.chart.look import ChartLook

HALF_LIVES = (0, 3, 10, 30, 100, 300)
DEFAULT_SMOOTHING = 2
MAX_ZOOM = 12


class Chart(Widget, can_focus=True):
    """A line-API widget: `show` gives it data, keys change how it looks.

    Attributes:
        look: titles, axis and backdrop of the frame.
        smoothing: index into HALF_LIVES.
    """

    DEFAULT_CSS: ClassVar[str] = """
    Chart { height: 1fr; min-height: 4; }
    """

    def __init__(self, look: ChartLook, name: str) -> None:
        super().__init__(id=f"chart-{name}", name=name)
        self.look = look
        self.smoothing = DEFAULT_SMOOTHING
        self._series = Series()
        self._marks: Series | None = None
        self._overlay: Series | None = None
        self._key: tuple[object, ...] = ()
        self._lines: list[Strip] = []

    def show(
        self,
        series: Series,
        marks: Series | None = None,
        look: ChartLook | None = None,
        overlay: Series | None = None,
    ) -> None:
        """Draw this series from now on; refreshes only if anything differs from what is on the screen.

        Args:
            marks: sparse values beside it.
            look: titles and backdrop; the axis, the zoom and the cursor stay as they are.
            overlay: a second series on the same axis.
        """
        self._series, self._marks, self._overlay = series, marks, overlay
        if look is not None:
            self.look = replace(look, log=self.look.log, zoom=self.look.zoom, cursor=self.look.cursor)
        if self._state() != self._key:
            self.refresh()

    def _state(self) -> tuple[object, ...]:
        shown = (self._series, self._marks, self._overlay)
        return (
            *((id(one), one.version) if one is not None else () for one in shown),
            self.look,
            self.smoothing,
            self.size,
            self.has_focus,
        )

    def render_line(self, y: int) -> Strip:
        """One line of the frame; the frame is drawn when its first line is asked for."""
        state = self._state()
        if state != self._key:
            self._key = state
            self._series.smooth_by(HALF_LIVES[self.smoothing])
            lines = self._draw()
            ground = self.rich_style
            self._lines = [line.apply_style(ground) for line in lines]
        return self._lines[y] if y < len(self._lines) else Strip.blank(self.size.width)

    def _draw(self) -> list[Strip]:
        """The frame; numbers that cannot be drawn cost this chart alone."""
        width, height = self.size
        try:
            return draw(
                self._series,
                self._marks,
                self.look,
                width,
                height,
                focused=self.has_focus,
                overlay=self._overlay,
            )
        except Exception as error:
            strip = Strip([Segment(f" {self.look.title}: cannot be drawn: {error!r}"[:200], hue("red"))])
            return [strip.adjust_cell_length(width), *[Strip.blank(width)] * (height - 1)]

    def toggle_log(self) -> None:
        """Logarithmic values, or linear ones again."""
        self.look = replace(self.look, log=not self.look.log)
        self.refresh()

    def smooth(self, change: int) -> None:
        """A longer moving average (+1), a shorter one (-1)."""
        self.smoothing = min(max(self.smoothing + change, 0), len(HALF_LIVES) - 1)
        self.refresh()

    def zoom(self, change: int) -> None:
        """Show the newest half of the steps (+1), or twice as many again (-1)."""
        self.look = replace(self.look, zoom=min(max(self.look.zoom + change, 0), MAX_ZOOM))
        self.refresh()

    def beside(self, change: int) -> int | None:
        """The step one column of cells further on (+1) or back (-1) than the cursor; None without a value."""
        series = self._series
        if not len(series):
            return None
        low, high = window(series, self.look.zoom)
        if self.look.cursor is None:
            return int(high) if change < 0 else int(low)
        column = (high - low) / max(self.size.width - GUTTER, 1)
        index = series.index_at(self.look.cursor) or 0
        least = index + change  # a step further at least, however few there are
        wanted = series.index_at(self.look.cursor + change * column)
        there = max(wanted or 0, least) if change > 0 else min(wanted or 0, least)
        return series.steps[min(max(there, 0), len(series) - 1)]

    def point(self, step: int | None) -> None:
        """Put the cursor on a step; None takes it away."""
        self.look = replace(self.look, cursor=step)
        self.refresh()

    def reset(self) -> None:
        """As it was at first: every step, linear, the usual moving average, no cursor."""
        self.look = replace(self.look, zoom=0, log=False, cursor=None)
        self.smoothing = DEFAULT_SMOOTHING
        self.refresh()

    def on_focus(self) -> None:
        """The title shows where the keys act."""
        self.refresh()

    def on_blur(self) -> None:
        """The title shows where the keys act."""
        self.refresh()

    def on_click(self, event: Click) -> None:
        """A click chooses the chart."""
        event.stop()
        self.focus()
