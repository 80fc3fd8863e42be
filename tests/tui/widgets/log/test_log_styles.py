"""A line of a log that tells of a failure is never painted as a success."""

import pytest

from trainer.telemetry.bands import Colour
from tui.theme import hue
from tui.widgets.log.log_styles import style_of


@pytest.mark.parametrize(
    "text",
    [
        "could not write checkpoint: disk full",
        "failed to save checkpoint step-300",
        "nothing was saved",
        "CUDA out of memory",
        "Killed",
        "loss is nan",
    ],
)
def test_a_failure_is_red_whatever_else_stands_there(text: str) -> None:
    assert style_of(text) == hue("red")


@pytest.mark.parametrize(
    ("text", "colour"),
    [
        ("saved checkpoint step-300", "green"),
        ("💾 step 7", "green"),
        ("10 passed, 0 failed", None),
        ("financial", None),
    ],
)
def test_what_went_well_is_not(text: str, colour: Colour | None) -> None:
    assert style_of(text) == (hue(colour) if colour else None)
