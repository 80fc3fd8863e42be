"""An empty scan is not "nobody": what outlives a run's first process is waited for, told, and ended."""

import os
import sys
from pathlib import Path

import pytest

from tests.remote.supervisor.stage import (
    Stage,
    ask,
    is_gone,
    process_of,
    record_of,
    state_of,
    trainer_pid,
    until,
    until_over,
    until_said,
)
from tests.trials import trials
from tests.waiting import wait_until
from trainer.run.layout import RunDir
from trainer.run.process.survivors import survivors
from trainer.run.spec import Restart
from trainer.run.states import State

SLEEPER = f"{sys.executable} -I -S -c 'import time; time.sleep(60)'"
# Parent, child and grandchild: the two that were started first are gone before anybody looks.
DOUBLE_FORK = (
    "import os, time\nif os.fork(): os._exit(0)\nos.setsid()\nif os.fork(): os._exit(0)\ntime.sleep(60)"
)
# It closes everything and forgets its environment, but for the lock that it inherited.
SCRUBBED = (
    "import os, sys\n"
    "lock = int(os.environ['PHOTINUS_TRAINER_LOCK_FD'])\n"
    "if os.fork(): os._exit(0)\n"
    "os.setsid()\n"
    "os.execve(sys.executable, [sys.executable, '-I', '-S', '-c', 'import time; time.sleep(60)'], {})"
)


@pytest.mark.parametrize("code", [DOUBLE_FORK, SCRUBBED])
def test_a_command_that_goes_to_the_background_has_not_succeeded(stage: Stage, code: str) -> None:
    for _ in range(trials(2, 20)):
        run = stage.python(code)
        stage.begin(run)
        end = until_over(run)
        assert end.state is State.FAILED, end
        assert "left 1 process behind (pid " in end.reason
        assert "start it in the foreground" in end.reason
        assert survivors(run, process_of(run)) == []


def test_what_a_shell_left_in_the_background_is_named_and_not_tried_again(stage: Stage) -> None:
    run = stage.command(
        "/bin/sh",
        "-c",
        f"nohup {SLEEPER} & nohup {SLEEPER} & echo started",
        restart=Restart(policy="on-failure", backoff_s=0.0),
    )
    stage.begin(run)
    end = until_over(run)
    assert end.state is State.FAILED
    assert end.attempt == 1
    assert "ended with 0 and left 2 processes behind" in end.reason
    assert "time.sleep(60)" in end.reason


def test_control_what_ends_by_itself_soon_after_is_no_fault(stage: Stage) -> None:
    """`tee` behind a pipe, a tracker of shared memory: they end as soon as they see that they can."""
    run = stage.command(
        "/bin/sh", "-c", "read line < /proc/self/stat; sleep 0.05 & exit 0", restart=Restart(policy="never")
    )
    stage.begin(run)
    end = until_over(run)
    assert (end.state, end.reason) == (State.SUCCEEDED, "")


SAVES = (
    "import signal, sys, time\n"
    "def save(*_):\n"
    "    time.sleep(1.2)\n"
    "    open(sys.argv[1], 'w').write('saved')\n"
    "    sys.exit(0)\n"
    "signal.signal(signal.SIGTERM, save)\n"
    "print('ready', flush=True)\n"
    "time.sleep(60)"
)


def wrapped(stage: Stage, tmp_path: Path, code: str) -> tuple[RunDir, Path]:
    """A shell script that starts the training and does not hand on the signal that ends it."""
    saved = tmp_path / "saved"
    run = stage.command("/bin/sh", "-c", f"{sys.executable} -I -S -c \"{code}\" '{saved}'; echo never")
    stage.begin(run)
    until_said(run, "ready")
    return run, saved


def test_a_stop_reaches_what_a_wrapper_script_started_and_lets_it_save(stage: Stage, tmp_path: Path) -> None:
    """The shell dies of the signal at once; the child needs longer than a kill would grant."""
    run, saved = wrapped(stage, tmp_path, SAVES)
    ask(run, "stop")
    end = until_over(run)
    assert end.state is State.STOPPED
    assert saved.read_text() == "saved"
    assert "it outlived the first process" in run.supervisor_log.read_text()


def test_a_kill_ends_the_waiting_for_it(stage: Stage, tmp_path: Path) -> None:
    run, saved = wrapped(stage, tmp_path, SAVES.replace("1.2", "60"))
    shell = trainer_pid(run)
    ask(run, "stop")
    wait_until(lambda: is_gone(shell), 10.0, "the shell to be gone")
    wait_until(lambda: "it outlived" in run.supervisor_log.read_text(), 10.0, "the stop to be handed on")
    assert state_of(run) is State.STOPPING
    ask(run, "kill", "req-2")
    end = until_over(run)
    assert (end.state, end.reason) == (State.FAILED, "killed by operator")
    assert not saved.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_run_is_not_over_while_another_users_process_holds_its_lock(stage: Stage, tmp_path: Path) -> None:
    """`sudo` in a launch script: it cannot be seen and not be ended, and keeps the device."""
    note = tmp_path / "pid"
    code = (
        "import os, time\n"
        "if os.fork(): os._exit(0)\n"
        "os.setsid()\n"
        f"open({str(note)!r}, 'w').write(str(os.getpid()))\n"
        "os.setresuid(65534, 65534, 65534)\n"
        "time.sleep(60)"
    )
    run = stage.python(code)
    stage.begin(run)
    until(run, State.UNKILLABLE)
    assert "trainer.lock" in record_of(run).reason
    os.kill(int(note.read_text()), 9)
    assert until_over(run).state is State.SUCCEEDED
