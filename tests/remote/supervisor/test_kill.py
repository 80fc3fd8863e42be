"""The kill: everything of the run and nothing else."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.remote.supervisor.stage import (
    Stage,
    ask,
    environment,
    faulty,
    is_gone,
    process_of,
    record_of,
    state_of,
    trainer_pid,
    until,
    until_over,
    until_steps,
)
from tests.waiting import wait_until
from trainer.run.control import read_ack
from trainer.run.locks import is_free
from trainer.run.process.survivors import survivors
from trainer.run.spec import Restart
from trainer.run.states import State

SLEEPER = "import time\nwhile True: time.sleep(60)"


@pytest.fixture
def canary(tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A process with the command line, the folder and the environment of the run, but for its token."""
    env = os.environ | {"PHOTINUS_RUN_TOKEN": "f" * 32}
    process = subprocess.Popen([sys.executable, "-c", SLEEPER], cwd=tmp_path, env=env)
    yield process
    process.kill()
    process.wait()


def test_kill_ends_the_trainer_and_every_kind_of_worker(stage: Stage) -> None:
    run = stage.trainer(forked=2, spawned=1, setsid=1, deaf=True)
    stage.begin(run)
    until_steps(run)
    everybody = {one.pid: one.found_by for one in survivors(run, process_of(run))}
    assert len(everybody) == 5
    assert ("token",) in everybody.values()  # the setsid one has no other mark
    ask(run, "kill")
    over = until_over(run)
    assert (over.state, over.signal, over.reason) == (State.FAILED, 9, "killed by operator")
    assert all(is_gone(pid) for pid in everybody)
    assert read_ack(run, "req-1") is not None


def test_killed_run_is_never_restarted(stage: Stage) -> None:
    run = stage.trainer(restart=Restart("always", 9, 0.01))
    stage.begin(run)
    until_steps(run)
    ask(run, "kill")
    over = until_over(run)
    assert (over.state, over.attempt) == (State.FAILED, 1)


def test_kill_raises_the_level_of_a_stop(stage: Stage) -> None:
    run = stage.trainer(step_s=60.0)
    stage.begin(run)
    until(run, State.RUNNING)
    ask(run, "stop", "first")
    until(run, State.STOPPING)
    ask(run, "kill", "second")
    over = until_over(run)
    assert (over.state, over.signal) == (State.FAILED, 9)


@pytest.mark.parametrize("verb", ["stop", "kill"])
def test_canary_with_the_same_command_line_survives(
    stage: Stage, tmp_path: Path, canary: "subprocess.Popen[bytes]", verb: str
) -> None:
    run = stage.python(SLEEPER, cwd=str(tmp_path))
    stage.begin(run)
    until(run, State.RUNNING)
    twin = trainer_pid(run)
    ask(run, verb)
    until_over(run)
    assert is_gone(twin)
    assert canary.poll() is None
    assert not is_gone(canary.pid)


def test_suspended_run_can_be_killed(stage: Stage) -> None:
    run = stage.trainer()
    stage.begin(run)
    until_steps(run)
    os.kill(trainer_pid(run), signal.SIGSTOP)
    ask(run, "kill")
    assert until_over(run).state is State.FAILED


@pytest.fixture
def impatient(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment(grace_s=0.1, unkillable_s=0.2).items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("impatient")
def test_what_sigkill_does_not_end_keeps_the_locks_until_it_is_gone(stage: Stage, tmp_path: Path) -> None:
    """The stand-in for a process in D state: a supervisor whose signals are lost while a file exists."""
    shield = tmp_path / "shield"
    shield.touch()
    run = stage.trainer()
    stage.begin(run, program=faulty("unkillable", str(shield)))
    until_steps(run)
    ask(run, "kill")
    stuck = until(run, State.UNKILLABLE)
    assert str(trainer_pid(run)) in stuck.reason
    assert not is_free(run.lock)
    assert not is_free(stage.home.devices_dir / "cpu.lock")
    shield.unlink()
    over = until_over(run)
    assert (over.state, over.reason) == (State.FAILED, "killed by operator")


@pytest.mark.usefixtures("impatient")
def test_unkillable_run_that_lost_its_supervisor_is_adopted_and_killed(stage: Stage, tmp_path: Path) -> None:
    shield = tmp_path / "shield"
    shield.touch()
    run = stage.trainer()
    supervisor = stage.begin(run, program=faulty("unkillable", str(shield)))
    until_steps(run)
    ask(run, "kill")
    until(run, State.UNKILLABLE)
    os.kill(supervisor, signal.SIGKILL)
    wait_until(lambda: is_free(run.lock), 5.0, "the lock")
    stage.contact(run)
    assert until_over(run).state is State.FAILED
    assert record_of(run).signal == 9
    assert state_of(run) is State.FAILED
