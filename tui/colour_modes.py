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
Places = tuple[int, int | None]
_DARK: dict[str, Places] = {
    "ground": (233, None), "raised": (234, None), "panel": (235, None), "line": (237, 8), "hover": (240, 8),
    "ink": (253, None), "strong": (231, 15), "faded": (246, 7), "faintest": (243, 8),
    "chosen": (238, 8), "chosen_blurred": (236, None),
}  # fmt: skip
_LIGHT: dict[str, Places] = {
    "ground": (231, None), "raised": (255, None), "panel": (254, None), "line": (250, 7), "hover": (247, 7),
    "ink": (235, None), "strong": (16, None), "faded": (240, 8), "faintest": (242, 8),
    "chosen": (189, 7), "chosen_blurred": (253, None),
}  # fmt: skip
_HUES: dict[Colour, tuple[int, int]] = {
    "red": (209, 1), "amber": (221, 3), "green": (36, 2), "blue": (74, 4), "cyan": (116, 6),
    "violet": (176, 5), "grey": (247, 7),
}  # fmt: skip
_LIGHT_HUES: dict[Colour, tuple[int, int]] = {
    "red": (124, 1), "amber": (94, 3), "green": (22, 2), "blue": (25, 4), "cyan": (23, 6), "violet": (90, 5),
    "grey": (241, 8),
}  # fmt: skip
_UNDER: dict[Colour, int] = {
    "red": 95, "amber": 94, "green": 29, "blue": 24, "cyan": 66, "violet": 96, "grey": 240,
}  # fmt: skip
_LIGHT_UNDER: dict[Colour, int] = {
    "red": 173, "amber": 179, "green": 108, "blue": 110, "cyan": 109, "violet": 175, "grey": 248,
}  # fmt: skip


def triplet(text: str) -> ColorTriplet:
    """A colour of the theme as it stands in a style."""
    return Color.parse(text).rich_color.get_truecolor()


def _chosen() -> dict[ColorTriplet, Places]:
    """Every colour of both themes, with what stands for it."""
    made: dict[str, Places] = {}
    kinds = ((theme.DARK, _DARK, _HUES, _UNDER), (theme.LIGHT, _LIGHT, _LIGHT_HUES, _LIGHT_UNDER))
    for palette, places, hues, under in kinds:
        made |= {getattr(palette, name): found for name, found in places.items()}
        made |= {palette.hues[name]: found for name, found in hues.items()}
        made |= {palette.under(name): (place, hues[name][1]) for name, place in under.items()}
        made |= dict.fromkeys(palette.tints.values(), places["ground"])  # no tint is better than a wrong one
    return {triplet(text): found for text, found in made.items()}


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


INKS = {
    triplet(getattr(theme.DARK, name)): RichColor.parse(getattr(theme.LIGHT, name))
    for name in ("ink", "strong", "faded", "faintest")
}
INKS |= {triplet(theme.DARK.hues[name]): RichColor.parse(theme.LIGHT.hues[name]) for name in theme.HUES}
INKS |= {triplet(theme.DARK.under(name)): RichColor.parse(theme.LIGHT.under(name)) for name in theme.HUES}
GROUNDS = {
    triplet(getattr(theme.DARK, name)): RichColor.parse(getattr(theme.LIGHT, name))
    for name in ("ground", "raised", "panel", "chosen", "chosen_blurred")
}
GROUNDS |= {triplet(theme.DARK.tints[name]): RichColor.parse(theme.LIGHT.tints[name]) for name in theme.TINTS}


@lru_cache(8192)
def lightened(style: Style) -> Style:
    """A style of the dark theme as it is on a light ground; colours that are none of ours stay."""
    ink, ground = _light(style.color, INKS), _light(style.bgcolor, GROUNDS)
    if ink is style.color and ground is style.bgcolor:
        return style
    return style.without_color + Style(color=ink, bgcolor=ground)


def _light(colour: RichColor | None, chosen: dict[ColorTriplet, RichColor]) -> RichColor | None:
    return chosen.get(colour.triplet, colour) if colour is not None and colour.triplet else colour


class LightColours(LineFilter):
    """Every line passes here while the light theme is on."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002
        """The same segments in the light theme's colours."""
        return [
            Segment(text, lightened(style) if style is not None else None, control)
            for text, style, control in segments
        ]


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
