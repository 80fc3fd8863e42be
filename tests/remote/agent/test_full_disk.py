"""A full disk at each write of the agent: a typed error, no stuck lock, no half state; later it works."""

import contextlib
import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from remote.actions import kill_run, start_run, stop_run
from remote.agent.context import Context
from remote.agent.error_answers import as_call_error
from remote.agent.runs.stop import adopt, kill, stop
from remote.agent.starts.resume import resume
from remote.agent.starts.start import start
from remote.session.session import Session, connect
from remote.supervisor.admission.queue import start_next
from remote.supervisor.admission.reconcile import reconcile_run
from remote.supervisor.admission.waiting_line import waiting
from tests.remote.calling import args_of
from tests.remote.driving import drive
from tests.remote.full_disk import Disk
from tests.remote.scripts import BRIEF, QUIET, argv, request, spec
from tests.remote.supervisor.test_full_disk import fill
from tests.small_disk import mounted
from tests.waiting import wait_until
from trainer.run.disk.atomic import make_reserve, open_append
from trainer.run.home import Home, open_home
from trainer.run.layout import RunDir
from trainer.run.locks import Flock, is_free
from trainer.run.records import read_start, read_state, write_spec, write_state
from trainer.run.run_errors import HomeError
from trainer.run.states import State, StateRecord

