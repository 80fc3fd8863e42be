"""The doctor: each sickness made by hand and named with its remedy, and a healthy host left in peace."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from remote.actions import diagnose as client
from remote.actions import start_run
from remote.agent.checkup import checkpoints, environments, files, locks, processes, root
from remote.agent.checkup import queue as line
from remote.agent.checkup.doctor import CHECKS, Check, examine
from remote.agent.context import Context
from remote.hosts.host import LOCAL, Host
from remote.protocol.errors import CallError
from remote.protocol.finding import Finding, is_healthy, ranked
from remote.session.session import Session
from remote.supervisor.admission.queue import enqueue
from tests.remote.scripts import BRIEF, QUIET, request, spec
from tests.waiting import wait_until
from trainer.run.checkpoints.manifest import seal
from trainer.run.disk.atomic import write_json
from trainer.run.home import Home, open_home
from trainer.run.layout import RunDir
from trainer.run.locks import is_free
from trainer.run.records import write_spec, write_state
from trainer.run.states import State, StateRecord


@pytest.fixture
def opened(home: Path) -> Home:
    return open_home(home)


def look(opened: Home, check: Check, deep: bool = False) -> list[Finding]:
    return list(check(Context.of(opened), deep))


def only(found: list[Finding]) -> Finding:
    assert len(found) == 1, found
    return found[0]


def make_run(
    opened: Home, state: State, *, since: float = 0.0, attempt: int = 1, env_hash: str = ""
) -> RunDir:
    """A run as its files tell it, without any process."""
    one = replace(spec(), env_hash=env_hash)
    run = opened.run(one.run_id).create()
    write_spec(run, one)
    record = StateRecord(run_id=run.run_id, state=state, seq=1, attempt=attempt, since=since or time.time())
    write_state(run, 0, record)
    return run


def hold(path: Path) -> "subprocess.Popen[bytes]":
    """A stranger that holds a lock."""
    code = "import fcntl,sys,time;f=open(sys.argv[1],'a');fcntl.flock(f,2);print(flush=True);time.sleep(120)"
    stranger = subprocess.Popen([sys.executable, "-I", "-S", "-c", code, str(path)], stdout=subprocess.PIPE)
    assert stranger.stdout is not None
    assert stranger.stdout.readline() == b"\n"
    return stranger


@pytest.fixture
def stranger() -> Iterator[Callable[[Path], int]]:
    held: list[subprocess.Popen[bytes]] = []

    def start(path: Path) -> int:
        held.append(hold(path))
        return held[-1].pid

    yield start
    for process in held:
        process.kill()
        process.communicate()


def test_a_host_with_a_live_and_an_ended_run_is_healthy(home: Path, session: Session) -> None:
    start_run(session, request(QUIET))
    brief = start_run(session, request(BRIEF, shared_device=True)).run
    assert brief is not None
    session.wait_run(brief.run_id, lambda run: run.is_terminal, 10.0)
    for deep in (False, True):
        report = client.examine(session, deep=deep)
        assert is_healthy(report.findings), report.findings
    assert report.facts["home"] == str(home)
    assert report.facts["devices"].startswith("cpu")


def test_looking_changes_no_file(opened: Home) -> None:
    make_run(opened, State.RUNNING, since=1.0)

    def stamps() -> dict[str, tuple[int, int]]:
        return {
            str(path): (path.stat().st_mtime_ns, path.stat().st_size)
            for path in sorted(opened.root.rglob("*"))
        }

    before = stamps()
    examine(Context.of(opened), deep=True)
    assert stamps() == before


def test_a_device_lock_held_by_a_stranger_names_it(opened: Home, stranger: Callable[[Path], int]) -> None:
    path = opened.devices_dir / "cpu.lock"
    path.touch(mode=0o600)
    assert look(opened, locks.check) == []
    pid = stranger(path)
    found = only(look(opened, locks.check))
    assert found.level == "problem"
    assert f"pid {pid}" in found.what
    assert "no run that is known here" in found.what
    assert found.remedy.endswith(f"kill {pid}")


def test_a_device_lock_that_a_live_run_holds_is_in_order(opened: Home, session: Session) -> None:
    start_run(session, request(QUIET))
    assert not is_free(opened.devices_dir / "cpu.lock")
    assert look(opened, locks.check) == []


def test_a_hanging_agent_lock_is_named(opened: Home, stranger: Callable[[Path], int]) -> None:
    opened.agent_lock.touch(mode=0o600)
    pid = stranger(opened.agent_lock)
    found = only(look(opened, locks.check))
    assert (found.about, found.level) == ("lock agent", "problem")
    assert f"pid {pid}" in found.what


def test_a_survivor_that_keeps_the_lock_of_an_ended_run_is_to_be_reaped(
    opened: Home, session: Session
) -> None:
    """A forked worker that left the session keeps trainer.lock: the run's record is forced to its end."""
    code = "import os, time\nos.fork()\ntime.sleep(120)"
    started = start_run(session, request(code)).run
    assert started is not None
    run = opened.run(started.run_id)
    session.close()
    process = json.loads(run.process.read_text())
    os.kill(process["supervisor"]["pid"], signal.SIGKILL)
    wait_until(lambda: is_free(run.lock), 10.0, "the supervisor to be gone")
    state = json.loads(run.state.read_text())
    assert {one.level for one in look(opened, processes.check)} == {"problem"}  # unsupervised: to be adopted
    assert look(opened, processes.check)[0].remedy == f"photinus adopt {run.run_id}"
    write_json(run.state, state | {"state": "failed", "seq": state["seq"] + 1, "since": 1.0})
    found = look(opened, locks.check)
    assert "held by a survivor" in only(found).what
    assert found[0].remedy.startswith(f"photinus reap {run.run_id} ")
    orphans = look(opened, processes.check)
    assert len(orphans) == 2
    assert all(one.remedy.startswith(f"photinus reap {run.run_id} ") for one in orphans)


