"""A home is a place: a copy of one, or of a run, never claims what runs out of the original."""

import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from remote.actions.intents import intent, leftovers
from remote.agent.context import Context
from remote.agent.processes.orphans import members
from remote.agent.runs.stop import kill, stop
from remote.agent.starts.contact import reconcile_all
from remote.agent.starts.restart import Restarts
from remote.protocol.arguments import KillArgs, StartArgs, StopArgs
from remote.protocol.errors import CallError, UnreachableError
from remote.supervisor.admission.queue import enqueue, start_next
from remote.supervisor.admission.waiting_line import waiting
from tests.remote.driving import drive
from tests.remote.supervisor.stage import (
    Stage,
    environment,
    kill_nine,
    process_of,
    record_of,
    state_of,
    trainer_pid,
    until,
    until_over,
)
from tests.waiting import wait_until
from trainer.run.home import open_home
from trainer.run.layout import RunDir
from trainer.run.process.survivors import survivors
from trainer.run.records import write_state
from trainer.run.spec import Restart
from trainer.run.states import State, StateRecord

QUIET = "import time\ntime.sleep(120)"


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    opened = Stage.open(tmp_path / "home")
    yield opened
    opened.close()


def live(stage: Stage, code: str = QUIET, **more: object) -> RunDir:
    run = stage.python(code, **more)
    stage.begin(run)
    until(run, State.RUNNING)
    return run


def copied(stage: Stage, name: str = "copy") -> Context:
    """What `cp -a` makes of a home, opened."""
    root = stage.home.root.with_name(name)
    shutil.copytree(stage.home.root, root, symlinks=True)
    root.chmod(0o700)
    return Context.of(open_home(root))


def forget_places(root: Path) -> None:
    """The home as an older version left it."""
    for path in [root / "host.json", *root.glob("runs/*/process.json")]:
        raw = json.loads(path.read_text())
        del raw["place"]
        path.write_text(json.dumps(raw))


@pytest.mark.parametrize("old", [False, True])
def test_a_copy_of_a_home_leaves_the_original_alone(stage: Stage, old: bool) -> None:
    run = live(stage, restart=Restart(policy="always", backoff_s=0.0))
    before = record_of(run)
    if old:
        forget_places(stage.home.root)
    ctx = copied(stage)
    if not old:
        assert ctx.home.copy_of == str(stage.home.root)
        assert ctx.home.host_id != stage.home.host_id
    twin = ctx.home.run(run.run_id)
    assert reconcile_all(ctx) == []
    assert state_of(twin) is State.DIED
    assert str(run.path) in record_of(twin).reason
    assert "adopting" not in twin.supervisor_log.read_text()
    assert members(ctx) == []
    assert Restarts(ctx).due() == []
    drive(kill(ctx, KillArgs(run_id=run.run_id, req_id="r-kill", by="somebody")))
    drive(stop(ctx, StopArgs(run_id=run.run_id, req_id="r-stop", by="somebody")))
    assert (record_of(run), survivors(run, process_of(run))[0].pid) == (before, trainer_pid(run))


def test_the_view_of_a_copy_never_shows_the_originals_pid(stage: Stage) -> None:
    run = live(stage)
    ctx = copied(stage)
    view = ctx.view(ctx.home.run(run.run_id))
    assert (view.state, view.pid, view.supervisor_pid) == ("running", None, None)


def test_one_run_that_is_copied_into_another_home_is_a_copy_too(stage: Stage, tmp_path: Path) -> None:
    run = live(stage)
    other = open_home(tmp_path / "other")
    shutil.copytree(run.path, other.run(run.run_id).path)
    ctx = Context.of(other)
    reconcile_all(ctx)
    assert "copy" in record_of(other.run(run.run_id)).reason
    assert state_of(run) is State.RUNNING


def test_control_a_home_that_was_moved_is_itself_and_adopts_its_own(stage: Stage) -> None:
    run = live(stage)
    pid = trainer_pid(run)
    supervisor = process_of(run).supervisor.pid
    kill_nine(supervisor)
    moved = stage.home.root.rename(stage.home.root.with_name("moved"))
    home = open_home(moved)
    assert (home.host_id, home.copied) == (stage.home.host_id, 0.0)
    there = Stage(home)
    try:
        twin = home.run(run.run_id)
        there.contact(twin)
        until(twin, State.RUNNING)
        ctx = Context.of(home)
        drive(kill(ctx, KillArgs(run_id=run.run_id, req_id="end", by="test")))
        assert until_over(twin).state is State.FAILED
        assert survivors(twin, process_of(twin)) == []
        assert process_of(twin).trainer is not None
        assert trainer_pid(twin) == pid
    finally:
        there.close()


def test_control_an_old_record_in_its_own_folder_is_adopted(stage: Stage) -> None:
    run = live(stage)
    kill_nine(process_of(run).supervisor.pid)
    forget_places(stage.home.root)
    assert [one.pid for one in survivors(run, process_of(run))] == [trainer_pid(run)]


