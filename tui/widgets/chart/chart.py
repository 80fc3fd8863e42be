"""The chart: one metric along its axis, drawn from the store's pyramid; only lines that changed are sent."""

from dataclasses import replace
from typing import Any, ClassVar

from rich.segment import Segment
from textual.events import Click, MouseDown, MouseEvent, MouseMove, MouseScrollDown, MouseScrollUp, MouseUp
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui.store.metrics.chart_window import WHOLE, ChartWindow, between
from tui.store.metrics.series import Series
from tui.theme import hue
from tui.widgets.chart.curves import Curves
from tui.widgets.chart.frame import AS_AT_FIRST, GUTTER, draw, extent_of, ruler_of
from tui.widgets.chart.grid import Ruler
from tui.widgets.chart.look import SHARES, ChartLook, View

HALF = 0.5
A_TURN = 0.8  # of the width: a turn of the wheel
A_PAN = 0.25


class Chart(Widget, can_focus=True):
    """A line-API widget: `show` gives it data, keys and the mouse change how it looks.

    Attributes:
        look: titles and backdrop of the frame.
        view: which stretch, how smooth, where the cursor is.
        shown: what is drawn.
    """

    class Windowed(Message):
        """The mouse has chosen another stretch."""

        def __init__(self, chart: "Chart", window: ChartWindow) -> None:
            super().__init__()
            self.chart, self.window = chart, window

    DEFAULT_CSS: ClassVar[str] = """
    Chart { height: 1fr; min-height: 4; }
    """

    def __init__(self, look: ChartLook, name: str) -> None:
        super().__init__(id=f"chart-{name}", name=name)
        self.look = look
        self.view = AS_AT_FIRST
        self.shown = Curves(Series())
        self._key: tuple[object, ...] = ()
        self._lines: list[Strip] = []
        self._held: tuple[float, bool] | None = None  # where the mouse was pressed, and whether on the axis

    def show(self, shown: Curves, look: ChartLook | None = None) -> None:
        """Draw this from now on; refreshes only the lines that differ from what is on the screen."""
        self.shown = shown
        if look is not None:
            self.look = look
        self._redraw()

    def _state(self) -> tuple[object, ...]:
        shown = self.shown
        curves = (shown.series, shown.marks, shown.overlay)
        return (
            *((id(one), one.version) if one is not None else () for one in curves),
            id(shown.axis),
            self.look,
            self.view,
            self.size,
            self.has_focus,
            self.rich_style,
        )

    def _redraw(self) -> None:
        """Draw what changed, and have just those lines painted."""
        state = self._state()
        if state == self._key or not self.size:
            return
        self._key = state
        before, ground = self._lines, self.rich_style
        self._lines = [line.apply_style(ground) for line in self._draw()]
        width = self.size.width
        if len(before) != len(self._lines):
            self.refresh()
            return
        changed = [y for y, (old, new) in enumerate(zip(before, self._lines, strict=True)) if old != new]
        if changed:
            self.refresh(*(Region(0, y, width, 1) for y in changed))

    def render_line(self, y: int) -> Strip:
        """One line of the frame; it is drawn anew where something changed without being told."""
        if self._state() != self._key:
            self._redraw()
        return self._lines[y] if y < len(self._lines) else Strip.blank(self.size.width)

    def _draw(self) -> list[Strip]:
        """The frame; numbers that cannot be drawn cost this chart alone."""
        width, height = self.size
        try:
            return draw(self.shown, self.look, width, height, focused=self.has_focus, view=self.view)
        except Exception as error:
            strip = Strip([Segment(f" {self.look.title}: cannot be drawn: {error!r}"[:200], hue("red"))])
            return [strip.adjust_cell_length(width), *[Strip.blank(width)] * (height - 1)]

    def set_view(self, **changes: Any) -> None:
        """Change how it looks (fields of View)."""
        self.view = replace(self.view, **changes)
        self._redraw()

    def toggle_log(self) -> None:
        """Logarithmic values, or linear ones again."""
        self.set_view(log=not self.view.log)

    def smooth(self, change: int) -> None:
        """A longer moving mean (+1), a shorter one (-1)."""
        self.set_view(smoothing=min(max(self.view.smoothing + change, 0), len(SHARES) - 1))

    def zoomed(self, change: int) -> ChartWindow:
        """What `z` (+1) and `Z` (-1) show: from where a range begins to the cursor, or half as much about the
        cursor, without one the newest half; twice as much."""
        extent, view, place = extent_of(self.shown, self.look), self.view, self.shown.axis.place
        if change > 0 and view.begun is not None and view.cursor is not None and view.begun != view.cursor:
            return between(place(view.begun), place(view.cursor), extent)
        about = place(view.cursor) if view.cursor is not None else None
        return view.window.zoomed(extent, HALF if change > 0 else 1 / HALF, about)

    def panned(self, change: int) -> ChartWindow:
        """A quarter of what is shown earlier (-1) or later (+1)."""
        return self.view.window.panned(extent_of(self.shown, self.look), change * A_PAN)

    def beside(self, change: int) -> int | None:
        """The step one column of cells further on (+1) or back (-1) than the cursor; None without a value."""
        series, ruler = self.shown.series, self._ruler()
        if not len(series):
            return None
        cursor = self.view.cursor
        if cursor is None:
            at = ruler.high if change < 0 else ruler.low
            index = series.index_at(ruler.axis.step_at(at))
            return series.steps[index if index is not None else 0]
        index = series.index_at(cursor) or 0
        least = index + change  # a step further at least, however few there are
        here = ruler.axis.place(cursor)
        column = (ruler.high - ruler.low) / ruler.columns
        wanted = series.index_at(ruler.axis.step_at(here + change * column))
        there = max(wanted or 0, least) if change > 0 else min(wanted or 0, least)
        return series.steps[min(max(there, 0), len(series) - 1)]

    def point(self, step: int | None) -> None:
        """Put the cursor on a step; None takes it away, and where a range began."""
        self.set_view(cursor=step, begun=self.view.begun if step is not None else None)

    def reset(self) -> None:
        """As it was at first: all of it, linear, the usual moving mean, no cursor."""
        self.set_view(**{name: getattr(AS_AT_FIRST, name) for name in View.__slots__})

    def on_focus(self) -> None:
        """The title shows where the keys act."""
        self._redraw()

    def on_blur(self) -> None:
        """The title shows where the keys act."""
        self._redraw()

    # The mouse: a wheel zooms about the pointer, a drag takes a range, one on the axis pans.

    def _ruler(self) -> Ruler:
        return ruler_of(self.shown, self.look, self.view, self.size.width)

    def _place_under(self, event: MouseEvent) -> float:
        ruler = self._ruler()
        return ruler.place(min(max(event.x - GUTTER + 0.5, 0), ruler.columns))

    def _turned(self, event: MouseEvent, factor: float) -> None:
        event.stop()
        event.prevent_default()
        extent, window = extent_of(self.shown, self.look), self.view.window
        if event.shift:
            window = window.panned(extent, A_PAN if factor > 1 else -A_PAN)
        else:
            window = window.zoomed(extent, factor, self._place_under(event))
        self.post_message(self.Windowed(self, window))

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        """Closer, about the pointer; with shift, earlier."""
        self._turned(event, A_TURN)

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        """Further away; with shift, later."""
        self._turned(event, 1 / A_TURN)

    def on_mouse_down(self, event: MouseDown) -> None:
        """A drag may begin."""
        event.stop()
        self._held = (self._place_under(event), event.y >= self.size.height - 1)
        self.capture_mouse()

    def on_mouse_move(self, event: MouseMove) -> None:
        """The range under a drag, or the axis that moves with it."""
        if self._held is None:
            return
        held, on_axis = self._held
        if not on_axis:
            self.set_view(picked=(held, self._place_under(event)))
        elif self.view.window != WHOLE:
            ruler = self._ruler()
            share = (held - self._place_under(event)) / (ruler.high - ruler.low)
            window = self.view.window.panned(extent_of(self.shown, self.look), share)
            self.post_message(self.Windowed(self, window))

    def on_mouse_up(self, _event: MouseUp) -> None:
        """A range of two columns and more is shown."""
        picked, ruler = self.view.picked, self._ruler()
        self._held = None
        self.release_mouse()
        if picked is not None:
            self.set_view(picked=None)
            if abs(ruler.column_of(picked[0]) - ruler.column_of(picked[1])) >= 2:
                window = between(*picked, extent_of(self.shown, self.look))
                self.post_message(self.Windowed(self, window))

    def on_click(self, event: Click) -> None:
        """A click chooses the chart, two show all of it again."""
        event.stop()
        self.focus()
        if event.chain == 2:
            self.post_message(self.Windowed(self, WHOLE))
