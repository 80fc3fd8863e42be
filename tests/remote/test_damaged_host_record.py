"""A damaged `host.json`: what runs is served to its end, nothing is begun, and the file is named."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from remote.actions import kill_run, stop_run
from remote.agent.checkup import queue, root
from remote.agent.checkup.doctor import examine
from remote.agent.context import Context
from remote.agent.starts.restart import Restarts
from remote.protocol.errors import CallError
from remote.session.session import Session, connect
from remote.supervisor.admission.queue import start_next
from tests.remote.calling import call
from tests.remote.scripts import BRIEF, argv, spec
from trainer.run.home import open_home

DAMAGES: dict[str, Callable[[Path], object]] = {
    "cut": lambda path: path.write_text('{"host_id": "ab'),
    "empty": lambda path: path.write_text(""),
    "another kind": lambda path: path.write_text('["host_id"]'),
    "no id": lambda path: path.write_text('{"host_id": 7}'),
    "escapes": lambda path: path.write_text(json.dumps({"host_id": "a\x1b[2Jb"})),
    "folder": Path.mkdir,
    "link": lambda path: path.symlink_to("/dev/zero"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_every_program_makes_one_id_of_it_and_writes_nothing(tmp_path: Path, name: str) -> None:
    home = open_home(tmp_path / "home")
    assert not home.damage, "the control"
    home.host_file.unlink()
    DAMAGES[name](home.host_file)
    before = sorted(path.name for path in home.root.iterdir())
    first, second = open_home(home.root), open_home(home.root)
    assert first == second
    assert first.host_id != home.host_id
    assert str(home.host_file) in first.damage
    assert "\x1b" not in first.damage
    assert sorted(path.name for path in home.root.iterdir()) == before
    (found,) = [one for one in examine(Context.of(first), checks=(root.check,)) if one.level == "problem"]
    assert found.what == first.damage
    assert found.remedy.startswith(f"mv {home.host_file} ")


def test_live_runs_are_served_and_none_is_begun(home: Path) -> None:
    with connect() as session:
        stopped, killed = (spec(shared_device=True, resume_argv=argv(BRIEF)) for _ in range(2))
        for one in (stopped, killed):
            call(session, "start", {"start_id": one.run_id, "spec": one.to_json()}, 20.0)
    path = open_home(home).host_file
    whole = path.read_bytes()
    path.write_bytes(whole[:30])

    with connect() as session:
        answer = call(session, "runs", {})
        assert {run["run_id"] for run in answer["runs"]} == {stopped.run_id, killed.run_id}
        assert any(str(path) in trouble for trouble in answer["troubles"])
        third = spec(BRIEF, shared_device=True)
        with pytest.raises(CallError, match="none is begun") as caught:
            call(session, "start", {"start_id": "s3", "spec": third.to_json()}, 20.0)
        assert caught.value.code == "refused"
        assert caught.value.remedy.startswith(f"mv {path} {path}.damaged; ")
        assert stop_run(session, stopped.run_id).ok
        assert kill_run(session, killed.run_id).ok
        with pytest.raises(CallError, match="none is begun"):
            call(session, "resume", {"start_id": "s4", "run_id": stopped.run_id}, 20.0)

    path.rename(f"{path}.damaged")  # the remedy
    with connect() as session:
        call(session, "start", {"start_id": "s3", "spec": third.to_json()}, 20.0)
        assert call(session, "runs", {})["troubles"] == []


def test_a_line_of_waiting_runs_does_not_move_and_the_doctor_says_why(home: Path, session: Session) -> None:
    """It may be a copy's, and then the line is the original's: started twice is worse than started late."""
    one, waits = spec(), spec(BRIEF)
    call(session, "start", {"start_id": "s1", "spec": one.to_json()}, 20.0)
    call(session, "start", {"start_id": "s2", "spec": waits.to_json(), "queue": True}, 20.0)
    copy = home.with_name("copy")
    shutil.copytree(home, copy, symlinks=True)
    (copy / "host.json").write_text("{")
    opened = open_home(copy)
    assert start_next(opened) == []
    ctx = Context.of(opened)
    assert Restarts(ctx).due() == []
    (found,) = examine(ctx, checks=(queue.check,))
    assert waits.run_id in found.what
    assert "host.json" in found.why
