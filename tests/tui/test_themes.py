"""Both themes: every text can be read on every ground, in each mode of colours, and one key changes them."""

import os

import pytest
from rich.color import Color as RichColor
from rich.color_triplet import ColorTriplet
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import Monochrome

from tests.tui.driving import press, settle
from tests.tui.fake import FakeSession, cockpit, view
from tui import cli, theme
from tui.colour_modes import GROUNDS, INKS, lightened, of_256, triplet
from tui.keys import key_of
from tui.theme import DARK, LIGHT, Palette, is_light

THEMES = pytest.mark.parametrize("palette", [DARK, LIGHT], ids=["dark", "light"])


def luminance(colour: ColorTriplet) -> float:
    """The relative luminance of WCAG 2."""
    parts = [part / 255 for part in colour]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: ColorTriplet, other: ColorTriplet) -> float:
    """The contrast ratio of WCAG 2: 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def inks(palette: Palette) -> list[str]:
    """What is read: text, and words in hues."""
    return [palette.ink, palette.strong, palette.faded, *palette.hues.values()]


def grounds(palette: Palette) -> list[str]:
    """What it is read on."""
    plain = [palette.ground, palette.raised, palette.panel, palette.chosen, palette.chosen_blurred]
    return [*plain, *palette.tints.values()]


def least(texts: list[str], stands_on: list[str]) -> float:
    return min(contrast(triplet(ink), triplet(ground)) for ink in texts for ground in stands_on)


@THEMES
def test_every_text_has_the_contrast_of_wcag_aa_on_every_ground(palette: Palette) -> None:
    assert least(inks(palette), grounds(palette)) >= 4.5
    assert least([palette.faintest], grounds(palette)) >= 3.0, "what recedes is still read"


def test_one_themes_text_on_the_others_ground_could_not_be_read() -> None:
    """The control: what a dark theme paints on a white terminal."""
    assert least(inks(DARK), [LIGHT.ground]) < 1.7


@THEMES
def test_256_colours_keep_it_readable(palette: Palette) -> None:
    def few(text: str) -> ColorTriplet:
        return RichColor.from_ansi(of_256(triplet(text))).get_truecolor()

    for ink in inks(palette):
        for ground in (palette.ground, palette.raised, palette.panel):
            assert contrast(few(ink), few(ground)) >= 4.0, (ink, ground)
        assert contrast(few(ink), few(palette.chosen)) >= 3.0, ink
    hues = [of_256(triplet(text)) for text in palette.hues.values()]
    assert len(set(hues)) == len(hues)


@THEMES
def test_no_color_leaves_greys_that_can_be_read(palette: Palette) -> None:
    for ink in inks(palette):
        for ground in grounds(palette):
            painted = [Segment("x", Style(color=ink, bgcolor=ground))]
            ((_, style, _),) = Monochrome().apply(painted, Color.parse(ground))
            assert style is not None
            assert style.color is not None
            assert style.bgcolor is not None
            grey, below = style.color.get_truecolor(), style.bgcolor.get_truecolor()
            assert len({*grey}) == len({*below}) == 1
            assert contrast(grey, below) >= (4.0 if ground == palette.chosen else 4.5), (ink, ground)


def test_every_colour_that_is_painted_has_its_light_one() -> None:
    painted = {*map(triplet, inks(DARK)), triplet(DARK.faintest)}
    painted |= {triplet(DARK.under(name)) for name in theme.HUES}
    assert painted == set(INKS)
    assert set(GROUNDS) == {triplet(text) for text in grounds(DARK)}
    style = theme.hue("red", bold=True) + theme.CURSOR
    changed = lightened(style)
    assert changed.color == RichColor.parse(LIGHT.hues["red"])
    assert changed.bgcolor == RichColor.parse(LIGHT.chosen)
    assert changed.bold
    foreign = Style(color="#11151a", bgcolor="#f0c24b")
    assert lightened(foreign) is foreign, "dark on a yellow mark is read in both"


@pytest.mark.parametrize(
    ("environ", "light"),
    [
        ({}, False),
        ({"COLORFGBG": "0;15"}, True),
        ({"COLORFGBG": "0;default;7"}, True),
        ({"COLORFGBG": "15;0"}, False),
        ({"COLORFGBG": "nonsense"}, False),
        ({"COLORFGBG": "0;15", "PHOTINUS_THEME": "dark"}, False),
        ({"PHOTINUS_THEME": "Light"}, True),
    ],
)
def test_the_ground_is_as_was_asked_for_else_as_the_terminal_says(
    environ: dict[str, str], light: bool
) -> None:
    assert is_light(environ) is light


def test_the_option_says_it_to_the_cockpit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(theme.VARIABLE, "")
    seen: list[bool] = []

    def opened(_: object) -> int:
        seen.append(is_light(os.environ))
        return 0

    monkeypatch.setattr("tui.commands.cockpit.open_cockpit", opened)
    assert cli.main(["--theme", "light"]) == 0
    assert seen == [True]


async def test_one_key_turns_the_ground_while_it_is_open() -> None:
    session = FakeSession()
    app = cockpit(session)
    async with app.run_test(size=(80, 24)) as pilot:
        session.connect(view())
        await settle(pilot, app)

        def grounds_shown() -> set[RichColor | None]:
            strips = app.screen._compositor.render_strips()
            return {part.style.bgcolor for strip in strips for part in strip if part.style}

        assert RichColor.parse(DARK.chosen) in grounds_shown()
        await press(pilot, app, key_of("ground").keys)
        assert RichColor.parse(LIGHT.chosen) in grounds_shown()
        assert RichColor.parse(DARK.chosen) not in grounds_shown()
        assert app.theme == theme.LIGHT_NAME
        await press(pilot, app, key_of("ground").keys)
        assert RichColor.parse(DARK.chosen) in grounds_shown()
