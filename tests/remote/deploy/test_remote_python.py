"""Programs sent to a host: hostile lines do no harm, silence and endings are told apart."""

import json
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remote.deploy.remote_python import GivenUp, Hearing, call_text, command_of, perform
from remote.protocol.errors import CallError
from tests.remote.deploy.here import Canned, Here, Ran
from tests.trials import trials

PREFIX = b"photinus-deploy "
DONE = PREFIX + b'{"done": {"x": 1}}\n'


def test_a_program_says_and_ends(tmp_path: Path) -> None:
    said: list[str] = []
    program = b"""
import json
def main(word):
    print("noise")
    for message in ({"say": word}, {"alive": 5.0}, {"done": {"word": word}}):
        print("photinus-deploy " + json.dumps(message))
"""
    word = 'it\'s "$(touch x)" \u20ac\n'
    done = perform(Here(), sys.executable, call_text(program, "main", word=word), Hearing(said.append))
    assert done == {"word": word}
    assert said == ['it\'s "$(touch x)" \u20ac ']


def test_the_command_line_is_a_constant() -> None:
    assert command_of("/usr/bin/python3") == "exec /usr/bin/python3 -I -u -"
    for path in ("python3", "/a b/python", "/a;id", "/$(id)", "/a\nb", "/a'b"):
        with pytest.raises(CallError, match="characters that a shell may read"):
            command_of(path)


def test_an_error_keeps_its_code_and_loses_its_escapes() -> None:
    error = {"code": "disk_low", "message": "full\x1b[31m", "remedy": "free\u202e some"}
    with pytest.raises(CallError) as caught:
        perform(Canned(PREFIX + json.dumps({"error": error}).encode() + b"\n"), "/p", b"")
    assert (caught.value.code, caught.value.message, caught.value.remedy) == ("disk_low", "full", "free some")


def test_a_code_that_we_do_not_know_is_internal() -> None:
    with pytest.raises(CallError) as caught:
        perform(Canned(PREFIX + b'{"error": {"code": ["x"], "message": 3}}\n'), "/p", b"")
    assert caught.value.code == "internal"


def test_a_program_that_breaks_tells_its_last_words() -> None:
    with pytest.raises(OSError, match=r"before its work was done: .*ValueError: no such thing"):
        perform(Here(), sys.executable, b"raise ValueError('no such thing')")


def test_an_end_without_done_tells_the_last_words() -> None:
    with pytest.raises(OSError, match="before its work was done: Segmentation fault"):
        perform(Canned(PREFIX + b'{"say": "x"}\nSegmentation fault\n', 139), "/p", b"")


def test_silence_is_a_lost_link_and_signs_of_life_are_none() -> None:
    script = b"import time\nfor _ in range(5):\n print('photinus-deploy {\"alive\": 1.0}', flush=True)\n"
    with pytest.raises(OSError, match=r"said nothing for 0\.3 s"):
        perform(Sleeper(), "/p", b"", Hearing(silence_s=0.3))
    with pytest.raises(OSError, match="before its work was done"):
        perform(Here(), sys.executable, script, Hearing(silence_s=20.0))


def test_a_program_that_only_lives_is_told_of_now_and_then() -> None:
    said: list[str] = []
    alive = b"".join(PREFIX + b'{"alive": %d.0}\n' % (5 * n) for n in range(1, 8))
    perform(Canned(alive + DONE), "/p", b"", Hearing(said.append))
    assert said == ["still at work (15 s)", "still at work (30 s)"]


def test_giving_up_ends_the_wait() -> None:
    hearing = Hearing(silence_s=300.0)
    threading.Timer(0.1, hearing.gave_up.set).start()
    with pytest.raises(GivenUp):
        perform(Sleeper(), "/p", b"", hearing)


@settings(max_examples=trials(100, 5000))
@given(st.lists(st.binary(max_size=60), max_size=4))
def test_hostile_lines_are_passed_over(garbage: list[bytes]) -> None:
    noise = b"".join(line.replace(b"\n", b"") + b"\n" for line in garbage)
    worse = b"".join(PREFIX + line.replace(b"\n", b"") + b"\n" for line in garbage)
    said: list[str] = []
    assert perform(Canned(noise + worse + DONE), "/p", b"", Hearing(said.append)) == {"x": 1}
    assert all(line.isprintable() for line in said)


def test_a_line_without_end_is_cut() -> None:
    said: list[str] = []
    long = PREFIX + b'{"say": "' + b"x" * 5000 + b'"}\n'
    assert perform(Canned(b"y" * 300_000 + b"\n" + long + DONE), "/p", b"", Hearing(said.append)) == {"x": 1}
    assert [len(line) for line in said] == [400]


class Sleeper:
    """A host that takes the command and says nothing."""

    def run(self, command: str, stdin: bytes = b"", timeout_s: float = 30.0, on_output: object = None) -> Ran:
        threading.Event().wait(3.0)
        return Ran(0, b"", b"")
