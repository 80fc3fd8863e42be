import re

from hypothesis import given, settings
from hypothesis import strategies as st

from tui.store.log_ring import LogRing


def fed(*parts: bytes, capacity: int = 1000) -> LogRing:
    ring = LogRing(capacity)
    for part in parts:
        ring.feed(part)
    return ring


def shown(ring: LogRing) -> list[str]:
    return [ring.line(index) for index in range(len(ring))]


def test_lines_are_whole_however_they_were_cut() -> None:
    data = "erste Zeile\nπ ∅ 🌀\nlast, not ended".encode()
    for size in (1, 2, 3, 50):
        ring = fed(*(data[i : i + size] for i in range(0, len(data), size)))
        assert shown(ring) == ["erste Zeile", "π ∅ 🌀", "last, not ended"]


def test_a_carriage_return_rewrites_its_line() -> None:
    assert shown(fed(b" 1%\r 50%\r100%\ndone\r\n")) == ["100%", "done"]


@settings(max_examples=150)
@given(st.binary(max_size=120))
def test_nothing_that_steers_a_terminal_is_shown(data: bytes) -> None:
    for line in shown(fed(data, b"\n")):
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]", line)


def test_escape_sequences_go_and_their_text_stays() -> None:
    assert shown(fed(b"\x1b[31mred\x1b[0m \x1b]0;title\x07text\n")) == ["red text"]


def test_the_ring_keeps_the_newest_lines_and_their_numbers() -> None:
    ring = fed(*(f"line {number}\n".encode() for number in range(5000)), capacity=800)
    assert 800 <= len(ring) <= 900
    assert ring.line(0) == f"line {ring.dropped}"
    assert ring.line(len(ring) - 1) == "line 4999"


def test_a_line_without_end_is_cut() -> None:
    ring = fed(b"x" * 200_000)
    assert max(map(len, shown(ring))) <= 200_000
    assert len(ring) >= 1
    ring.feed(b"y\nnext\n")
    assert shown(ring)[-1] == "next"


def test_a_note_closes_an_unfinished_line() -> None:
    ring = fed(b"half a line")
    ring.note("── link back ──")
    ring.feed(b"next\n")
    assert shown(ring) == ["half a line", "── link back ──", "next"]


def test_older_lines_go_before_the_first_and_keep_every_number() -> None:
    ring = LogRing()
    ring.feed(b"needle five\nsix\n")
    ring.head = ("002.log", 30)
    assert ring.prepend("002.log", 10, b"three \x1b[31mneedle\x1b[0m\nfour\n", is_first=False) == 2
    assert [ring.line(index) for index in range(4)] == ["three needle", "four", "needle five", "six"]
    assert (ring.dropped, ring.head) == (-2, ("002.log", 10))
    assert ring.prepend("001.log", 0, b"one\ntwo", is_first=True) == 3
    assert [ring.line(index) for index in range(4)] == ["one", "two", "── 002.log ──", "three needle"]
    assert ring.head is None
