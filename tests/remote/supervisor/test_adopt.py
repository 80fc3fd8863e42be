"""The supervisor dies by SIGKILL at every moment; the next agent contact adopts or marks, and is right."""

import contextlib
import os
import random
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from tests.remote.supervisor.stage import (
    Stage,
    ask,
    faulty,
    is_gone,
    kill_nine,
    process_of,
    record_of,
    state_of,
    trainer_pid,
    until,
    until_over,
    until_steps,
)
from tests.trials import trials
from tests.waiting import wait_until
from trainer.run.layout import RunDir
from trainer.run.locks import is_free
from trainer.run.process.identity import identify
from trainer.run.process.process_record import read_process, write_process
from trainer.run.process.survivors import survivors
from trainer.run.records import write_state
from trainer.run.spec import Restart
from trainer.run.states import State


def begin_dying(stage: Stage, moment: str, **config: Any) -> RunDir:
    """Start a run whose supervisor dies at `moment`; returns when it has."""
    run = stage.trainer(**{"steps": 60, **config})
    pid = stage.begin(run, program=faulty("dying", moment))
    if "stopping" in moment or "signal" in moment:
        until_steps(run)
        ask(run, "stop")
    wait_until(lambda: is_gone(pid), 20.0, f"the supervisor to die {moment}")
    return run


def is_over_for(stage: Stage, run: RunDir) -> bool:
    return stage.contact(run).is_terminal


@pytest.mark.parametrize("moment", ["on entry", "before the token"])
def test_lost_before_the_token_stays_startable_by_the_same_start(stage: Stage, moment: str) -> None:
    run = begin_dying(stage, moment, steps=3)
    assert is_free(run.lock)
    assert stage.contact(run).state is State.STARTING
    stage.begin(run, attempt=1)
    assert until_over(run).state is State.SUCCEEDED


@pytest.mark.parametrize("moment", ["after the token", "before the spawn"])
def test_lost_before_the_spawn_is_died(stage: Stage, moment: str) -> None:
    run = begin_dying(stage, moment)
    marked = stage.contact(run)
    assert marked.state is State.DIED
    assert record_of(run) == marked
    assert is_free(run.lock)


@pytest.mark.parametrize(
    "moment", ["after the spawn", "after the identity", "before running", "after running"]
)
def test_lost_after_the_spawn_is_adopted_and_ends_by_its_last_word(stage: Stage, moment: str) -> None:
    run = begin_dying(stage, moment)
    until_steps(run)
    stage.contact(run)
    assert not is_free(run.lock)
    assert until(run, State.RUNNING, State.SUCCEEDED).attempt == 1
    over = until_over(run)
    assert (over.state, over.attempt) == (State.SUCCEEDED, 1)
    assert process_of(run).adopted
    assert run.events.read_bytes().count(b"\n") == 60  # one trainer, undisturbed


def test_lost_between_fork_and_exec_is_adopted_by_the_first_contact_after_it(stage: Stage) -> None:
    """A fork holds copies of all its parent's locks until its exec: till then the run looks supervised."""
    run = stage.trainer(steps=60)
    os.mkfifo(run.path / "gate")
    pid = stage.begin(run, program=faulty("dying", "between fork and exec"))
    wait_until(lambda: is_gone(pid), 20.0, "the supervisor to die")
    assert not is_free(run.lock)
    assert stage.contact(run).state is State.STARTING
    (run.path / "gate").write_bytes(b"")
    wait_until(lambda: is_free(run.lock), 10.0, "the exec")
    stage.contact(run)
    over = until_over(run)
    assert (over.state, over.attempt) == (State.SUCCEEDED, 1)
    assert process_of(run).adopted
    assert run.events.read_bytes().count(b"\n") == 60


@pytest.mark.parametrize("moment", ["before stopping", "after stopping", "after the signal"])
def test_lost_while_stopping_ends_stopped(stage: Stage, moment: str) -> None:
    run = begin_dying(stage, moment, steps=10_000)
    stage.contact(run)
    over = until_over(run)
    assert over.state is State.STOPPED
    assert run.exit.exists()


@pytest.mark.parametrize(
    "moment", ["before the last word is read", "before the terminal state", "after the terminal state"]
)
def test_lost_at_the_end_is_judged_by_the_last_word(stage: Stage, moment: str) -> None:
    run = begin_dying(stage, moment, steps=3)
    assert stage.contact(run).state is State.SUCCEEDED
    assert record_of(run).state is State.SUCCEEDED
    assert is_free(run.lock)


def test_lost_in_backoff_is_died(stage: Stage) -> None:
    run = stage.trainer(crash_before_step=[1], restart=Restart("on-failure", 9, 30.0))
    supervisor = stage.begin(run)
    wait_until(lambda: "restart in" in record_of(run).reason, 10.0, "the backoff")
    kill_nine(supervisor)
    assert stage.contact(run).state is State.DIED