MOST = 60


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A tmpfs of 4 MiB."""
    with mounted(tmp_path / "disk", 4) as folder:
        yield folder


@dataclass
class Spawned:
    """What was started instead of supervisors: nothing, but with the file that a real one begins with."""

    attempts: list[tuple[str, int]]

    def spawn(self, home: Home, run: RunDir, attempt: int, locks: Mapping[str, Flock], **_: Any) -> int:
        os.close(open_append(run.supervisor_log))
        for lock in locks.values():
            lock.close()
        self.attempts.append((run.run_id, attempt))
        return 1


@pytest.fixture
def spawned(monkeypatch: pytest.MonkeyPatch) -> Spawned:
    found = Spawned([])
    monkeypatch.setattr("remote.supervisor.admission.admit.spawn_supervisor", found.spawn)
    return found


@dataclass
class Case:
    """A verb on a host of its own: `act` is tried on the full disk and again on one with space."""

    home: Home
    act: Callable[[Context], dict[str, Any]]
    is_past: bool = False  # the verb has fewer write points than that

    def context(self) -> Context:
        ctx = Context.of(self.home)
        ctx.hello_s = ctx.lock_s = 0.0
        return ctx


def ended(home: Home) -> RunDir:
    """A command that is over and can be resumed, without any process."""
    one = replace(spec(BRIEF), resume_argv=argv(BRIEF))
    run = home.run(one.run_id).create()
    write_spec(run, one)
    record = StateRecord(run_id=run.run_id, state=State.STOPPED, seq=3, attempt=1, since=time.time())
    write_state(run, 0, record)
    return run


def starting(root: Path) -> Case:
    one = spec(BRIEF).to_json()
    args = {"start_id": "s1", "spec": one, "queue": False}
    return Case(open_home(root), lambda ctx: drive(start(ctx, args_of("start", args))))


def resuming(root: Path) -> Case:
    home = open_home(root)
    args = {"start_id": "s1", "run_id": ended(home).run_id, "from": "", "queue": False}
    return Case(home, lambda ctx: drive(resume(ctx, args_of("resume", args))))


def trials(tmp_path: Path, make: Callable[[Path], Case]) -> Iterator[tuple[Case, int, bool]]:
    """A fresh case for each write point, failing for good and failing once; each ends where none is left."""
    for lasting in (True, False):
        for number in range(1, MOST):
            case = make(tmp_path / f"{lasting}-{number}")
            yield case, number, lasting
            if case.is_past:
                break


def attempt(case: Case, number: int, lasting: bool) -> tuple[Disk, Exception | None, dict[str, Any]]:
    """Try it on a disk that is full from its `number`-th change on; then there is space again."""
    ctx = case.context()
    with pytest.MonkeyPatch.context() as patch:
        disk = Disk(patch, number, lasting=lasting)
        try:
            return disk, None, case.act(ctx)
        except Exception as error:
            return disk, error, {}


def demand_no_half_state(home: Home) -> None:
    """Every file is whole, no draft lies about, and no lock is held."""
    for path in home.root.rglob("*.json"):
        json.loads(path.read_bytes())
    assert not list(home.root.rglob("*.tmp"))
    for path in [home.agent_lock, *home.devices_dir.iterdir(), *(run.lock for run in home.runs())]:
        assert is_free(path), path


@pytest.mark.parametrize(("make", "points", "number"), [(starting, 15, 1), (resuming, 8, 2)])
def test_a_start_and_a_resume_on_a_disk_that_is_full_at_each_write(
    home: Path, tmp_path: Path, spawned: Spawned, make: Callable[[Path], Case], points: int, number: int
) -> None:
    refused: list[str] = []
    for case, point, lasting in trials(tmp_path, make):
        spawned.attempts.clear()
        disk, error, answer = attempt(case, point, lasting)
        if not disk.refused:
            assert point > points  # every write point was tried
            case.is_past = True
            continue
        refused.append(disk.refused[0])
        demand_no_half_state(case.home)
        if error is not None:
            assert as_call_error(error).code == "disk_low", (point, error)
            answer = case.act(case.context())
        if answer["state"] == "failed":  # the one point where the run itself could tell of it
            assert "No space" in answer["reason"]
            assert spawned.attempts == []
        else:
            assert spawned.attempts == [(answer["run_id"], number)], (point, lasting)
        again = case.act(case.context())
        assert (again["run_id"], again["attempt"]) == (answer["run_id"], number)
        assert read_start(case.home.starts_dir, "s1") is not None
        demand_no_half_state(case.home)
    assert {"create", "write", "fsync", "link", "rename"} <= set(refused)


def test_the_trials_above_would_notice_a_lock_that_stays_held(tmp_path: Path, spawned: Spawned) -> None:
    case = starting(tmp_path / "home")
    with Flock(case.home.devices_dir / "cpu.lock") as forgotten:
        assert forgotten.take()
        with pytest.raises(AssertionError):
            demand_no_half_state(case.home)


def test_a_queued_start_on_a_full_disk_is_in_line_once_or_not_at_all(
    home: Path, tmp_path: Path, spawned: Spawned
) -> None:
    def make(root: Path) -> Case:
        args = {"start_id": "s1", "spec": spec(BRIEF).to_json(), "queue": True}
        return Case(open_home(root), lambda ctx: drive(start(ctx, args_of("start", args))))

    tried = 0
    for case, point, lasting in trials(tmp_path, make):
        spawned.attempts.clear()
        with Flock(case.home.devices_dir / "cpu.lock") as busy:
            assert busy.take()
            disk, error, _ = attempt(case, point, lasting)
            if not disk.refused:
                case.is_past = True
                continue
            tried += 1
            assert error is not None
            assert as_call_error(error).code == "disk_low"
            assert start_next(case.home) == []
            answer = case.act(case.context())
            assert answer["state"] == "queued", (point, lasting)
            assert [entry.run_id for entry in waiting(case.home)] == [answer["run_id"]]
        assert start_next(case.home) == [answer["run_id"]]
        assert spawned.attempts == [(answer["run_id"], 1)]
        demand_no_half_state(case.home)
    assert tried > 20


def test_the_head_of_the_queue_is_started_once_though_the_disk_was_full_at_any_write(
    home: Path, tmp_path: Path, spawned: Spawned
) -> None:
    tried = 0
    for case, point, lasting in trials(tmp_path, lambda root: Case(open_home(root), lambda _: {})):
        spawned.attempts.clear()
        args = {"start_id": "s1", "spec": spec(BRIEF).to_json(), "queue": True}
        with Flock(case.home.devices_dir / "cpu.lock") as busy:
            assert busy.take()
            run_id = drive(start(case.context(), args_of("start", args)))["run_id"]
        opened = case.home
        case.act = lambda _, opened=opened: {"started": start_next(opened)}  # type: ignore[misc]
        disk, _, _ = attempt(case, point, lasting)
        if not disk.refused:
            case.is_past = True
            continue
        tried += 1
        demand_no_half_state(opened)
        state = read_state(opened.run(run_id))
        assert state is not None
        if state.state is State.FAILED:  # it could say so itself: it left the line
            assert "No space" in state.reason
        else:
            start_next(opened)
            assert spawned.attempts == [(run_id, 1)], (point, lasting, disk.refused)
        start_next(opened)
        assert len(spawned.attempts) <= 1
        assert waiting(opened) == []
    assert tried > 8


def test_a_state_root_that_cannot_be_made_is_refused_and_made_later(tmp_path: Path) -> None:
    for number in range(1, MOST):
        root = tmp_path / str(number)
        with pytest.MonkeyPatch.context() as patch:
            disk = Disk(patch, number)
            made = None
            with contextlib.suppress(HomeError):
                made = open_home(root)
        assert (made is None) is bool(disk.refused)
        assert open_home(root).host_id
        assert not list(root.rglob("*.tmp"))
        if not disk.refused:
            break
    assert number > 8


class TestALiveRun:
    """With a real supervisor: what is asked of it reaches it without a byte of space."""

    @pytest.fixture
    def run(self, home: Path, session: Session) -> RunDir:
        started = start_run(session, request(QUIET)).run
        assert started is not None
        session.close()
        found = open_home(home).run(started.run_id)
        wait_until(lambda: found.reserve.exists(), 10.0, "the reserve")
        return found

    def end(self, home: Path, run: RunDir, verb: str, first: int, *, reserve: bool = True) -> str:
        """Ask on a disk that stays full, and let the agent try; its error's code, else `ok`."""
        args = {"run_id": run.run_id, "req_id": "r1", "by": "Ada"}
        if not reserve:
            run.reserve.unlink()
        with pytest.MonkeyPatch.context() as patch:
            Disk(patch, first)
            try:
                drive((stop if verb == "stop" else kill)(Context.of(open_home(home)), args_of(verb, args)))
            except Exception as error:
                return as_call_error(error).code
        return "ok"

    def over(self, home: Path, run: RunDir) -> StateRecord:
        def is_over() -> bool:
            reconcile_run(open_home(home), run)
            state = read_state(run)
            return state is not None and state.is_terminal and is_free(run.lock)

        wait_until(is_over, 20.0, "the end")
        state = read_state(run)
        assert state is not None
        return state

    @pytest.mark.parametrize("first", [1, 2, 3, 4, 5])
    def test_a_stop_is_obeyed_wherever_the_disk_is_full(self, home: Path, run: RunDir, first: int) -> None:
        assert self.end(home, run, "stop", first) == "ok"
        assert self.over(home, run).state is State.STOPPED

    @pytest.mark.parametrize("reserve", [True, False])
    def test_a_kill_ends_every_process_on_a_disk_without_any_space(
        self, home: Path, run: RunDir, reserve: bool
    ) -> None:
        pid = json.loads(run.process.read_text())["trainer"]["pid"]
        assert self.end(home, run, "kill", 1, reserve=reserve) in ("ok", "disk_low")
        wait_until(lambda: not Path(f"/proc/{pid}").exists(), 10.0, "its process to be gone")
        assert self.over(home, run).state in (State.FAILED, State.DIED)
        assert is_free(home / "devices" / "cpu.lock")

    def test_an_adoption_needs_no_space(self, home: Path, run: RunDir) -> None:
        before = json.loads(run.process.read_text())["supervisor"]["pid"]
        os.kill(before, signal.SIGKILL)
        wait_until(lambda: is_free(run.lock), 10.0, "its lock")
        with pytest.MonkeyPatch.context() as patch:
            Disk(patch, 1)
            view = drive(adopt(Context.of(open_home(home)), args_of("adopt", {"run_id": run.run_id})))
        assert view["supervisor_pid"] not in (None, before)


