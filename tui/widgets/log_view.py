"""The log of a run: a view into the ring, styled line by line as it is looked at."""

import re
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.events import Click
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.store.log_ring import LogRing
from tui.theme import DIM, FAINT, PLAIN, STRONG, hue
from tui.widgets.log_search import LogSearch, next_match

NUMBER_WIDTH = 7
MAX_WIDTH = 2000

# First match wins; only lines on the screen are ever tried.
_RULES: tuple[tuple[re.Pattern[str], Style], ...] = (
    (re.compile(r"^\s*[=\-]{8,}\s*$"), FAINT),
    (re.compile(r"^── .* ──$"), hue("violet")),
    (re.compile(r"^✖ "), hue("red", bold=True)),
    (re.compile(r"^⚠ "), hue("amber")),
    (re.compile(r"^· "), DIM),
    (re.compile(r"^✔ "), hue("green")),
    (re.compile(r"Traceback|\b\w*(?:Error|Exception)\b|\bfatal\b|❌", re.IGNORECASE), hue("red", bold=True)),
    (
        re.compile(
            r"(?<!\b0 )(?<!\bno )\bfail(?:ed|ure)?\b|\b(?:could not|unable to|nothing was saved|killed|nan)\b"
            r"|\bout of memory\b",
            re.IGNORECASE,
        ),
        hue("red"),
    ),
    (re.compile(r"\bwarn(?:ing)?\b|⚠", re.IGNORECASE), hue("amber")),
    (re.compile(r"checkpoint|💾|🔒|🔓|saved", re.IGNORECASE), hue("green")),
    (re.compile(r"^\s*EVALUATION|^\s*Val |✓|✅"), hue("blue")),
    (re.compile(r"^\s*step\s*\|", re.IGNORECASE), STRONG),
    (re.compile(r"^\s*\[[\d.]+\]"), hue("blue", bold=True)),
)
_BAR = re.compile(r" \|")
_FOUND = Style(color="#11151a", bgcolor="#f0c24b")
_HERE = Style(color="#11151a", bgcolor="#f0c24b", bold=True, underline=True)


class LogView(ScrollView, can_focus=True):
    """Shows a LogRing; follows its end until somebody scrolls up.

    Attributes:
        follow: whether the newest line stays in view.
        searched: what is searched for, None for nothing.
    """

    class Top(Message):
        """Somebody has scrolled up to the first line."""

    DEFAULT_CSS: ClassVar[str] = """
    LogView { height: 1fr; min-height: 3; scrollbar-size-vertical: 1; scrollbar-size-horizontal: 0;
        background: $background; }
    """

    def __init__(self, name: str = "log") -> None:
        super().__init__(id=name, name=name)
        self.follow = True
        self.searched: LogSearch | None = None
        self._ring = LogRing()
        self._version = -1
        self._dropped = 0
        self._here: int | None = None

    def show(self, ring: LogRing) -> None:
        """Show this ring from now on; refreshes only if it changed."""
        if ring is not self._ring:
            self._ring, self._dropped, self._here, self._version = ring, ring.dropped, None, -1
        if ring.version == self._version:
            return
        self._version = ring.version
        lost, self._dropped = ring.dropped - self._dropped, ring.dropped
        self.virtual_size = Size(self.size.width, len(ring))
        if self.follow:
            self._place(len(ring))
        elif lost:  # lines went, or older ones came: what is looked at stays where it is
            self._place(self.scroll_offset.y - lost)
        self.refresh()

    def _place(self, top: int) -> None:
        """Put this line at the top, at once; forced, as the scrollbar may not have been laid out yet."""
        self.scroll_to(y=max(top, 0), animate=False, immediate=True, force=True)

    def render_line(self, y: int) -> Strip:
        """One line on the screen."""
        index = self.scroll_offset.y + y
        width = self.size.width
        if index >= len(self._ring):
            return Strip.blank(width, self.rich_style)
        text = self._ring.line(index)[:MAX_WIDTH].expandtabs(8)
        strip = self._styled(text, index + self._ring.dropped)
        return strip.crop_extend(0, width, None).apply_style(self.rich_style)

    def _styled(self, text: str, number: int) -> Strip:
        style = style_of(text)
        if self.searched is not None and (spans := self.searched.spans(text)):
            return self._marked(text, spans, style or PLAIN, number)
        if style is None and text.count("|") >= 4:
            return Strip(_columns(text))
        return Strip([Segment(text, style or PLAIN)])

    def _marked(self, text: str, spans: list[tuple[int, int]], style: Style, number: int) -> Strip:
        """A line with what was searched for standing out."""
        mark = _HERE if number == self._here else _FOUND
        segments, end = [], 0
        for first, after in spans:
            segments += [Segment(text[end:first], style), Segment(text[first:after], mark)]
            end = after
        return Strip([*segments, Segment(text[end:], style)])

    def action_move(self, lines: int) -> None:
        """So many lines down; upwards it stops following, at the end it follows again."""
        last = max(len(self._ring) - self.size.height, 0)
        top = min(max(self.scroll_offset.y + lines, 0), last)
        self.follow = top >= last
        self._place(top)
        self.refresh()

    def toggle_follow(self) -> bool:
        """Follow the end, or stay here; whether it follows now."""
        self.follow = not self.follow
        if self.follow:
            self._place(len(self._ring))
        self.refresh()
        return self.follow

    def search(self, text: str) -> int:
        """Look for a text or a regular expression; how many lines match.

        Raises:
            TimeoutError: that takes too long; nothing is searched for.
        """
        self._here = None
        self.searched = LogSearch(text) if text else None
        self.refresh()
        return len(self._found())

    def _found(self) -> list[int]:
        try:
            return self.searched.numbers(self._ring) if self.searched is not None else []
        except TimeoutError:
            self.searched = None
            raise

    def go(self, *, forward: bool) -> tuple[int, int] | None:
        """Show the next match, or the one before, at first the newest; its place among all, or None.

        Raises:
            TimeoutError: that takes too long; nothing is searched for.
        """
        numbers = self._found()
        at_first = self._ring.dropped + (self.scroll_offset.y - 1 if forward else len(self._ring))
        start = at_first if self._here is None else self._here
        target = next_match(numbers, start, forward=forward)
        if target is None:
            return None
        self._here, self.follow = target, False
        self._place(target - self._ring.dropped - self.size.height // 2)
        self.refresh()
        return numbers.index(target) + 1, len(numbers)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Scrolling up by hand stops following; scrolling back to the end resumes it."""
        super().watch_scroll_y(old_value, new_value)
        if new_value < old_value and new_value < self.max_scroll_y:
            self.follow = False
            if new_value <= 0:
                self.post_message(self.Top())
        elif self.max_scroll_y and new_value >= self.max_scroll_y:
            self.follow = True

    def on_resize(self) -> None:
        """Lines are cut to the width; the end stays in view."""
        self._version = -1
        self.show(self._ring)

    def on_click(self, event: Click) -> None:
        """A click chooses the log."""
        event.stop()
        self.focus()


def style_of(text: str) -> Style | None:
    """The style of a line by what it says; what went wrong is red, whatever else stands there."""
    return next((style for rule, style in _RULES if rule.search(text)), None)


def _columns(text: str) -> list[Segment]:
    """A row of a table: bars recede, the first column too."""
    segments, end = [], 0
    for place, found in enumerate(_BAR.finditer(text)):
        segments += [
            Segment(text[end : found.start()], DIM if place == 0 else PLAIN),
            Segment(found.group(), FAINT),
        ]
        end = found.end()
    return [*segments, Segment(text[end:], PLAIN)]
