"""What a line of a log looks like, and how grave it is, by what it says."""

import re

from rich.segment import Segment
from rich.style import Style

from tui.theme import DIM, FAINT, PLAIN, STRONG, hue

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
_LEVELS = {hue("red", bold=True): 2, hue("red"): 2, hue("amber"): 1}
LEVELS = ("every line", "warnings and errors", "errors")


def style_of(text: str) -> Style | None:
    """The style of a line by what it says; what went wrong is red, whatever else stands there."""
    return next((style for rule, style in _RULES if rule.search(text)), None)


def columns(text: str) -> list[Segment]:
    """A row of a table: bars recede, the first column too."""
    segments, end = [], 0
    for place, found in enumerate(_BAR.finditer(text)):
        segments += [
            Segment(text[end : found.start()], DIM if place == 0 else PLAIN),
            Segment(found.group(), FAINT),
        ]
        end = found.end()
    return [*segments, Segment(text[end:], PLAIN)]


def level_of(text: str) -> int:
    """How grave a line is: 2 an error, 1 a warning, 0 neither."""
    return _LEVELS.get(style_of(text) or PLAIN, 0)
