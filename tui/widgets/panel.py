"""A titled block of text that is laid out for its own size."""

from collections.abc import Callable
from typing import ClassVar

from rich.console import RenderableType
from rich.text import Text
from textual.widget import Widget

from tui.theme import STRONG, hue
from tui.widgets.lines import line

Layout = Callable[[int, int], list[Text]]


class Panel(Widget):
    """Text lines made by a function of the width and height, asked again whenever something changed."""

    DEFAULT_CSS: ClassVar[str] = """
    Panel { height: auto; }
    """

    def __init__(self, name: str, title: str = "", classes: str | None = None) -> None:
        super().__init__(id=name, name=name, classes=classes)
        self._title = title
        self._lay: Layout = lambda _width, _height: []
        self._shown = Text()

    def lay(self, make: Layout) -> None:
        """Lay out anew with this function; refreshes only if the text differs."""
        self._lay = make
        made = self._make()
        if made != self._shown or made.spans != self._shown.spans:
            taller = made.plain.count("\n") != self._shown.plain.count("\n")
            self._shown = made
            self.refresh(layout=taller and self.styles.is_auto_height)

    def _make(self) -> Text:
        width, height = self.content_size
        room = height - bool(self._title)
        made = self._rows(width, room) if width > 0 else []
        rows = [Text(self._title, style=STRONG, end=""), *made] if self._title else made
        for row in rows:
            row.truncate(max(width, 1), overflow="ellipsis")
        return Text("\n", no_wrap=True, overflow="ellipsis").join(rows)

    def _rows(self, width: int, room: int) -> list[Text]:
        """What the layout makes; what it cannot make of its run or host costs this block alone."""
        try:
            return [row.copy() for row in self._lay(width, room)]
        except Exception as error:
            return [line((f"cannot be shown: {error!r}"[:200], hue("red")))]

    @property
    def text(self) -> str:
        """What is shown, without its styles."""
        return self._shown.plain

    def on_resize(self) -> None:
        """Another size, another layout."""
        self.lay(self._lay)

    def render(self) -> RenderableType:
        """The text."""
        return self._shown