def test_an_old_record_whose_process_hides_its_environment_is_known_by_its_output(stage: Stage) -> None:
    """It closed the lock and scrubbed its environment; what it prints still goes into this run's log."""
    code = (
        "import os, sys, time\n"
        "os.close(int(os.environ['PHOTINUS_TRAINER_LOCK_FD']))\n"
        "os.execve(sys.executable, [sys.executable, '-S', '-c', 'import time; time.sleep(120)'], {})"
    )
    run = live(stage, code)
    scrubbed = Path(f"/proc/{trainer_pid(run)}/environ")
    wait_until(lambda: scrubbed.read_bytes() == b"", 10.0, "its environment to be gone")
    kill_nine(process_of(run).supervisor.pid)
    forget_places(stage.home.root)
    root = stage.home.root.with_name("old-copy")
    shutil.copytree(stage.home.root, root)
    twin = open_home(root).run(run.run_id)
    assert [one.pid for one in survivors(run, process_of(run))] == [trainer_pid(run)]
    assert survivors(twin, process_of(twin)) == []


def test_what_waits_in_the_originals_line_is_not_started_from_a_copy(stage: Stage) -> None:
    run = stage.command(sys.executable, "-c", "pass")
    enqueue(stage.home, run.run_id)
    queued = StateRecord(run_id=run.run_id, state=State.QUEUED, seq=1, attempt=0, since=time.time())
    write_state(run, 0, queued)
    ctx = copied(stage)
    twin = ctx.home.run(run.run_id)
    assert start_next(ctx.home) == []
    assert state_of(twin) is State.QUEUED
    drive(stop(ctx, StopArgs(run_id=run.run_id, req_id="leave", by="test")))
    assert waiting(ctx.home) == []
    assert start_next(stage.home) == [run.run_id]  # the control: the original's line moves
    until_over(run)
    fresh = stage.command(sys.executable, "-c", "pass")  # and so does the copy's own
    shutil.copytree(fresh.path, ctx.home.run(fresh.run_id).path)
    enqueue(ctx.home, fresh.run_id)
    twin = ctx.home.run(fresh.run_id)
    write_state(twin, 0, StateRecord(run_id=fresh.run_id, state=State.QUEUED, seq=1, attempt=0, since=0.0))
    assert start_next(ctx.home) == [fresh.run_id]
    until_over(twin)


def test_a_copy_stays_one_and_keeps_its_own_name(stage: Stage) -> None:
    first = copied(stage).home
    again = open_home(first.root)
    assert again == first
    second = copied(stage, "another").home
    assert second.host_id not in (first.host_id, stage.home.host_id)
    assert open_home(stage.home.root).copied == 0.0


def test_a_copy_made_of_hard_links_shares_the_locks_and_claims_nothing(stage: Stage) -> None:
    """`cp -al`, `rsync --link-dest`: the copy's lock is the very file that the original's trainer holds."""
    run = live(stage)
    root = stage.home.root.with_name("linked")
    shutil.copytree(stage.home.root, root, symlinks=True, copy_function=os.link)
    root.chmod(0o700)
    kill_nine(process_of(run).supervisor.pid)
    ctx = Context.of(open_home(root))
    twin = ctx.home.run(run.run_id)
    assert twin.trainer_lock.samefile(run.trainer_lock)
    assert reconcile_all(ctx) == []
    assert state_of(twin) is State.DIED
    assert str(run.path) in record_of(twin).reason
    with pytest.raises(CallError, match="cannot be seen holds its trainer"):
        drive(kill(ctx, KillArgs(run_id=run.run_id, req_id="r-kill", by="somebody")))
    assert survivors(twin, process_of(twin)) == []
    assert [one.pid for one in survivors(run, process_of(run))] == [trainer_pid(run)]
    stage.contact(run)  # the control: the original adopts it
    wait_until(lambda: process_of(run).adopted, 10.0, "the adoption")


def test_what_was_asked_and_never_answered_is_sent_by_the_original_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start that a client noted before a `cp -a` would else be carried out in both homes."""
    home, twin, moved = tmp_path / "home", tmp_path / "twin", tmp_path / "moved"
    monkeypatch.setenv("PHOTINUS_HOME", str(home))
    args = StartArgs(start_id="s1", spec={})
    with pytest.raises(UnreachableError), intent("local", "start", args):
        raise UnreachableError("the laptop was closed")
    shutil.copytree(home, twin)
    monkeypatch.setenv("PHOTINUS_HOME", str(twin))
    assert leftovers("local") == []
    home.rename(moved)
    monkeypatch.setenv("PHOTINUS_HOME", str(moved))
    assert [one.start_id for one in leftovers("local")] == ["s1"], "the control: a home that was moved"
