"""One line of a log as cells: coloured by what it says, with what was found, cut with a mark."""

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui.theme import PLAIN, hue
from tui.widgets.log.log_search import LogSearch
from tui.widgets.log.log_styles import columns, style_of

_FOUND = Style(color="#11151a", bgcolor="#f0c24b")
_HERE = Style(color="#11151a", bgcolor="#f0c24b", bold=True, underline=True)
_GOES_ON = hue("blue", bold=True)


def styled(text: str, searched: LogSearch | None, *, is_here: bool) -> Strip:
    """A whole line; `is_here`: it was found or clicked last."""
    style = style_of(text)
    if searched is not None and (spans := searched.spans(text)):
        return _marked(text, spans, style or PLAIN, _HERE if is_here else _FOUND)
    if is_here:
        return Strip([Segment(text, (style or PLAIN) + Style(underline=True))])
    if style is None and text.count("|") >= 4:
        return Strip(columns(text))
    return Strip([Segment(text, style or PLAIN)])


def _marked(text: str, spans: list[tuple[int, int]], style: Style, mark: Style) -> Strip:
    """A line with what was searched for standing out."""
    segments, end = [], 0
    for first, after in spans:
        segments += [Segment(text[end:first], style), Segment(text[first:after], mark)]
        end = after
    return Strip([*segments, Segment(text[end:], style)])


def cut(line: Strip, aside: int, room: int) -> Strip:
    """The part of a line that is seen, with a mark at each end where it goes on."""
    shown = line.crop_extend(aside, aside + room, None)
    if aside and line.cell_length:
        shown = Strip([Segment("‹", _GOES_ON), *shown.crop(1, room)])
    if line.cell_length > aside + room:
        shown = Strip([*shown.crop(0, room - 1), Segment("›", _GOES_ON)])
    return shown
