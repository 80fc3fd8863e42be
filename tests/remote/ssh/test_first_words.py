"""What a server says before its greeting: kept, and not listened to for ever."""

import io

import pytest

from remote.ssh.first_words import GREETING_WITHIN, FirstWords


class Link:
    """Says these bytes, over and over."""

    def __init__(self, said: bytes, *, again: bool) -> None:
        self._said, self._again, self._at = said, again, io.BytesIO(said)

    def recv(self, size: int) -> bytes:
        data = self._at.read(size)
        if not data and self._again:
            self._at = io.BytesIO(self._said)
            data = self._at.read(size)
        return data


@pytest.mark.parametrize("said", [b"x" * 1000, b"line\r\n", b"S", b"SSH \x1b]0;x\x07"])
def test_who_never_greets_is_at_an_end(said: bytes) -> None:
    words = FirstWords(Link(said, again=True))
    heard = 0
    while data := words.recv(128):
        heard += len(data)
        assert heard < 2 * GREETING_WITHIN, "it would go on for ever"
    assert words.text


@pytest.mark.parametrize("before", [b"", b"line\r\n" * 100, b"x" * 127, b"x" * 126 + b"\n"])
def test_control_who_greets_is_heard_to_the_end(before: bytes) -> None:
    said = before + b"SSH-2.0-x\r\n" + b"k" * 4 * GREETING_WITHIN
    words = FirstWords(Link(said, again=False))
    heard = b""
    while data := words.recv(128):
        heard += data
    assert heard == said
