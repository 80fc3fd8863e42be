"""The chart of the Compare screen: several runs over one another, drawn anew only when something changed."""

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from tui.store.compare.comparison import Contender
from tui.theme import hue
from tui.widgets.compare.overlay import GUTTER, MARGIN, MAX_ZOOM, OverlayLook, draw, window


class OverlayChart(Widget):
    """A line-API widget: `show` gives it curves, keys change how they look."""

    DEFAULT_CSS: ClassVar[str] = "OverlayChart { height: 1fr; min-height: 4; }"

    def __init__(self) -> None:
        super().__init__(id="overlay")
        self.look = OverlayLook("loss")
        self._curves: Sequence[Contender] = ()
        self._empty = ""
        self._key: object = None
        self._lines: list[Strip] = []

    def show(self, curves: Sequence[Contender], title: str, axis: str, empty: str) -> None:
        """Show these from now on; `empty`: what stands there where none has a value."""
        self._curves, self._empty = curves, empty
        self.look = replace(self.look, title=title, axis=axis)
        if self._state() != self._key:
            self.refresh()

    def _state(self) -> object:
        shown = tuple((one.letter, id(one.series), one.series.version, one.is_pinned) for one in self._curves)
        return shown, self.look, self.size, self._empty

    def render_line(self, y: int) -> Strip:
        """One line of the frame; the frame is drawn when its first line is asked for."""
        state = self._state()
        if state != self._key:
            self._key = state
            ground = self.rich_style
            self._lines = [line.apply_style(ground) for line in self._draw()]
        return self._lines[y] if y < len(self._lines) else Strip.blank(self.size.width)

    def _draw(self) -> list[Strip]:
        width, height = self.size
        try:
            return draw(self._curves, self.look, width, height, empty=self._empty)
        except Exception as error:  # numbers that cannot be drawn cost this chart alone
            text = f" these cannot be drawn: {error!r}"[:200]
            return [Strip([Segment(text, hue("red"))]).adjust_cell_length(width)]

    def toggle_log(self) -> None:
        """Logarithmic values, or linear ones again."""
        self._take(replace(self.look, log=not self.look.log))

    def zoom(self, change: int) -> None:
        """The newest half of the steps (+1), or twice as many again (-1)."""
        self._take(replace(self.look, zoom=min(max(self.look.zoom + change, 0), MAX_ZOOM)))

    def toggle_shared(self) -> None:
        """Only the steps that all have told, or every step again."""
        self._take(replace(self.look, shared=not self.look.shared))

    def move(self, change: int) -> None:
        """The cursor a column further on (+1) or back (-1)."""
        span = window(self._curves, self.look)
        if span is None:
            return
        low, high = span
        at = self.look.cursor
        column = max((high - low) / max(self.size.width - GUTTER - MARGIN, 1), 1.0)
        start = low if change > 0 else high
        step = round(start if at is None else min(max(at + change * column, low), high))
        self._take(replace(self.look, cursor=step))

    def point(self, step: int | None) -> None:
        """Put the cursor on a step; None takes it away."""
        self._take(replace(self.look, cursor=step))

    def reset(self) -> None:
        """As at first."""
        self._take(replace(self.look, log=False, zoom=0, cursor=None, shared=False))

    def _take(self, look: OverlayLook) -> None:
        self.look = look
        self.refresh()
