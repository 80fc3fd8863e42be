"""Fetching books: over a real server on the loopback, with waits that are counted instead of waited."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.trainer.data.corpora.library import Library, book, opened
from trainer.data.corpora.polite_http import Fetcher, FetchError, Manners
from trainer.data.corpora.shelf import Shelf
from trainer.data.data_errors import Stopped
from trainer.data.progress import Pulse, silent

EMMA = book("Emma", "Jane Austen", 158)


@pytest.fixture
def library() -> Iterator[Library]:
    with opened() as one:
        yield one


class Clock:
    """Sleeps at once, and knows how long."""

    def __init__(self) -> None:
        self.slept = 0.0

    def __call__(self, seconds: float) -> None:
        self.slept += seconds


def fetcher(clock: Clock, most_bytes: int = 1_000_000) -> Fetcher:
    return Fetcher(Manners(pause_s=2, backoff_s=4, timeout_s=5, most_bytes=most_bytes), Pulse(), clock)


def test_a_book_is_fetched_once_and_kept_with_its_hash(library: Library, tmp_path: Path) -> None:
    path = library.put(158, EMMA)
    shelf, clock = Shelf(tmp_path / "shelf", library.base), Clock()
    for _ in range(2):
        assert shelf.book(158, fetcher(clock)) == EMMA.decode()
    assert library.asked == {path: 1}
    assert clock.slept == 0
    assert "photinus" in library.agents.pop()
    (tmp_path / "shelf" / "158.txt").write_bytes(EMMA[:-1])  # damaged: not used, fetched again
    assert shelf.book(158, fetcher(clock)) == EMMA.decode()
    assert library.asked == {path: 2}
    assert Shelf(tmp_path / "shelf", "http://nowhere.invalid").book(158, None) == EMMA.decode()


def test_requests_keep_their_distance_and_an_absent_file_is_looked_for_where_it_may_be(
    library: Library, tmp_path: Path
) -> None:
    library.files["/files/158/158-0.txt"] = EMMA
    clock = Clock()
    assert Shelf(tmp_path, library.base).book(158, fetcher(clock)) == EMMA.decode()
    assert list(library.asked) == ["/cache/epub/158/pg158.txt", "/files/158/158-0.txt"]
    assert clock.slept == pytest.approx(2, abs=0.5)
    with pytest.raises(FetchError, match="no plain text of this number") as caught:
        Shelf(tmp_path, library.base).book(159, fetcher(clock))
    assert caught.value.absent


def test_what_passes_is_tried_again_and_what_does_not_is_not(library: Library, tmp_path: Path) -> None:
    shelf, clock = Shelf(tmp_path, library.base), Clock()
    passing, torn, lasting = (library.put(number, EMMA) for number in (1, 2, 3))
    library.faults = {passing: [503, 429], torn: [0], lasting: [500] * 9, library.put(4, EMMA): [403]}
    assert shelf.book(1, fetcher(clock)) == EMMA.decode()
    assert 4 + 8 <= clock.slept + 0.5 < 4 + 8 + 2 * 2 + 1  # and 2 between any two requests
    assert shelf.book(2, fetcher(clock)) == EMMA.decode()
    for number, said in ((3, "500"), (4, "403")):
        with pytest.raises(FetchError, match=f"the server said {said}") as caught:
            shelf.book(number, fetcher(clock))
        assert not caught.value.absent
    assert [library.asked[path] for path in (passing, torn, lasting)] == [3, 2, 4]
    assert library.asked["/cache/epub/4/pg4.txt"] == 1


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (EMMA + b" " * 100_000, "longer than"),
        (b"<!DOCTYPE html><title>Project Gutenberg</title>" + b" " * 2000, "a web page"),
        (b"short, but Project Gutenberg", "no book"),
        (b"words " * 2000, "no book"),
        (b"Project Gutenberg \0" * 200, "not a text file"),
    ],
)
def test_what_is_no_book_is_refused_and_not_kept(
    body: bytes, said: str, library: Library, tmp_path: Path
) -> None:
    library.put(7, body)
    with pytest.raises(FetchError, match=said):
        Shelf(tmp_path, library.base).book(7, fetcher(Clock(), most_bytes=50_000))
    assert not list(tmp_path.glob("7.*"))


def test_a_redirect_stays_on_the_web(library: Library, tmp_path: Path) -> None:
    library.put(1, EMMA)
    library.moved["/cache/epub/2/pg2.txt"] = "/cache/epub/1/pg1.txt"
    library.moved["/cache/epub/3/pg3.txt"] = "file:///etc/passwd"
    library.moved["/cache/epub/4/pg4.txt"] = "/cache/epub/4/pg4.txt"
    assert Shelf(tmp_path, library.base).book(2, fetcher(Clock())) == EMMA.decode()
    for number in (3, 4):
        with pytest.raises(FetchError, match="the server said 302"):
            Shelf(tmp_path, library.base).book(number, fetcher(Clock()))


def test_a_server_that_is_not_there_is_asked_once(tmp_path: Path) -> None:
    with socket.socket() as closed:  # bound, never listening
        closed.bind(("127.0.0.1", 0))
        clock = Clock()
        shelf = Shelf(tmp_path, f"http://127.0.0.1:{closed.getsockname()[1]}")
        with pytest.raises(FetchError, match="cannot be reached") as caught:
            shelf.book(1, fetcher(clock))
    assert caught.value.away
    assert clock.slept == 0


def test_a_stop_is_honoured_between_two_tries(library: Library, tmp_path: Path) -> None:
    path = library.put(1, EMMA)
    library.faults[path] = [503] * 9
    asking = Fetcher(Manners(), Pulse(silent, lambda: library.asked[path] > 0), Clock())
    with pytest.raises(Stopped):
        Shelf(tmp_path, library.base).book(1, asking)
    assert library.asked == {path: 1}