def test_a_run_that_is_held_still_is_named_and_one_that_runs_is_not(opened: Home, session: Session) -> None:
    started = start_run(session, request(QUIET)).run
    assert started is not None
    assert started.pid is not None
    assert look(opened, processes.check) == []
    os.kill(started.pid, signal.SIGSTOP)
    wait_until(lambda: look(opened, processes.check), 5.0, "the finding")
    assert only(look(opened, processes.check)).remedy == f"kill -CONT {started.pid}"


def test_a_start_that_nobody_carries_out_is_named_once_it_is_old(opened: Home) -> None:
    make_run(opened, State.STARTING)
    assert look(opened, processes.check) == []
    old = make_run(opened, State.STARTING, since=1.0)
    assert only(look(opened, processes.check)).remedy == f"photinus stop {old.run_id}"


@pytest.mark.parametrize("name", ["spec.json", "state.json", "process.json", "exit.json"])
def test_a_file_that_cannot_be_read_is_named_with_its_run(opened: Home, name: str) -> None:
    run = make_run(opened, State.FAILED)
    assert look(opened, files.check) == []
    (run.path / name).write_text('{"torn": ')
    found = only(look(opened, files.check))
    assert (found.level, found.about) == ("problem", run.run_id)
    assert name.removesuffix(".json") in found.what


def test_what_is_no_run_a_bad_request_and_a_bad_start_record_are_named(opened: Home) -> None:
    (opened.runs_dir / "old stuff").mkdir()
    (opened.starts_dir / "s1.json").write_text("[]")
    run = make_run(opened, State.FAILED)
    (run.control / "r1.json").write_text("{")
    opened.run("empty-abcdef").create()
    found = look(opened, files.check)
    assert sorted(one.level for one in found) == ["note", "note", "warning", "warning"]
    assert any("holds no run" in one.what for one in found)


def test_torn_and_foreign_lines_of_events_are_counted(opened: Home) -> None:
    run = make_run(opened, State.FAILED)
    whole = b'{"type":"state"}\n' * 3
    run.events.write_bytes(whole)
    assert look(opened, files.check) == []
    run.events.write_bytes(whole + b'{"type":"met')
    assert "is torn" in only(look(opened, files.check)).what
    run.events.write_bytes(whole + b"garbage\n{}\nmore garbage\n")
    found = only(look(opened, files.check))
    assert found.level == "warning"
    assert found.what.startswith("2 of 6 lines")


