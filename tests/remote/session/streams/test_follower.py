import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remote.protocol.framing import Frame
from remote.protocol.messages import BytesHeader, Cursor
from remote.session.streams.follower import Follower

TEXT = bytes(range(256)) * 8


def frame(off: int, n: int, gen: int = 1, data: bytes = TEXT, file: str = "001.log") -> Frame:
    piece = data[off : off + n]
    header = BytesHeader(stream=1, run="a-abcdef", what="log", file=file, gen=gen, off=off, n=len(piece))
    return Frame(header, piece)


def follower() -> Follower:
    one = Follower(1, "a-abcdef", "log", 1000)
    one.attached(1, Cursor(gen=1, file="001.log", offset=0))
    return one


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(1, 400)), max_size=40))
def test_bytes_sent_more_than_once_are_delivered_once(sent: list[tuple[int, int]]) -> None:
    one, got = follower(), b""
    for back, n in sent:  # every frame begins at or before the point that was reached, as after a reconnect
        begin = max(0, len(got) - back)
        offset, data = one.take(frame(begin, n))
        if data:
            assert offset == len(got)
        got += data
    assert TEXT.startswith(got)
    assert one.cursor is not None
    assert one.cursor.offset == len(got)
    assert one.cursor.crc == zlib.crc32(got[-one.cursor.crc_n :] if one.cursor.crc_n else b"")


def test_a_hole_is_noticed() -> None:
    one = follower()
    one.take(frame(0, 10))
    with pytest.raises(LookupError):
        one.take(frame(11, 10))


def test_a_new_generation_begins_anew_and_an_old_one_is_dropped() -> None:
    one = follower()
    one.take(frame(0, 100))
    assert one.take(frame(0, 5, gen=2)) == (0, TEXT[:5])
    assert one.take(frame(100, 5, gen=1))[1] == b""
    assert one.take(frame(0, 7, gen=3, file="002.log")) == (0, TEXT[:7])


def test_the_check_of_a_cursor_never_reaches_into_an_earlier_generation() -> None:
    one = follower()
    one.take(frame(0, 100))
    one.take(frame(0, 5, gen=2))
    assert one.cursor == Cursor(gen=2, file="001.log", offset=5, crc=zlib.crc32(TEXT[:5]), crc_n=5)


def test_a_detached_follower_asks_to_go_on_where_it_stands() -> None:
    one = follower()
    one.take(frame(0, 100))
    one.detach()
    cursor = one.request().cursor
    assert cursor is not None
    assert (cursor.offset, cursor.file, cursor.crc_n) == (100, "001.log", 64)
