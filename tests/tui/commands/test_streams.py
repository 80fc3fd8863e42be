"""`tail` and `events` while the link does what it likes."""

import pytest

from remote.errors import CallError
from remote.link import HELD, LinkState
from remote.updates import LinkChanged
from tui.commands import streams


@pytest.mark.parametrize("phase", sorted(HELD))
def test_a_link_that_waits_for_the_operator_ends_the_command(phase: str) -> None:
    """Nobody is there to decide: without this it would wait for ever."""
    with pytest.raises(CallError, match="the key has changed") as caught:
        streams._put(LinkChanged(LinkState(phase=phase, reason="the key has changed")))  # type: ignore[arg-type]
    assert caught.value.exit_code == 5


def test_a_link_that_is_tried_again_is_only_told(capsys: pytest.CaptureFixture[str]) -> None:
    streams._put(LinkChanged(LinkState(phase="retrying", reason="\x1b[31mgone\x9b2J")))
    assert capsys.readouterr().err == "link retrying: gone\n"
