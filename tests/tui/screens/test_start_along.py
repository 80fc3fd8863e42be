"""What a start form lets go along, code with a command or a text, and what is done with it before."""

import subprocess
from pathlib import Path
from typing import Any, cast

import pytest
from textual.widgets import Input, Select, Static

from remote.actions import StartRequest
from remote.hosts.host import LOCAL
from remote.session.session import Session
from tests.tui.driving import front, picture, settle
from tests.tui.fake import FakeActs, FakeSession, cockpit, view
from tui.screens.dialogs.start_along import Along
from tui.workers.bring_along import bring_along


async def test_the_form_starts_a_command_in_code_that_goes_along(tmp_path: Path) -> None:
    session, acts = FakeSession(), FakeActs()
    app = cockpit(session, acts=acts)
    async with app.run_test(size=(160, 60)) as pilot:
        session.connect(view())
        await settle(pilot, app)
        await pilot.press("s")
        await pilot.pause()
        fields = {name: app.screen.query_one(f"#{name}", Input) for name in ("ship", "command", "data")}
        fields["ship"].value = str(tmp_path)
        await pilot.pause()
        assert "needs a command" in picture(app)
        await pilot.press("enter")
        await pilot.pause()
        assert (front(app), acts.requests) == ("StartForm", [])
        fields["command"].value = "python3 -u train.py --steps 5"
        app.screen.query_one("#busy", Select).value = "queue"
        await pilot.pause()
        assert "a command" not in picture(app)
        assert str(app.screen.query_one("#plan", Static).render()).endswith("a secret is refused.")
        await pilot.press("enter")
        await pilot.pause()
        (request,) = acts.requests
    assert (request.kind, request.name, request.ship) == ("command", "train.py", str(tmp_path))
    assert request.argv == ("python3", "-u", "train.py", "--steps", "5")
    assert request.queue


@pytest.mark.parametrize(
    ("along", "why"),
    [
        (Along("", ".", ""), "needs a command"),
        (Along("", "", "true"), "name its folder"),
        (Along("", "/no/where", "true"), "there is no folder"),
        (Along("local:x", ".", "true"), "a text is for our trainer"),
        (Along("", ".", "say 'x"), "No closing quotation"),
        (Along("", ".", "true"), ""),
    ],
)
def test_what_does_not_go_together_is_said(along: Along, why: str) -> None:
    assert why in along.why_not()
    assert bool(why) == bool(along.why_not())


def test_what_goes_along_is_there_before_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "train.py").write_text("pass\n")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    sent: list[Any] = []
    monkeypatch.setattr("tui.workers.bring_along.ship_code", lambda session, code: sent.append(code))
    session = FakeSession()
    session.host = LOCAL
    asked = StartRequest(name="x", kind="command", argv=("true",), ship=str(tmp_path))
    done = bring_along(cast(Session, session), asked)
    assert (done.ship, done.code["sha256"]) == ("", sent[0].about["sha256"])
    assert done.start_id == asked.start_id
    text = StartRequest(name="x", config={"data": {"source": f"local:{tmp_path}"}, "steps": 1})
    assert bring_along(cast(Session, session), text).config["data"]["source"] == str(tmp_path)
