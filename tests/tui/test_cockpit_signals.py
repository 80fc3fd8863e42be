"""The open cockpit calls from its terminal where notices.yaml says so, and is silent where it does not."""

from pathlib import Path

import pytest

from tests.tui.driving import settle
from tests.tui.fake import WALL, FakeSession, cockpit, view
from tui.notices.notices_file import notices_path


@pytest.mark.parametrize(("told", "rings"), [("cockpit: {bell: error, osc9: error}", True), ("", False)])
async def test_a_failure_rings_where_it_is_asked_for(
    told: str, rings: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHOTINUS_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("TMUX", raising=False)
    notices_path().parent.mkdir(parents=True, mode=0o700)
    notices_path().write_text(told)
    notices_path().chmod(0o600)
    session = FakeSession()
    app = cockpit(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        written: list[str] = []
        assert app._driver is not None
        monkeypatch.setattr(app._driver, "write", written.append)
        session.connect(view())
        await settle(pilot, app)
        session.change(view(state="failed", seq=9, reason="exit code 1", since=WALL))
        await settle(pilot, app)
        assert ("\a\x1b]9;demo failed: exit code 1\x1b\\" in written) is rings
        assert bool([text for text in written if "\a" in text]) is rings
