"""`tail` and `events` while the link does what it likes."""

import pytest

from remote.protocol.errors import CallError
from remote.session.link.link_state import HELD, LinkState
from remote.session.updates import LinkChanged
from tui.commands.runs import tail_events
from tui.commands.runs.tail_events import HELD_MAX, Screen


@pytest.mark.parametrize("phase", sorted(HELD))
def test_a_link_that_waits_for_the_operator_ends_the_command(phase: str) -> None:
    """Nobody is there to decide: without this it would wait for ever."""
    with pytest.raises(CallError, match="the key has changed") as caught:
        tail_events._put(LinkChanged(LinkState(phase=phase, reason="the key has changed")), Screen())  # type: ignore[arg-type]
    assert caught.value.exit_code == 5


def test_a_link_that_is_tried_again_is_only_told(capsys: pytest.CaptureFixture[str]) -> None:
    tail_events._put(LinkChanged(LinkState(phase="retrying", reason="\x1b[31mgone\x9b2J")), Screen())
    assert capsys.readouterr().err == "link retrying: gone\n"


EVIL = "a\x1b]0;owned\x07b\x1b[2J\r50%\r\n\x9b1m\u202eé\x00\n".encode() + b"\xff\x1b"


@pytest.mark.parametrize("step", [1, 2, 3, 1000])
def test_no_split_of_a_log_lets_an_escape_through_to_a_terminal(
    capsys: pytest.CaptureFixture[str], step: int
) -> None:
    screen = Screen()
    for at in range(0, len(EVIL), step):
        screen.write(EVIL[at : at + step])
    screen.flush()
    assert capsys.readouterr().out == "ab\n50%\n\xe9\n\ufffd"


def test_a_part_that_waits_for_its_end_is_shown_all_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen()
    screen.write(b"x" * (HELD_MAX + 1))
    assert len(capsys.readouterr().out) == HELD_MAX + 1
    screen.write(b"\x1b[3")
    screen.flush()
    screen.write(b"1mred\n")
    assert "\x1b" not in capsys.readouterr().out
