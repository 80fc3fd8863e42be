"""Curves over one another: a letter each, the pinned one on top, and no wave that is not there."""

import math

from tui.store.compare.comparison import Contender
from tui.store.metrics.series import Series
from tui.theme import hue
from tui.widgets.compare.overlay import GUTTER, MARGIN, OverlayLook, draw, window

WIDE, HIGH = 80, 20


def curve(letter: str, values: dict[int, float], *, pinned: bool = False) -> Contender:
    series = Series()
    for step, value in values.items():
        series.append(step, value)
    return Contender(letter, ("local", letter), letter, "ce", series, is_pinned=pinned)


def test_every_curve_has_its_letter_on_it_and_at_its_end() -> None:
    flat = [curve(letter, {0: level, 99: level}) for letter, level in (("A", 1.0), ("B", 2.0), ("C", 3.0))]
    lines = [strip.text for strip in draw(flat, OverlayLook("loss"), WIDE, HIGH)]
    for letter in "ABC":
        assert sum(line[GUTTER:-MARGIN].count(letter) for line in lines[1:-1]) >= 2
        assert sum(line[-MARGIN:].strip() == letter for line in lines) == 1
    heights = [next(n for n, line in enumerate(lines) if line[-MARGIN:].strip() == one) for one in "CBA"]
    assert heights == sorted(heights), "the greatest stands highest"


def test_the_pinned_one_lies_on_top() -> None:
    both = {0: 1.0, 99: 1.0}
    for pinned in "AB":
        curves = [curve(letter, both, pinned=letter == pinned) for letter in "AB"]
        middle = [s for strip in draw(curves, OverlayLook("loss"), WIDE, HIGH)[1:-1] for s in strip]
        shown = [s.style for s in middle if s.text.strip() and set(s.text) & set("⠤⠒⣀⠉⠶")]
        wanted = next(one.colour for one in curves if one.letter == pinned)
        assert shown
        assert {style.color for style in shown if style} == {hue(wanted).color}


def test_a_fast_wave_becomes_no_slow_one() -> None:
    wave = {step: math.sin(step * 2 * math.pi * 106 / 20_000) for step in range(20_000)}
    lines = draw([curve("A", wave), curve("B", {0: -1.0, 19_999: 1.0})], OverlayLook("loss"), WIDE, HIGH)
    body = [strip.text[GUTTER:-MARGIN] for strip in lines[1:-1]]
    filled = [row for row, text in enumerate(body) if text.count("A") or any("⠀" < s <= "⣿" for s in text)]
    assert len(filled) >= len(body) - 3, "B crosses the whole plot"
    waved = draw([curve("A", wave)], OverlayLook("loss"), WIDE, HIGH)
    rows = [row for row, strip in enumerate(waved[1:-1]) if any("⠀" < s <= "⣿" for s in strip.text[GUTTER:])]
    assert len(rows) <= 6, f"its mean is level, but it is drawn over {len(rows)} rows"


def test_the_steps_shown_are_of_all_of_the_shared_or_of_the_newest() -> None:
    curves = [curve("A", {0: 1.0, 100: 1.0}), curve("B", {20: 1.0, 400: 1.0}), curve("C", {})]
    assert window(curves, OverlayLook("")) == (0, 400)
    assert window(curves, OverlayLook("", shared=True)) == (20, 100)
    assert window(curves, OverlayLook("", zoom=2)) == (300, 400)
    assert window([curve("C", {})], OverlayLook("")) is None


def test_what_cannot_be_drawn_says_why_at_every_size() -> None:
    for width, height in ((80, 20), (30, 6), (12, 3), (5, 1)):
        lines = draw([curve("A", {})], OverlayLook("loss"), width, height, empty="none has told its loss")
        assert len(lines) == height
    assert "none has told" in "".join(
        s.text for s in draw([], OverlayLook("x"), 80, 20, empty="none has told")
    )
    odd = {0: math.nan, 1: 1e30, 2: -5.0, 3: math.nan}
    for log in (False, True):
        assert len(draw([curve("A", odd, pinned=True)], OverlayLook("x", log=log), 60, 12)) == 12
