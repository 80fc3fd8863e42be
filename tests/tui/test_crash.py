"""A cockpit that breaks says so by its exit code, and shows none of our variables."""

import pytest

from tests.tui.fake import FakeSession, cockpit
from tui.commands.cockpit import open_on
from tui.commands.output import FAILURE, OK

SECRET = "hf_k3k3k3k3k3k3k3k3k3k3k3k3k3k3k3k3"


def broken() -> None:
    token = SECRET
    raise ZeroDivisionError(f"a fault of ours, {len(token)} signs")


async def test_a_crash_shows_the_fault_and_no_variables(capsys: pytest.CaptureFixture[str]) -> None:
    app = cockpit(FakeSession())
    context = app.run_test()
    pilot = await context.__aenter__()
    app.call_later(broken)
    await pilot.pause()
    with pytest.raises(ZeroDivisionError):
        await context.__aexit__(None, None, None)
    assert app.return_code == 1
    shown = capsys.readouterr().err
    assert "ZeroDivisionError: a fault of ours, 35 signs" in shown, "the control"
    assert SECRET not in shown
    assert "locals" not in shown


@pytest.mark.parametrize(("is_well", "code"), [(True, OK), (False, FAILURE)])
def test_its_exit_code_says_so(monkeypatch: pytest.MonkeyPatch, is_well: bool, code: int) -> None:
    monkeypatch.setattr("tui.commands.cockpit.run_cockpit", lambda *_: ("the last words", is_well))
    assert open_on([], None) == code