def test_trainer_and_supervisor_killed_together_is_died(stage: Stage) -> None:
    run = stage.trainer()
    supervisor = stage.begin(run)
    until_steps(run)
    trainer = trainer_pid(run)
    kill_nine(supervisor)
    kill_nine(trainer)
    assert stage.contact(run).state is State.DIED


def test_adopted_trainer_that_is_killed_is_failed_with_exit_unknown(stage: Stage) -> None:
    run = begin_dying(stage, "after running", steps=10_000)
    stage.contact(run)
    wait_until(lambda: process_of(run).adopted, 10.0, "the adoption")
    kill_nine(trainer_pid(run))
    over = until_over(run)
    assert (over.state, over.reason) == (State.FAILED, "exit unknown")


def test_adopted_run_obeys_stop(stage: Stage) -> None:
    run = begin_dying(stage, "after running", steps=10_000)
    stage.contact(run)
    ask(run, "stop")
    assert until_over(run).state is State.STOPPED


def test_adopted_command_is_stopped_whatever_its_code(stage: Stage) -> None:
    run = stage.python("import time\nwhile True: time.sleep(60)")
    supervisor = stage.begin(run)
    until(run, State.RUNNING)
    kill_nine(supervisor)
    stage.contact(run)
    wait_until(lambda: process_of(run).adopted, 10.0, "the adoption")
    ask(run, "stop")
    assert until_over(run).state is State.STOPPED


def test_workers_whose_trainer_died_unsupervised_are_ended_by_the_adopter(stage: Stage) -> None:
    run = stage.trainer(forked=1, spawned=1, setsid=1)
    supervisor = stage.begin(run)
    until_steps(run)
    trainer = trainer_pid(run)
    kill_nine(supervisor)
    kill_nine(trainer)
    assert len(survivors(run, process_of(run))) == 3
    stage.contact(run)
    assert until_over(run).reason.startswith("exit unknown; it left 3 processes behind (pid ")
    assert survivors(run, process_of(run)) == []


def test_adoption_finds_the_device_taken_and_supervises_all_the_same(stage: Stage) -> None:
    run = begin_dying(stage, "after running")
    other = stage.python("import time\ntime.sleep(60)")
    stage.begin(other)
    stage.contact(run)
    assert until_over(run).state is State.SUCCEEDED
    assert state_of(other) is State.RUNNING


def test_supervised_run_is_left_alone_by_every_contact(stage: Stage) -> None:
    run = stage.trainer(steps=40)
    stage.begin(run)
    before = until(run, State.RUNNING)
    for _ in range(20):
        assert stage.contact(run) == before
    assert until_over(run).state is State.SUCCEEDED


def test_reboot_is_told_from_a_death(stage: Stage) -> None:
    run = begin_dying(stage, "after the token")
    process, state = process_of(run), record_of(run)
    write_process(run, replace(process, boot_id="an earlier boot"))
    write_state(run, state.seq, replace(state, seq=state.seq + 1, boot_id="an earlier boot"))
    assert stage.contact(run).state is State.DIED_REBOOT


def test_recycled_pid_is_not_mistaken_for_the_trainer(stage: Stage) -> None:
    """The recorded pid and session now belong to a process of ours that is no run: it must not be touched."""
    run = begin_dying(stage, "after the token")
    innocent = stage.python("import time\ntime.sleep(60)")
    stage.begin(innocent)
    until(innocent, State.RUNNING)
    pid = trainer_pid(innocent)
    now = identify(pid)
    assert now is not None
    earlier = replace(now, start=now.start - 1)
    write_process(run, replace(process_of(run), trainer=earlier, session=pid))
    assert stage.contact(run).state is State.DIED
    assert not is_gone(pid)
    # Negative control: with the true start time the same record means that very process.
    write_process(run, replace(process_of(run), trainer=now, session=pid))
    assert [one.pid for one in survivors(run, process_of(run))] == [pid]


@pytest.mark.chaos
@pytest.mark.timeout(600)  # make chaos: 60 moments
def test_supervisor_killed_at_random_moments_never_leaves_a_run_unsupervised(stage: Stage) -> None:
    rng = random.Random(7)
    for _ in range(trials(6, 60)):
        run = stage.trainer(steps=25)
        supervisor = stage.begin(run)
        with contextlib.suppress(TimeoutError):
            wait_until(partial(is_gone, supervisor), rng.uniform(0.0, 0.4), "a random moment")
        kill_nine(supervisor)
        if stage.contact(run).state is State.STARTING and read_process(run) is None:
            stage.begin(run, attempt=1)
        # An agent looks every 2 s: its first look may have met the lock in the hands of a fork
        wait_until(partial(is_over_for, stage, run), 20.0, f"{run.run_id} to end")
        over = until_over(run)
        assert over.state in (State.SUCCEEDED, State.DIED), over
        assert over.state is State.SUCCEEDED or process_of(run).trainer is None
        assert survivors(run, process_of(run)) == []
        assert is_free(stage.home.devices_dir / "cpu.lock")
