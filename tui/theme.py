"""The cockpit's theme: hues that the common colour blindnesses keep apart, after the Okabe-Ito set."""

from rich.style import Style
from textual.theme import Theme

from trainer.telemetry.bands import Colour

NAME = "photinus"

INK = "#d8dee4"
FADED = "#7d8894"
GROUND = "#11151a"
RAISED = "#181d24"
LINE = "#2b333d"
PANEL = "#1f262f"
FAINTEST = "#606c7a"
CHOSEN, CHOSEN_BLURRED = "#2a4359", "#222b35"

# Okabe-Ito, lifted a little for a dark ground; each differs from the others in lightness too.
HUES: dict[Colour, str] = {
    "red": "#e8743b",
    "amber": "#f0c24b",
    "green": "#3cb88f",
    "blue": "#5aa9e6",
    "cyan": "#7fd1e0",
    "violet": "#cf8fc0",
    "grey": "#8b96a3",
}

# The same hues as a breath behind a chart: the ground with a tenth of the hue in it.
TINTS: dict[Colour, str] = {
    "red": "#291d1b",
    "amber": "#26231e",
    "green": "#152522",
    "blue": "#182430",
    "cyan": "#1a272d",
    "violet": "#241f2a",
    "grey": "#1b2027",
}

THEME = Theme(
    name=NAME,
    primary="#5aa9e6",
    secondary="#3cb88f",
    accent="#f0c24b",
    warning="#f0c24b",
    error="#e8743b",
    success="#3cb88f",
    foreground=INK,
    background=GROUND,
    surface=RAISED,
    panel=PANEL,
    dark=True,
    variables={
        "footer-background": RAISED,
        "border": LINE,
        "border-blurred": LINE,
        "scrollbar": LINE,
        "scrollbar-hover": "#3b4653",
        "scrollbar-active": "#5aa9e6",
        "scrollbar-background": GROUND,
        "scrollbar-background-hover": GROUND,
        "scrollbar-background-active": GROUND,
        "scrollbar-corner-color": GROUND,
    },
)


STYLE = """
    Screen { background: $background; }
    Toast { background: $surface; border-left: outer $primary; padding: 0 2; width: 60; max-width: 90%; }
    Toast.-warning { border-left: outer $warning; }
    Toast.-error { border-left: outer $error; }
"""


def hue(colour: Colour, *, bold: bool = False) -> Style:
    """The style of a colour word."""
    return Style(color=HUES[colour], bold=bold or None)


def under(colour: Colour) -> str:
    """Half-way from a hue to the ground: the curve beneath its average."""
    value = HUES[colour]
    parts = [int(value[i : i + 2], 16) for i in (1, 3, 5)]
    return "#" + "".join(f"{int(0.42 * part + 0.58 * 0x16):02x}" for part in parts)


PLAIN = Style(color=INK)
STRONG = Style(color="#ffffff", bold=True)
DIM = Style(color=FADED)
FAINT = Style(color=FAINTEST)
CURSOR = Style(bgcolor=CHOSEN, bold=True)  # no ink: a lamp keeps its hue under the cursor
CURSOR_BLURRED = Style(bgcolor=CHOSEN_BLURRED)
