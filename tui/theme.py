"""The cockpit's colours, dark and light: hues that the common colour blindnesses keep apart, after Okabe-Ito.

What is painted names the dark ones; on a light ground `tui.colour_modes` puts the light ones in their places.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from rich.style import Style
from textual.theme import Theme

from trainer.telemetry.bands import Colour

NAME, LIGHT_NAME = "photinus", "photinus-light"
VARIABLE = "PHOTINUS_THEME"


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of one theme.

    Attributes:
        ink, strong, faded, faintest: text, from what matters to what recedes.
        ground, raised, panel, chosen, chosen_blurred: what it stands on; `line`: borders.
        hues: what lamps and curves are painted in; each differs from the others in lightness too.
        tints: the same as a breath behind a chart: the ground with a tenth of the hue in it.
    """

    ink: str
    strong: str
    faded: str
    faintest: str
    ground: str
    raised: str
    panel: str
    line: str
    hover: str
    chosen: str
    chosen_blurred: str
    hues: Mapping[Colour, str]
    tints: Mapping[Colour, str]

    def under(self, colour: Colour) -> str:
        """Half-way from a hue to the ground: the curve beneath its average."""
        parts = zip(_parts(self.hues[colour]), _parts(self.ground), strict=True)
        return "#" + "".join(f"{int(0.42 * part + 0.58 * (ground + 4)):02x}" for part, ground in parts)

    def theme(self, name: str, *, dark: bool) -> Theme:
        """The same for what Textual paints."""
        hues = self.hues
        return Theme(
            name=name,
            primary=hues["blue"],
            secondary=hues["green"],
            accent=hues["amber"],
            warning=hues["amber"],
            error=hues["red"],
            success=hues["green"],
            foreground=self.ink,
            background=self.ground,
            surface=self.raised,
            panel=self.panel,
            dark=dark,
            variables={
                "footer-background": self.raised,
                "border": self.line,
                "border-blurred": self.line,
                "scrollbar": self.line,
                "scrollbar-hover": self.hover,
                "scrollbar-active": hues["blue"],
                "scrollbar-background": self.ground,
                "scrollbar-background-hover": self.ground,
                "scrollbar-background-active": self.ground,
                "scrollbar-corner-color": self.ground,
            },
        )


def _parts(value: str) -> tuple[int, ...]:
    return tuple(int(value[i : i + 2], 16) for i in (1, 3, 5))


DARK = Palette(
    ink="#d8dee4", strong="#ffffff", faded="#929da9", faintest="#717d8b",
    ground="#11151a", raised="#181d24", panel="#1f262f", line="#2b333d", hover="#3b4653",
    chosen="#203448", chosen_blurred="#202933",
    hues={
        "red": "#ec7c42", "amber": "#f0c24b", "green": "#3cb88f", "blue": "#5aa9e6", "cyan": "#7fd1e0",
        "violet": "#cf8fc0", "grey": "#97a2af",
    },
    tints={
        "red": "#291d1b", "amber": "#26231e", "green": "#152522", "blue": "#182430", "cyan": "#1a272d",
        "violet": "#241f2a", "grey": "#1b2027",
    },
)  # fmt: skip
LIGHT = Palette(
    ink="#1f2730", strong="#05080b", faded="#535d68", faintest="#66707b",
    ground="#f8f9fb", raised="#eef1f4", panel="#e3e8ee", line="#c4ccd4", hover="#aab5c0",
    chosen="#c9dff2", chosen_blurred="#dfe6ec",
    hues={
        "red": "#a83a06", "amber": "#7a5000", "green": "#07634a", "blue": "#0b559a", "cyan": "#0a6073",
        "violet": "#82306f", "grey": "#505b67",
    },
    tints={
        "red": "#fae9e1", "amber": "#f7efdb", "green": "#e2f2ec", "blue": "#e2eef8", "cyan": "#e0f1f4",
        "violet": "#f4e8f1", "grey": "#edf0f3",
    },
)  # fmt: skip
THEME = DARK.theme(NAME, dark=True)
LIGHT_THEME = LIGHT.theme(LIGHT_NAME, dark=False)

HUES, TINTS, CHOSEN = DARK.hues, DARK.tints, DARK.chosen

STYLE = """
    Screen { background: $background; }
    Toast { background: $surface; border-left: outer $primary; padding: 0 2; width: 60; max-width: 90%; }
    Toast.-warning { border-left: outer $warning; }
    Toast.-error { border-left: outer $error; }
"""


def is_light(environ: Mapping[str, str]) -> bool:
    """Whether the ground is light: as PHOTINUS_THEME says, else as the terminal's COLORFGBG does."""
    asked = environ.get(VARIABLE, "").strip().lower()
    if asked in ("light", "dark"):
        return asked == "light"
    ground = environ.get("COLORFGBG", "").rpartition(";")[2]
    return ground in ("7", "15")


def hue(colour: Colour, *, bold: bool = False) -> Style:
    """The style of a colour word."""
    return Style(color=HUES[colour], bold=bold or None)


def under(colour: Colour) -> str:
    """Half-way from a hue to the ground: the curve beneath its average."""
    return DARK.under(colour)


PLAIN = Style(color=DARK.ink)
STRONG = Style(color=DARK.strong, bold=True)
DIM = Style(color=DARK.faded)
FAINT = Style(color=DARK.faintest)
CURSOR = Style(bgcolor=CHOSEN, bold=True)  # no ink: a lamp keeps its hue under the cursor
CURSOR_BLURRED = Style(bgcolor=DARK.chosen_blurred)