def test_a_queue_that_cannot_move_is_explained(opened: Home, stranger: Callable[[Path], int]) -> None:
    run = make_run(opened, State.QUEUED, since=1.0)
    assert "stands in no line" in only(look(opened, line.check)).what
    enqueue(opened, run.run_id)
    assert "which is free" in only(look(opened, line.check)).what
    path = opened.devices_dir / "cpu.lock"
    path.touch(mode=0o600)
    stranger(path)
    assert "no run of ours holds" in only(look(opened, line.check)).what
    enqueue(opened, "gone-abcdef")
    assert any("names no run" in one.what for one in look(opened, line.check))


def test_a_line_behind_a_live_run_is_in_order(opened: Home, session: Session) -> None:
    start_run(session, request(QUIET))
    assert start_run(session, request(QUIET, queue=True)).ok
    assert look(opened, line.check) == []


def checkpoint(run: RunDir, step: int, data: bytes = b"weights") -> Path:
    import hashlib

    path = run.checkpoints / f"step-{step:08d}"
    path.mkdir()
    (path / "model.bin").write_bytes(data)
    proof = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    write_json(path / "state.json", seal({"step": step, "files": {"model.bin": proof}}))
    return path


def test_a_checkpoint_of_the_wrong_size_is_found_at_once_and_of_the_wrong_bytes_by_deep(opened: Home) -> None:
    run = make_run(opened, State.STOPPED)
    first, second = checkpoint(run, 1), checkpoint(run, 2)
    assert look(opened, checkpoints.check, deep=True) == []
    (second / "model.bin").write_bytes(b"WEIGHTS")
    assert look(opened, checkpoints.check) == []
    found = only(look(opened, checkpoints.check, deep=True))
    assert (found.level, "step-00000002" in found.what) == ("warning", True)
    assert "step-00000001" in found.why
    (first / "model.bin").unlink()
    (second / "model.bin").write_bytes(b"cut")
    levels = [one.level for one in look(opened, checkpoints.check)]
    assert levels == ["problem", "problem"]  # nothing whole is left to resume from
    (second / "state.json").write_text("{")
    assert any("manifest" in one.what for one in look(opened, checkpoints.check))


def test_a_low_disk_is_named_and_one_with_room_is_not(opened: Home) -> None:
    ctx = Context.of(opened)
    ctx.disk_free = lambda _: 10 << 30
    assert list(root.check(ctx, False)) == []
    ctx.disk_free = lambda _: 5 << 20
    assert only(list(root.check(ctx, False))).about == "disk"
    ctx.disk_free = lambda _: 100
    assert only(list(root.check(ctx, False))).level == "problem"


def test_drafts_of_dead_writers_are_named_once_they_are_old(opened: Home) -> None:
    ctx = Context.of(opened)
    ctx.disk_free = lambda _: 10 << 30
    draft = opened.starts_dir / ".s1.json.123.abcd.tmp"
    draft.touch()
    assert list(root.check(ctx, False)) == []
    os.utime(draft, (1.0, 1.0))
    assert only(list(root.check(ctx, False))).level == "note"


def test_another_users_file_and_a_symlink_in_the_root_are_named(opened: Home, tmp_path: Path) -> None:
    ctx = Context.of(opened)
    ctx.disk_free = lambda _: 10 << 30
    (opened.root / "elsewhere").symlink_to(tmp_path)
    assert "symbolic link" in only(list(root.check(ctx, False))).what
    (opened.root / "elsewhere").unlink()
    if os.geteuid() == 0:
        run = make_run(opened, State.FAILED)
        os.chown(run.path, 65534, 65534)
        assert "belongs to user 65534" in only(list(root.check(ctx, False))).what


