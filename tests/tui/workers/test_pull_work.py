"""Best checkpoints come by themselves where a host's file says so, and a message tells where they lie."""

from pathlib import Path
from typing import Any

import pytest

from remote.session.updates import RunsSeen, Update
from remote.transfer.auto_pull import AutoPulled, AutoPullFailed
from tests.tui.driving import settle, toasts
from tests.tui.fake import FakeSession, cockpit, view


class Puller:
    """Hears updates, and says what a test tells it to."""

    made: list["Puller"] = []  # noqa: RUF012

    def __init__(self, session: Any) -> None:
        self.host = session.host.name
        self.heard: list[Update] = []
        self.notes: list[AutoPulled | AutoPullFailed] = []
        self.closed = False
        self.made.append(self)

    def take(self, update: Update) -> None:
        self.heard.append(update)

    def drain(self) -> list[AutoPulled | AutoPullFailed]:
        notes, self.notes = self.notes, []
        return notes

    def close(self) -> None:
        self.closed = True


async def test_only_hosts_that_want_it_are_pulled_from(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("remote.transfer.auto_pull.AutoPull", Puller)
    Puller.made.clear()
    quiet, eager = FakeSession("quiet"), FakeSession("eager", auto_pull="best")
    app = cockpit(quiet, eager)
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot, app)
        assert eager.started.wait(5)
        (puller,) = Puller.made
        assert puller.host == "eager"
        eager.connect(view())
        quiet.connect(view("other-bbbbbb"))
        await settle(pilot, app)
        seen = [update for update in puller.heard if isinstance(update, RunsSeen)]
        assert [run.run_id for update in seen for run in update.runs] == ["demo-aaaaaa"]
        puller.notes = [
            AutoPulled("eager", "demo-aaaaaa", "step-00000200", tmp_path / "here", 3_200_000),
            AutoPullFailed("eager", "demo-aaaaaa", "the disk is full", "make room"),
        ]
        await settle(pilot, app)
        assert f"step-00000200 of demo-aaaaaa is here (3.2 MB): {tmp_path / 'here'}" in toasts(app)
        assert "demo-aaaaaa: the disk is full. make room" in toasts(app)
        app.pulls.close()
        assert puller.closed
