"""Stop, kill, adopt: through the supervisor where there is one."""

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from remote.actions import Outcome, kill_run, start_run, stop_run
from remote.agent.context import Context
from remote.agent.runs.stop import kill, stop
from remote.session.session import Session
from tests.remote.calling import args_of, call, call_async
from tests.remote.driving import drive
from tests.remote.scripts import QUIET, request, spec
from tests.waiting import wait_until
from trainer.run.home import open_home
from trainer.run.locks import is_free
from trainer.run.process.process_record import read_process
from trainer.run.records import claim_start, read_state, write_spec, write_state
from trainer.run.states import State, StateRecord

STUBBORN = (
    "import signal, time\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "print('on', flush=True)\n"
    "time.sleep(120)"
)


def started(session: Session, code: str = QUIET) -> str:
    outcome = start_run(session, request(code))
    assert outcome.run is not None, outcome
    return outcome.run.run_id


def test_stop_returns_when_the_run_is_stopped_and_its_lock_free(home: Path, session: Session) -> None:
    run_id = started(session)
    outcome = stop_run(session, run_id)
    assert outcome.ok, outcome
    assert outcome.run is not None
    assert outcome.run.state == "stopped"
    wait_until(lambda: is_free(home / "runs" / run_id / "lock"), 10.0, "its lock")


def test_stop_without_waiting_says_so_and_stop_of_what_is_over_changes_nothing(session: Session) -> None:
    run_id = started(session)
    assert "asked to stop" in stop_run(session, run_id, wait=False).message
    first = stop_run(session, run_id)
    again = stop_run(session, run_id)
    assert first.run is not None
    assert again.run is not None
    assert (again.ok, again.run.seq) == (True, first.run.seq)


def test_a_stop_that_takes_too_long_is_a_timeout_and_a_deadline_makes_it_a_kill(session: Session) -> None:
    run_id = started(session, STUBBORN)
    wait_until(lambda: b"on" in Path(session_log(session, run_id)).read_bytes(), 10.0, "its handler")
    slow = stop_run(session, run_id, timeout=0.5)
    assert (slow.code, slow.exit_code) == ("timeout", 7)
    ended = stop_run(session, run_id, deadline=0.2, timeout=30.0)
    assert ended.run is not None
    assert ended.run.is_terminal


def session_log(session: Session, run_id: str) -> str:
    return f"{call(session, 'run', {'run_id': run_id})['dir']}/log/001.log"


def test_kill_ends_a_run_that_ignores_everything(home: Path, session: Session) -> None:
    run_id = started(session, STUBBORN)
    outcome = kill_run(session, run_id)
    assert outcome.ok, outcome
    assert outcome.run is not None
    assert outcome.run.state == "failed"
    assert outcome.run.signal == 9
    wait_until(lambda: is_free(home / "runs" / run_id / "lock"), 10.0, "its lock")


def test_a_run_that_lost_its_supervisor_is_adopted_on_contact_and_can_be_stopped(session: Session) -> None:
    run_id = started(session)
    before = call(session, "run", {"run_id": run_id})
    os.kill(before["supervisor_pid"], signal.SIGKILL)

    def adopted() -> bool:
        now = call(session, "run", {"run_id": run_id})
        return bool(now["supervisor_pid"] and now["supervisor_pid"] != before["supervisor_pid"])

    wait_until(adopted, 5.0, "another supervisor")
    assert call(session, "run", {"run_id": run_id})["pid"] == before["pid"]
    outcome = stop_run(session, run_id)
    assert outcome.run is not None
    assert outcome.run.is_terminal
    wait_until(lambda: not alive(before["pid"]), 10.0, "its process to end")


def alive(pid: int) -> bool:
    try:
        return b") Z " not in Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return False


def test_a_connected_agent_adopts_by_itself(session: Session) -> None:
    run_id = started(session)
    before = call(session, "adopt", {"run_id": run_id})
    os.kill(before["supervisor_pid"], signal.SIGKILL)
    seen = session.wait_run(
        run_id, lambda run: run.supervisor_pid not in (None, before["supervisor_pid"]), 5.0
    )
    assert seen is not None
    assert seen.pid == before["pid"]


def test_a_run_whose_processes_are_all_gone_is_marked_and_not_running(session: Session) -> None:
    run_id = started(session)
    before = call(session, "run", {"run_id": run_id})
    os.kill(before["supervisor_pid"], signal.SIGKILL)
    os.kill(before["pid"], signal.SIGKILL)
    wait_until(lambda: call(session, "run", {"run_id": run_id})["state"] == "died", 5.0, "died")


def args(run_id: str) -> dict[str, Any]:
    return {"run_id": run_id, "req_id": "r1", "by": "Ada"}


def test_stop_of_a_start_that_was_never_carried_out_is_stopped(home: Path) -> None:
    opened, one = open_home(home), spec()
    run = opened.run(one.run_id).create()
    claim_start(opened.starts_dir, "s1", one.run_id, 1)
    write_spec(run, one)
    state = StateRecord(
        run_id=one.run_id, state=State.STARTING, seq=1, attempt=1, since=time.time(), start_id="s1"
    )
    write_state(run, 0, state)
    assert drive(stop(Context.of(opened), args_of("stop", args(one.run_id))))["state"] == "stopped"


def test_kill_where_no_supervisor_can_be_had_is_done_by_the_agent(
    home: Path, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = started(session, STUBBORN)
    before = call(session, "run", {"run_id": run_id})
    session.close()

    def fail(*_: object, **__: object) -> int:
        raise OSError("out of processes")

    monkeypatch.setattr("remote.supervisor.admission.reconcile.spawn_supervisor", fail)
    monkeypatch.setattr("remote.agent.runs.stop.GRACE_S", 0.2)
    bystander = os.posix_spawn(sys.executable, [sys.executable, "-c", QUIET], os.environ)
    try:
        os.kill(before["supervisor_pid"], signal.SIGKILL)
        run = open_home(home).run(run_id)
        wait_until(lambda: is_free(run.lock), 10.0, "the lock of the dead supervisor")
        answer = drive(kill(Context.of(open_home(home)), args_of("kill", args(run_id))))
        assert (answer["state"], answer["signal"]) == ("failed", 9)
        assert not alive(before["pid"])
        assert alive(bystander)
    finally:
        os.kill(bystander, signal.SIGKILL)
        os.waitpid(bystander, 0)


def test_stop_while_starting_is_held_and_obeyed(home: Path, session: Session) -> None:
    """The request is left before the supervisor has recorded itself."""
    one = spec()
    outcomes: list[object] = []
    call_async(session, "start", {"start_id": "s1", "spec": one.to_json()}, outcomes.append)
    run = open_home(home).run(one.run_id)
    wait_until(lambda: run.state.exists(), 10.0, "the state")
    answer: Outcome = stop_run(session, one.run_id)
    assert answer.run is not None
    assert answer.run.state == "stopped", answer
    state, process = read_state(run), read_process(run)
    assert state is not None
    assert state.attempt == 1
    assert process is None or not alive(process.supervisor.pid) or is_free(run.lock)
