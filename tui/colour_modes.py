"""Our colours on a terminal that has 256 or 16 of them: chosen by eye, and never left to rounding.

Rounding makes the ground colour 16, pure black, and a zone's tint a solid block. `ssh` hands no COLORTERM on,
so this is what most terminals of a remote host are taken for.
"""

from functools import lru_cache
from typing import Literal

from rich.color import Color as RichColor
from rich.color import ColorType
from rich.color_triplet import ColorTriplet
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

from trainer.telemetry.bands import Colour
from tui import theme

Few = Literal["256", "standard"]
CUBE = (0, 95, 135, 175, 215, 255)

# Of 256 colours, and of 16 (None: the terminal's own, which for a ground is right in a light one too).
_HUES: dict[Colour, tuple[int, int]] = {
    "red": (209, 1),
    "amber": (221, 3),
    "green": (36, 2),
    "blue": (74, 4),
    "cyan": (116, 6),
    "violet": (176, 5),
    "grey": (246, 7),
}
_UNDER: dict[Colour, int] = {
    "red": 95, "amber": 94, "green": 29, "blue": 24, "cyan": 66, "violet": 96, "grey": 240,
}  # fmt: skip
_GREYS: dict[str, tuple[int, int | None]] = {
    theme.GROUND: (233, None),
    theme.RAISED: (234, None),
    theme.PANEL: (235, None),
    theme.LINE: (237, 8),
    theme.INK: (253, None),
    theme.FADED: (245, 7),
    theme.FAINTEST: (242, 8),
    theme.CHOSEN: (239, 8),
    theme.CHOSEN_BLURRED: (236, None),
    "#ffffff": (231, 15),
}


def _chosen() -> dict[ColorTriplet, tuple[int, int | None]]:
    """Every colour of the theme, with what stands for it."""
    made: dict[str, tuple[int, int | None]] = dict(_GREYS)
    made |= {theme.HUES[name]: found for name, found in _HUES.items()}
    made |= {theme.under(name): (place, _HUES[name][1]) for name, place in _UNDER.items()}
    made |= dict.fromkeys(theme.TINTS.values(), _GREYS[theme.GROUND])  # no tint is better than a wrong one
    return {Color.parse(text).rich_color.get_truecolor(): found for text, found in made.items()}


CHOSEN = _chosen()


@lru_cache(4096)
def of_256(colour: ColorTriplet) -> int:
    """The one of 256: ours as chosen; another (a dialog's shade) the nearest, a grey for a grey."""
    if colour in CHOSEN:
        return CHOSEN[colour][0]
    if max(colour) - min(colour) < 24:
        level = round((sum(colour) / 3 - 8) / 10)
        return 232 + min(max(level, 0), 23)
    red, green, blue = (min(range(6), key=lambda step: abs(CUBE[step] - part)) for part in colour)
    return 16 + 36 * red + 6 * green + blue


@lru_cache(4096)
def of_16(colour: ColorTriplet) -> int | None:
    """The one of 16; None is the terminal's own."""
    if colour in CHOSEN:
        return CHOSEN[colour][1]
    if max(colour) - min(colour) < 40:
        return None
    near = min(theme.HUES, key=lambda name: _distance(colour, Color.parse(theme.HUES[name]).rgb))
    return _HUES[near][1]


def _distance(one: ColorTriplet, other: tuple[int, int, int]) -> int:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))


@lru_cache(8192)
def reduced(style: Style, colours: Few) -> Style:
    """A style with the colours of a terminal that has few."""
    ink, ground = _one(style.color, colours), _one(style.bgcolor, colours)
    if ink is style.color and ground is style.bgcolor:
        return style
    return style.without_color + Style(color=ink, bgcolor=ground)


def _one(colour: RichColor | None, colours: Few) -> RichColor | None:
    if colour is None or colour.type is not ColorType.TRUECOLOR or colour.triplet is None:
        return colour
    place = of_256(colour.triplet) if colours == "256" else of_16(colour.triplet)
    return RichColor.default() if place is None else RichColor.from_ansi(place)


class FewColours(LineFilter):
    """Every line that goes to a terminal of 256 or 16 colours passes here."""

    def __init__(self, colours: Few) -> None:
        super().__init__()
        self._colours: Few = colours

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002
        """The same segments in colours that the terminal has."""
        return [
            Segment(text, reduced(style, self._colours) if style is not None else None, control)
            for text, style, control in segments
        ]


def filter_for(console: Console) -> FewColours | None:
    """What a terminal needs; None where it has every colour, or none at all."""
    match console.color_system:
        case "256":
            return FewColours("256")
        case "standard":
            return FewColours("standard")
    return None
