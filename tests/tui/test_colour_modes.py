"""The cockpit on terminals with fewer colours, as they really paint it."""

from pathlib import Path

import pytest
from rich.color import Color as RichColor
from rich.style import Style
from textual.color import Color

from tests.tui.pty_screen import Seen, seen
from tui import theme
from tui.colour_modes import CHOSEN, of_16, of_256, reduced
from tui.theme import CURSOR, hue

SCRIPT = Path(__file__).with_name("painted_run.py")
BLACK, GROUND_256, RAISED_256 = "000000", "121212", "1c1c1c"


def painted(*args: str, **terminal: str) -> Seen:
    """The Run screen of a run with zones, floors and lamps."""
    return seen(SCRIPT, ("step 395", "Intimacy", "grad norm  ", "q quit"), (160, 50), *args, **terminal)


def test_256_colours_have_our_ground_and_no_block_of_black_or_navy() -> None:
    shown = painted(TERM="xterm-256color")
    assert shown.share(GROUND_256) + shown.share(RAISED_256) == 1.0
    assert {"00af87", "ffd75f"} <= shown.inks


def test_what_rounding_made_of_it_is_black() -> None:
    """The control: the picture from before."""
    assert painted("unsuited", TERM="xterm-256color").share(BLACK) > 0.5


def test_16_colours_keep_the_terminals_own_ground() -> None:
    shown = painted(TERM="xterm")
    assert shown.share("default") == 1.0
    assert {"green", "brown"} <= shown.inks


def test_hues_stay_apart_in_each_mode() -> None:
    for place in (0, 1):
        hues = [CHOSEN[Color.parse(text).rich_color.get_truecolor()][place] for text in theme.HUES.values()]
        assert len(set(hues)) == len(hues)


@pytest.mark.parametrize("text", ["#11161b", "#0b0e12", "#000000", "#25292f"])
def test_a_dialogs_shade_of_grey_is_a_grey_and_never_colour_16(text: str) -> None:
    triplet = RichColor.parse(text).get_truecolor()
    assert 232 <= of_256(triplet) <= 255
    assert of_16(triplet) is None


def test_a_lamp_keeps_its_hue_under_the_cursor() -> None:
    lamp = hue("amber")
    assert (lamp + CURSOR).color == lamp.color
    few = reduced(lamp + CURSOR, "256")
    assert few.bold
    assert few.color == RichColor.from_ansi(221)
    assert reduced(Style(bold=True), "256") == Style(bold=True)
