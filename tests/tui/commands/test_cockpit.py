"""What the cockpit does about hosts before and after it is open."""

import argparse
import threading
from pathlib import Path

import pytest

from remote.actions import Outcome
from remote.actions.intents import intent, leftovers
from remote.protocol.arguments import StartArgs
from remote.protocol.errors import UnreachableError
from remote.session.last_seen import last_seen
from remote.session.session import Session
from tests.remote.scripts import BRIEF, noting, spec
from tests.remote.views import view
from tests.sshd.server import Sshd
from tests.tui.fake import FakeSession, cockpit
from tests.waiting import wait_until
from tui.cli import main
from tui.commands import cockpit as commands
from tui.commands.listed_runs import ListedRuns
from tui.commands.output import USAGE


async def test_a_faulty_hosts_file_is_shown_in_the_cockpit() -> None:
    for trouble in ("hosts.yaml line 2: unknown key", ""):
        app = cockpit(FakeSession())
        app.trouble = trouble
        async with app.run_test(size=(120, 30)) as pilot:
            await pilot.pause()
            await pilot.pause()
            shown = [note.message for note in app._notifications]
        assert (trouble in shown) == bool(trouble)


def test_a_start_is_completed_once_the_operator_has_answered(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "ASKED_S", 0.02)
    host = sshd.host("plain", name="box", trusted=False)
    sshd.place(host)
    count = tmp_path / "count"
    args = StartArgs(start_id="s1", spec=spec(noting(count, BRIEF)).to_json())
    with pytest.raises(UnreachableError), intent("box", "start", args):
        raise UnreachableError("the laptop was closed")
    with Session(host) as session:
        settling = threading.Thread(target=commands.settle_once_connected, args=(session,), daemon=True)
        settling.start()
        wait_until(lambda: session.link.question is not None, 10.0, "the question")
        assert settling.is_alive()
        assert (last_seen("box"), len(leftovers("box"))) == (None, 1)
        assert session.link.question is not None
        session.answer(session.link.question, "yes")
        settling.join(20.0)
        assert not settling.is_alive()
        wait_until(count.exists, 10.0, "the run")
    assert leftovers("box") == []
    assert last_seen("box") is not None


@pytest.mark.parametrize("words", [[], ["demo"]])
def test_without_a_terminal_nothing_is_painted_or_started(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PHOTINUS_HOME", str(tmp_path / "home"))
    assert main(words) == USAGE
    said = capsys.readouterr()
    assert said.out == ""
    assert "needs a terminal" in said.err
    assert "photinus ls --json" in said.err
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("kind", ["command", "trainer"])
def test_a_command_that_is_called_demo_is_no_demo(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    run = view(name="demo", kind=kind, state="running")
    monkeypatch.setattr(commands, "list_runs", lambda *_, **__: ListedRuns((run,)))
    started: list[object] = []

    def start(_session: object, request: object) -> Outcome:
        started.append(request)
        return Outcome(True, view(run_id="demo-bbbbbb"))

    monkeypatch.setattr(commands, "start_run", start)
    args = argparse.Namespace(preset="kssm-v3-tiny", data=None)
    found = commands.find_or_start(FakeSession("local"), args)  # type: ignore[arg-type]
    assert (found == run.run_id, len(started)) == ((True, 0) if kind == "trainer" else (False, 1))


def test_a_terminal_without_a_cursor_is_told_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setattr(commands, "_open", lambda *_: 0)
    monkeypatch.setenv("TERM", "dumb")
    assert main([]) == USAGE
    assert "set TERM" in capsys.readouterr().err
    monkeypatch.setenv("TERM", "xterm-256color")
    assert main([]) == 0
