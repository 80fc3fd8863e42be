import itertools

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from remote.protocol.errors import ProtocolError
from remote.protocol.framing import NOISE_LIMIT, Frame, FrameReader, LineBuffer
from remote.protocol.messages import LINE_LIMIT, MAGIC, BytesHeader, Pushed, Reply, encode, encode_result


def chunks(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(edges)]


def frame(data: bytes, off: int = 0) -> bytes:
    header = BytesHeader(stream=1, run="a-abcdef", what="log", file="001.log", gen=1, off=off, n=len(data))
    return header.encode() + data


@given(st.lists(st.binary(max_size=50)), st.lists(st.integers(0, 10_000), max_size=30))
def test_frames_come_out_whole_however_the_pipe_cuts_them(payloads: list[bytes], cuts: list[int]) -> None:
    wire = MAGIC + b"".join(frame(data) + encode_result(i, {}) for i, data in enumerate(payloads))
    reader = FrameReader()
    heard = [message for chunk in chunks(wire, cuts) for message in reader.feed(chunk)]
    assert isinstance(heard.pop(0), Pushed)
    assert [one.data for one in heard if isinstance(one, Frame)] == payloads
    assert [one.id for one in heard if isinstance(one, Reply)] == list(range(len(payloads)))


@given(st.binary(max_size=300))
def test_noise_before_the_agent_is_skipped_and_kept_apart(noise: bytes) -> None:
    assume(MAGIC not in noise)
    reader = FrameReader()
    heard = reader.feed(noise + MAGIC)
    assert len(heard) == 1
    assert reader.noise == noise


@given(st.binary(max_size=2000))
def test_garbage_after_the_magic_raises_nothing_but_protocol_errors(garbage: bytes) -> None:
    reader = FrameReader()
    reader.feed(MAGIC)
    try:
        reader.feed(garbage + b"\n")
    except ProtocolError:
        return


def test_a_host_that_only_prints_noise_is_given_up() -> None:
    reader = FrameReader()
    assert reader.feed(b"welcome to the machine\n") == []
    with pytest.raises(ProtocolError, match="no agent"):
        reader.feed(b"x" * (NOISE_LIMIT + 1))


def test_a_line_without_end_is_given_up_and_one_below_the_limit_is_not() -> None:
    buffer = LineBuffer()
    assert buffer.feed(b"x" * LINE_LIMIT) == []
    assert buffer.feed(b"\n") == [b"x" * LINE_LIMIT]
    with pytest.raises(ProtocolError, match="longer"):
        buffer.feed(b"x" * (LINE_LIMIT + 1))


def test_a_frame_of_a_negative_or_huge_size_is_refused() -> None:
    for n in (-1, 1 << 30):
        reader = FrameReader()
        reader.feed(MAGIC)
        header = {"stream": 1, "run": "a", "what": "log", "file": "001.log", "gen": 1, "off": 0, "n": n}
        with pytest.raises(ProtocolError):
            reader.feed(encode({"event": "bytes", **header}))


def test_what_came_instead_of_an_agent_can_be_quoted() -> None:
    reader = FrameReader()
    reader.feed(b"which project?")
    assert (reader.is_awake, reader.unheard) == (False, b"which project?")
    reader.feed(MAGIC)
    assert (reader.is_awake, reader.unheard, reader.noise) == (True, b"", b"which project?")