@pytest.mark.parametrize("end", [stop_run, kill_run])
def test_stop_and_kill_on_a_real_disk_without_a_byte_left(
    small_disk: Path,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    end: Callable[..., Any],
) -> None:
    root = small_disk / "home"
    monkeypatch.setenv("PHOTINUS_HOME", str(root))
    with connect() as session:
        started = start_run(session, request(QUIET)).run
        assert started is not None
        run = open_home(root).run(started.run_id)
        wait_until(lambda: run.reserve.exists(), 10.0, "the reserve")
        fill(small_disk)
        refused = start_run(session, request(QUIET, shared_device=True))  # the control: it is full
        assert (refused.code, refused.exit_code) == ("disk_low", 3)
        outcome = end(session, run.run_id)
        assert outcome.ok, outcome
        (small_disk / "ballast").unlink()
        again = start_run(session, request(BRIEF))
        assert again.ok, again
        session.wait_run(again.run.run_id, lambda one: one.is_terminal, 10.0)  # type: ignore[union-attr]
    wait_until(lambda: is_free(root / "devices" / "cpu.lock"), 10.0, "the lock")


def test_make_reserve_is_what_a_live_run_keeps(tmp_path: Path) -> None:
    make_reserve(tmp_path / "reserve")
    assert (tmp_path / "reserve").stat().st_size == 64 * 1024
