"""What is remembered of hosts, and the way to this machine's own agent."""

from dataclasses import replace
from pathlib import Path

import pytest

from remote.actions import start_run
from remote.actions.connectivity import Step, check_connectivity
from remote.actions.forget import forget
from remote.hosts.client_state import make_client_folder
from remote.hosts.host import LOCAL, Host
from remote.hosts.placement import Placement, read_placement, write_placement
from remote.protocol.errors import QuestionError
from remote.session.last_seen import FRESH_S, last_seen, last_seen_of, note, twins
from remote.session.session import Session, connect
from tests.remote.calling import call
from tests.remote.scripts import request
from tests.remote.views import view
from trainer.run.disk.atomic import write_json


def never(error: QuestionError) -> str:
    raise error


def test_a_host_is_remembered_with_its_live_runs_until_it_is_forgotten(home: Path) -> None:
    assert last_seen("local") is None
    with connect() as session:
        assert session.hello is not None
        outcome = start_run(session, request())
        assert outcome.run is not None, outcome.message
        call(session, "runs")
        note(session)
        seen = last_seen("local")
        assert seen is not None
        assert (seen.host_id, dict(seen.live)) == (session.hello.host_id, {outcome.run.run_id: "running"})
    write_placement(LOCAL, Placement(python="/p"))
    forget("local")
    assert (last_seen("local"), read_placement(LOCAL)) == (None, None)


def test_a_session_that_never_heard_of_runs_remembers_nothing(home: Path) -> None:
    note(Session())
    assert last_seen("local") is None


def test_the_same_again_is_not_written_again_and_news_are(session: Session, home: Path) -> None:
    call(session, "runs")
    note(session)
    path = home / "client" / "seen" / "local.json"
    before = path.stat().st_mtime_ns
    note(session)
    assert path.stat().st_mtime_ns == before
    start_run(session, request())
    call(session, "runs")
    note(session)
    assert path.stat().st_mtime_ns != before


def test_an_old_note_is_renewed(session: Session, home: Path) -> None:
    call(session, "runs")
    note(session)
    seen = last_seen("local")
    assert seen is not None
    path = home / "client" / "seen" / "local.json"
    write_json(path, {"host_id": seen.host_id, "version": seen.version, "platform": seen.platform,
                      "at": seen.at - 2 * FRESH_S, "live": {}})  # fmt: skip
    note(session)
    renewed = last_seen("local")
    assert renewed is not None
    assert renewed.at >= seen.at


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"host_id": 3, "live": 3}', "\x00"])
def test_a_note_that_cannot_be_read_is_none(home: Path, text: str) -> None:
    folder = home / "client" / "seen"
    folder.mkdir(parents=True)
    (folder / "box.json").write_text(text)
    assert last_seen("box") is None


def test_runs_that_are_over_are_not_live() -> None:
    from tests.tui.fake import HELLO

    runs = [view(), view(run_id="other-abcdef", state="stopped")]
    seen = last_seen_of("box", HELLO, runs, 5.0)
    assert set(seen.live) == {runs[0].run_id}
    assert seen.alike(replace(seen, at=6.0))
    assert not seen.alike(replace(seen, live={}))


def test_twins_share_their_host_id(home: Path) -> None:
    hosts = [LOCAL, Host("a", "x"), Host("b", "x"), Host("c", "y"), Host("d", "z")]
    folder = home / "client" / "seen"
    folder.mkdir(parents=True)
    empty = {"version": "", "platform": "", "at": 1.0, "live": {}}
    for name, host_id in (("a", "1"), ("b", "1"), ("c", "2")):
        write_json(folder / f"{name}.json", {"host_id": host_id, **empty})
    assert twins("a", "1", hosts) == ["b"]
    assert twins("c", "2", hosts) == []
    assert twins("new", "1", hosts) == ["a", "b"]


def test_this_machine_needs_no_way_and_has_an_agent(home: Path) -> None:
    told: list[Step] = []
    report = check_connectivity(LOCAL, told.append, never)
    assert [(step.name, step.ok) for step in told] == [("agent", True), ("round trip", True)]
    assert (report.failure, bool(report.host_id)) == (None, True)


def test_an_unsafe_state_root_fails_the_agents_step_with_its_remedy(home: Path) -> None:
    home.mkdir()
    home.chmod(0o755)
    report = check_connectivity(LOCAL, lambda _step: None, never)
    assert report.failure is not None
    assert (report.failure.name, report.failure.code) == ("agent", "refused")
    assert "chmod 700" in report.failure.said


@pytest.mark.parametrize("found", [{"python": 7}, {"python": None}, {"home": "/h"}, [], "text", 7])
def test_a_note_that_is_none_is_as_if_there_were_none(home: Path, found: object) -> None:
    write_placement(LOCAL, Placement(python="/p"))
    assert read_placement(LOCAL) == Placement(python="/p")
    write_json(make_client_folder("hosts") / "local.json", found)
    assert read_placement(LOCAL) is None
