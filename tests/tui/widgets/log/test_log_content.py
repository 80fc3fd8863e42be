"""What of a log is shown, found, marked and copied; how long lines are laid out; when lines came."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.store.log_ring import PIECE, LogRing
from tui.store.merged_logs import MergedLine, merged
from tui.widgets.log.clipboard import MOST, osc52, told
from tui.widgets.log.log_content import LogContent
from tui.widgets.log.log_filter import LogFilter
from tui.widgets.log.log_layout import from_top, parts_of, to_end
from tui.widgets.log.log_row import cut, styled
from tui.widgets.log.log_search import LogSearch
from tui.widgets.log.log_styles import level_of

TEXT = b"step 1\nWarning: slow disk\nstep 2\nValueError: bad\nstep 3\n"


def content(*parts: bytes, text: str = "", level: int = 0) -> LogContent:
    ring = LogRing()
    for part in parts:
        ring.feed(part)
    made = LogContent(ring)
    made.filtered = LogFilter(text, level) if text or level else None
    while made.is_looking:
        assert not made.look_on()
    return made


def lines(made: LogContent) -> list[str]:
    return [made.text(made.number(place)) for place in range(made.count)]


@pytest.mark.parametrize(
    ("text", "level", "left"),
    [
        ("", 0, ["step 1", "Warning: slow disk", "step 2", "ValueError: bad", "step 3"]),
        ("step", 0, ["step 1", "step 2", "step 3"]),
        ("!step", 0, ["Warning: slow disk", "ValueError: bad"]),
        ("", 1, ["Warning: slow disk", "ValueError: bad"]),
        ("", 2, ["ValueError: bad"]),
        ("!Error", 1, ["Warning: slow disk"]),
        ("step [13]", 0, ["step 1", "step 3"]),
        ("nothing", 0, []),
    ],
)
def test_a_filter_leaves_lines_by_text_and_level(text: str, level: int, left: list[str]) -> None:
    made = content(TEXT, text=text, level=level)
    assert lines(made) == left
    assert [made.place_of(made.number(place)) for place in range(made.count)] == list(range(len(left)))


@pytest.mark.parametrize(("text", "level"), [("out of memory", 2), ("warn: x", 1), ("saved", 0), ("", 0)])
def test_levels_are_those_of_the_colours(text: str, level: int) -> None:
    assert level_of(text) == level


def test_what_a_filter_hides_is_neither_found_nor_gone_to() -> None:
    made = content(TEXT, text="!2")
    made.searched = LogSearch("step")
    made.look_on()
    assert made.matches() == [0, 4]
    made.filtered = None
    assert made.matches() == [0, 2, 4]


def test_marks_are_gone_to_in_turn_and_copied_whole() -> None:
    made = content(b"a\n" + b"x" * 5000 + b"\nc\nd\n")
    assert made.to_copy([1, 1, 2]) == "x" * 5000 + "\nc"
    made.here = 2
    assert made.to_copy([1, 2]) == "c"
    made.marks = {3, 0}
    assert made.to_copy([1, 2]) == "a\nd"
    assert [made.next_mark(here) for here in (0, 1, 3)] == [3, 3, 0]
    made.turn_to(LogRing())
    assert made.next_mark(0) is None


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 95), max_size=30), st.integers(1, 12), st.integers(5, 40))
def test_wrapped_lines_are_whole_and_each_can_be_reached(cells: list[int], height: int, width: int) -> None:

    def parts(place: int) -> int:
        return parts_of(cells[place], width)

    every = [(place, part) for place in range(len(cells)) for part in range(parts(place))]
    end = to_end(len(cells), height, parts)
    assert end == every[-height:]
    last = end[0][0] + (end[0][1] > 0) if end else 0
    seen = set(end)
    for top in range(last):
        rows = from_top(top, len(cells), height, parts)
        assert rows == every[every.index((top, 0)) :][:height]
        seen |= set(rows)
    missed = {place for place, _ in set(every) - seen}
    assert all(parts(place) > height for place in missed), "only of a line longer than the view"


def test_a_line_that_goes_on_has_a_mark_where_it_does() -> None:
    line = styled("0123456789" * 3, None, is_here=False)
    assert cut(line, 0, 30).text == "0123456789" * 3
    assert cut(line, 0, 10).text == "012345678›"
    assert cut(line, 10, 10).text == "‹12345678›"
    assert cut(line, 20, 10).text == "‹123456789"
    assert cut(line, 40, 10).text == "‹" + " " * 9
    assert cut(styled("", None, is_here=False), 20, 10).text == " " * 10


def test_what_goes_to_the_clipboard_is_the_text_and_passes_tmux() -> None:
    plain, kept = osc52("π\nb", in_tmux=False)
    data = base64.b64encode("π\nb".encode()).decode()
    assert (plain, kept) == (f"\x1b]52;c;{data}\x07", 3)
    wrapped, _ = osc52("π\nb", in_tmux=True)
    assert wrapped == "\x1bPtmux;" + plain.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    assert told("π\nb", kept, in_tmux=False) == "2 lines sent to the terminal"
    assert "set -g allow-passthrough on" in told("a", 1, in_tmux=True)
    long = "é" * MOST
    _, kept = osc52(long, in_tmux=False)
    assert kept == MOST // 2
    assert "the first 30,000 of 60,000 characters" in told(long, kept, in_tmux=False)


def test_lines_have_times_from_when_their_end_was_reached() -> None:
    ring = LogRing()
    ring.feed(b"old\n" * (PIECE // 4), 50.0)  # there is more: it may be of any time
    ring.feed(b"older than that\n", 60.0)
    ring.feed(b"new\nbegun", 70.0)
    ring.feed(b" and ended\n", 71.0)
    old = PIECE // 4
    assert [ring.time_of(number) for number in (0, old, old + 1, old + 2)] == [None, None, 70.0, 71.0]
    ring.feed(b"unknown\n", 0.0)
    assert ring.time_of(old + 3) is None
    assert ring.time_of(-5) is None


def test_logs_are_merged_by_time_each_in_its_own_order() -> None:
    one, other = LogRing(), LogRing()
    for ring, name, times in ((one, "a", (5, 9, 7)), (other, "b", (6, 8, 8))):
        ring.feed(b"before\n", 1.0)
        for at in times:
            ring.feed(f"{name}{at}\n".encode(), float(at))
    found = merged({"one": one, "other": other})
    assert [line.text for line in found] == ["before", "before", "a5", "b6", "b8", "b8", "a9", "a7"]
    assert found[2] == MergedLine(5.0, "one", "a5")