def test_environments_that_nothing_needs_are_named_and_those_of_a_run_are_not(opened: Home) -> None:
    for number, name in enumerate(("old", "pinned", "last", "newest")):
        (opened.root / "envs" / name).mkdir(parents=True)
        os.utime(opened.root / "envs" / name, (1000.0 + number, 1000.0 + number))
    make_run(opened, State.RUNNING, env_hash="pinned")
    found = only(look(opened, environments.check))
    assert (found.level, found.what.endswith(": old")) == ("note", True)
    make_run(opened, State.RUNNING, env_hash="old")
    assert look(opened, environments.check) == []


def test_a_check_that_fails_is_a_finding_and_stops_no_other(opened: Home) -> None:
    def broken(_ctx: Context, _deep: bool) -> Iterator[Finding]:
        raise RuntimeError("no such luck")

    found = examine(Context.of(opened), checks=(broken, *CHECKS))
    assert any("no such luck" in one.what for one in found)


def test_findings_are_ranked_and_notes_are_healthy() -> None:
    note, warning, problem = (
        Finding(level=level, about="a", what="w") for level in ("note", "warning", "problem")
    )
    assert [one.level for one in ranked([note, problem, warning])] == ["problem", "warning", "note"]
    assert is_healthy([note])
    assert not is_healthy([note, warning])


@pytest.mark.parametrize(
    ("wall", "words"),
    [(100.0, ""), (101.5, ""), (98.5, ""), (160.5, "60 s ahead of"), (39.0, "61 s behind"), (103.0, "")],
)
def test_a_clock_that_is_off_by_more_than_a_round_trip_explains_is_named(wall: float, words: str) -> None:
    """Asked at 100.0, answered at 100.5 (and once after 3.5 s: then 3 s are no skew)."""
    received = 103.5 if wall == 103.0 else 100.5
    found = list(client.skew("box", wall, 100.0, received))
    assert bool(found) is bool(words)
    assert not words or words in found[0].what


@pytest.mark.parametrize(
    ("remedy", "here", "there"),
    [
        ("photinus reap r-abcdef 7", "photinus reap r-abcdef 7", "photinus reap --host box r-abcdef 7"),
        ("rm /x", "rm /x", "on box: rm /x"),
        ("photinus hosts deploy HOST", "photinus hosts deploy local", "photinus hosts deploy box"),
        ("look at /x and at: photinus show r", "look at /x and at: photinus show r",
         "on box: look at /x and at: photinus show --host box r"),
        ("", "", ""),
    ],
)  # fmt: skip
def test_a_remedy_says_where_it_is_to_be_typed(remedy: str, here: str, there: str) -> None:
    found = Finding(level="note", about="a", what="w", remedy=remedy)
    assert client.at(LOCAL, found).remedy == here
    assert client.at(Host("box", address="ada@box"), found).remedy == there


def test_a_host_of_another_version_and_one_without_the_verb_are_told(session: Session) -> None:
    hello = session.hello
    assert hello is not None
    assert list(client.versions(hello)) == []
    deployed = replace(hello, version=f"{hello.version}+41163820")
    assert list(client.versions(deployed)) == []
    assert only(list(client.versions(replace(hello, version="9.9")))).level == "note"
    assert client.refused(CallError("incompatible", "speaks protocol 2", "update")).remedy == "update"


def test_the_report_is_cleaned_of_what_a_terminal_would_obey(opened: Home, session: Session) -> None:
    (opened.runs_dir / "evil\x1b[31m\x07name").mkdir()
    report = client.examine(session)
    assert any("evil" in one.what for one in report.findings)
    assert not any(sign in str(report) for sign in ("\x1b", "\x07"))


def test_fcntl_is_what_the_kernel_names(opened: Home) -> None:
    """The control of `holders`: an open file without a lock is no holder."""
    from remote.agent.processes.lock_holders import holders

    path = opened.devices_dir / "cpu.lock"
    with path.open("a") as file:
        child = hold(path)
        try:
            assert [one.pid for one in holders(path)] == [child.pid]
            with pytest.raises(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        finally:
            child.kill()
            child.communicate()
        assert holders(path) == []
