"""An undisturbed attempt: what the supervisor gives the trainer, and which ending it writes."""

import os
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.remote.supervisor.stage import (
    Stage,
    kill_nine,
    process_of,
    record_of,
    state_of,
    trainer_pid,
    until,
    until_over,
    until_spawned,
    until_steps,
)
from tests.waiting import wait_until
from trainer.run.locks import is_free
from trainer.run.process.kernel_linux import LinuxReader
from trainer.run.process.survivors import survivors
from trainer.run.records import read_exit
from trainer.run.states import State


def test_finished_training_is_succeeded_and_lets_the_locks_go(stage: Stage) -> None:
    run = stage.trainer(steps=12)
    stage.begin(run)
    over = until_over(run)
    assert (over.state, over.code, over.attempt) == (State.SUCCEEDED, 0, 1)
    assert is_free(stage.home.devices_dir / "cpu.lock")
    assert is_free(run.trainer_lock)
    process = process_of(run)
    word = read_exit(run, 1, process.token)
    assert word is not None
    assert word.steps_done == 12
    assert "attempt 1 from scratch" in run.log(1).read_text()


def test_starting_becomes_running_with_the_hello_and_not_before(stage: Stage) -> None:
    run = stage.trainer(hello_delay=0.6)
    stage.begin(run)
    until_spawned(run)
    assert state_of(run) is State.STARTING
    assert not run.hello.exists()
    assert until(run, State.RUNNING).seq == 2


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"steps": 3, "code": 1}, "exit code 1"),
        ({"steps": 3, "claims_no_steps": True}, "performed none of its planned steps"),
        ({"steps": 0}, "performed none of its planned steps"),
        ({"steps": 3, "leaves_no_word": True}, "left no last word"),
        ({"crash_before_step": [1]}, "killed by SIGKILL"),
    ],
)
def test_training_that_did_not_end_well_is_failed(stage: Stage, config: dict[str, Any], reason: str) -> None:
    run = stage.trainer(**config)
    stage.begin(run)
    over = until_over(run)
    assert over.state is State.FAILED
    assert reason in over.reason


def test_last_word_of_an_earlier_attempt_decides_nothing(stage: Stage) -> None:
    run = stage.trainer(steps=3)
    stage.begin(run)
    assert until_over(run).state is State.SUCCEEDED
    silent = stage.trainer(steps=3, leaves_no_word=True)
    silent.exit.write_bytes(run.exit.read_bytes())
    stage.begin(silent)
    assert until_over(silent).state is State.FAILED


@pytest.mark.parametrize(("code", "state"), [(0, State.SUCCEEDED), (3, State.FAILED)])
def test_command_is_judged_by_its_exit_code(stage: Stage, code: int, state: State) -> None:
    run = stage.python(f"raise SystemExit({code})")
    stage.begin(run)
    over = until_over(run)
    assert (over.state, over.code) == (state, code)


def test_command_that_does_not_exist_is_failed_with_the_reason(stage: Stage) -> None:
    run = stage.command("/no/such/program")
    stage.begin(run)
    over = until_over(run)
    assert over.state is State.FAILED
    assert "/no/such/program" in over.reason


def test_command_gets_its_folder_environment_umask_and_marks(stage: Stage, tmp_path: Path) -> None:
    code = "import os, sys; print(os.getcwd(), os.environ['LAMP'], oct(os.umask(0)), "
    code += "os.getsid(0) == os.getpid(), "
    code += "sys.stdin.read() == '', sorted(k for k in os.environ if k.startswith('PHOTINUS_R')))"
    run = stage.python(code, cwd=str(tmp_path), env={"LAMP": "lit"}, umask=0o027)
    stage.begin(run)
    assert until_over(run).state is State.SUCCEEDED
    said = run.log(1).read_text()
    assert said == f"{tmp_path} lit 0o27 True True ['PHOTINUS_RUN_DIR', 'PHOTINUS_RUN_TOKEN']\n"


def test_trainer_inherits_the_trainer_lock_and_no_other(stage: Stage) -> None:
    run = stage.trainer(forked=1)
    stage.begin(run)
    until_steps(run)
    pid, reader = trainer_pid(run), LinuxReader()
    for path, holds in (
        (run.trainer_lock, True),
        (run.lock, False),
        (stage.home.devices_dir / "cpu.lock", False),
    ):
        found = path.stat()
        assert reader.opens(pid, found.st_dev, found.st_ino) is holds
    held_by = {one.pid for one in survivors(run, process_of(run)) if "lock" in one.found_by}
    assert pid in held_by
    assert len(held_by) == 2  # and its forked worker


def test_run_lock_is_held_from_the_start_to_the_end_without_a_gap(stage: Stage) -> None:
    run = stage.trainer(steps=25)
    stage.begin(run)
    seen_free_while_on = []
    while not record_of(run).is_terminal:
        free = is_free(run.lock)
        if free and not record_of(run).is_terminal:
            seen_free_while_on.append(record_of(run).state)
    assert seen_free_while_on == []


def test_workers_left_by_an_ended_trainer_are_gone_before_the_terminal_state(stage: Stage) -> None:
    run = stage.trainer(steps=3, forked=1, spawned=1, setsid=1, deaf=True)
    stage.begin(run)
    over = until_over(run)
    assert over.state is State.SUCCEEDED
    assert survivors(run, process_of(run)) == []
    assert "SIGTERM to" in run.supervisor_log.read_text()
    assert "SIGKILL to" in run.supervisor_log.read_text()  # the deaf forked one


def test_ended_supervisor_is_reaped_by_whoever_spawned_it(stage: Stage) -> None:
    run = stage.trainer(steps=2)
    pid = stage.begin(run)
    until_over(run)
    wait_until(lambda: not psutil.pid_exists(pid), 5.0, "the supervisor to be reaped")


def test_trainer_outlives_its_supervisor_and_keeps_its_stdout(stage: Stage) -> None:
    run = stage.trainer(steps=60)
    supervisor = stage.begin(run)
    until_steps(run)
    kill_nine(supervisor)
    assert is_free(run.lock)
    until_steps(run, 60)
    wait_until(run.exit.exists, 10.0, "its last word")


def test_nothing_anywhere_asks_the_kernel_to_die_with_a_parent() -> None:
    root = Path(__file__).parents[3]
    sources = [path.read_text() for room in ("remote", "trainer") for path in (root / room).rglob("*.py")]
    assert len(sources) > 20
    assert not [text for text in sources if "PDEATHSIG" in text or "prctl" in text]


def test_marks_of_an_outer_run_are_not_passed_on(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTINUS_RUN_TOKEN", "outer")
    run = stage.command(sys.executable, "-c", "import time; time.sleep(60)")
    supervisor = stage.begin(run)
    until(run, State.RUNNING)
    assert "PHOTINUS_RUN_TOKEN" not in psutil.Process(supervisor).environ()
    assert psutil.Process(trainer_pid(run)).environ()["PHOTINUS_RUN_TOKEN"] == process_of(run).token
    assert os.environ["PHOTINUS_RUN_TOKEN"] == "outer"
