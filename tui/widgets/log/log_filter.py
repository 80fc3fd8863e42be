"""Which lines of a log are shown: those that hold a text or not, and those that are grave enough."""

from tui.widgets.log.line_scan import LineScan
from tui.widgets.log.log_search import LogSearch
from tui.widgets.log.log_styles import level_of


class LogFilter(LineScan):
    """Lines with a text (`!` before it: without), and of a level at least.

    Attributes:
        text: as it was typed.
        level: 0 every line, 1 warnings and errors, 2 errors.
        fault: why the text is no regular expression.
    """

    def __init__(self, text: str, level: int) -> None:
        super().__init__(self._is_shown)
        self.text, self.level = text, level
        self._inverted = text.startswith("!")
        wanted = text[1:] if self._inverted else text
        self._search = LogSearch(wanted) if wanted else None
        self.fault = self._search.fault if self._search is not None else ""

    def _is_shown(self, line: str) -> bool:
        if self._search is not None and self._search.is_in(line) == self._inverted:
            return False
        return not self.level or level_of(line) >= self.level
