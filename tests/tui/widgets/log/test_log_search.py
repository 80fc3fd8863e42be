"""What a search finds, as the log grows at either end, and that no pattern holds the cockpit."""

import pytest

from tui.store.log_ring import LogRing
from tui.widgets.log import log_search
from tui.widgets.log.log_search import LogSearch, next_match

EXPONENTIAL = r"(x|xx)+[yz]"
"""Takes minutes on thirty letters."""
WICKED = b"x" * 40 + b"\n"


def fed(*parts: bytes, capacity: int = 1000) -> LogRing:
    ring = LogRing(capacity)
    for part in parts:
        ring.feed(part)
    return ring


def numbered(first: int, after: int) -> bytes:
    return b"".join(b"line %d\n" % number for number in range(first, after))


def found(search: LogSearch, ring: LogRing) -> list[int]:
    while not search.work(ring, 1.0):
        pass
    return search.numbers


def test_matches_are_numbered_from_the_first_line_heard() -> None:
    ring = fed(*(b"line %d\n" % number for number in range(3000)), capacity=800)
    numbers = found(LogSearch(r"line 2[59]00$"), ring)
    assert numbers == [2500, 2900]
    assert ring.line(numbers[0] - ring.dropped) == "line 2500"


def test_only_lines_that_are_new_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    ring, search, looked = fed(numbered(0, 500)), LogSearch("7$"), list[str]()
    fits = search.is_in

    def counted(line: str) -> bool:
        looked.append(line)
        return fits(line)

    monkeypatch.setattr(search, "_fits", counted)
    assert found(search, ring) == list(range(7, 500, 10))
    del looked[:]
    ring.feed(numbered(500, 510))
    ring.head = ("001.log", 90)
    ring.prepend("001.log", 0, b"older 7\nolder 8\n", is_first=True)
    assert found(search, ring) == [-2, *range(7, 510, 10)]
    assert sorted(looked) == sorted(["older 7", "older 8", *(f"line {n}" for n in range(500, 510))])


def test_the_newest_lines_are_looked_at_first_a_slice_at_a_time() -> None:
    ring, search = fed(numbered(0, 1000)), LogSearch("00$")
    assert not search.work(ring, 0.0)
    ring.feed(numbered(1000, 1001))
    seen: list[list[int]] = []
    while not search.work(ring, 1e-9):
        seen.append(list(search.numbers))
    assert seen[0] in ([1000], [900, 1000])
    assert len(seen) > 3
    assert search.numbers == list(range(100, 1001, 100))


def test_lines_that_left_the_ring_are_no_matches_any_more() -> None:
    ring, search = fed(numbered(0, 800), capacity=800), LogSearch("0$")
    assert found(search, ring)[0] == 0
    ring.feed(numbered(800, 1700))
    assert found(search, ring) == [n for n in range(1700) if n % 10 == 0 and n >= ring.dropped]
    ring.feed(numbered(1700, 9000))  # none of those that were looked at is there any more
    assert found(search, ring) == [n for n in range(9000) if n % 10 == 0 and n >= ring.dropped]
    assert found(search, fed(b"0\n")) == [0]  # another log


@pytest.mark.parametrize(("text", "numbers"), [("loss", [0, 1]), ("Loss", [1]), ("(unclosed[", [2])])
def test_small_letters_find_any_and_what_is_no_expression_is_a_text(text: str, numbers: list[int]) -> None:
    search = LogSearch(text)
    assert found(search, fed(b"loss 1\nLoss 2\n(unclosed[ 3\n")) == numbers
    assert bool(search.fault) == text.startswith("(")


def test_a_pattern_without_an_end_is_given_up_and_marks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_search, "LINE_S", 0.02)
    search = LogSearch(EXPONENTIAL)
    with pytest.raises(TimeoutError):
        found(search, fed(WICKED * 50))
    assert search.spans(WICKED.decode()) == []
    assert found(search, fed(b"xxxxy\n")) == [0]  # it is the log that was too much, not the pattern
    assert search.spans("a xxxxy") == [(2, 7)]


def test_next_and_previous_match_go_round() -> None:
    numbers = [10, 20, 30]
    assert [next_match(numbers, here, forward=True) for here in (0, 10, 25, 30)] == [10, 20, 30, 10]
    assert [next_match(numbers, here, forward=False) for here in (40, 30, 15, 10)] == [30, 20, 10, 30]
    assert next_match([], 5, forward=True) is None
