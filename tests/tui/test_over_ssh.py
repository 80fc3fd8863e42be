"""The real cockpit on a real sshd: first contact, a run seen, a changed key."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot

from remote.session.session import Session
from tests.sshd.server import Sshd
from tests.tui.driving import front, picture
from tui.app import Cockpit

PATIENCE_S = 30.0


async def until(pilot: Pilot[str], is_so: Callable[[], bool]) -> None:
    """Wait for what the cockpit shows."""
    async with asyncio.timeout(PATIENCE_S):
        while not is_so():
            await pilot.pause(0.05)


async def test_a_key_is_accepted_once_the_host_is_reached_and_a_changed_key_stops(
    sshd: Sshd, tmp_path: Path
) -> None:
    host = sshd.host("plain", name="box", trusted=False)
    sshd.place(host, tmp_path / "state")
    first = sshd.host_key_fingerprint
    session = Session(host, telemetry_s=0.5)
    app = Cockpit([session], tick_s=0.1)
    try:
        async with app.run_test(size=(120, 36)) as pilot:
            await until(pilot, lambda: "! host key unknown" in picture(app))
            await pilot.press("exclamation_mark")
            await until(pilot, lambda: front(app) == "QuestionDialog")
            assert first in picture(app)
            await pilot.press("a")
            await until(pilot, lambda: "● connected" in picture(app))
            await pilot.press("5")
            await until(pilot, lambda: "0 live, 0 orphans" in picture(app))
            await pilot.press("8")
            await pilot.press("t")
            await until(pilot, lambda: "the host can be used" in picture(app))
            await pilot.press("1")
            sshd.change_host_key()
            sshd.kill_sessions()
            await until(pilot, lambda: "✖ host key changed" in picture(app))
            await pilot.press("exclamation_mark")
            await until(pilot, lambda: front(app) == "QuestionDialog")
            text = picture(app)
            assert first in text
            assert sshd.host_key_fingerprint in text
    finally:
        session.close()
