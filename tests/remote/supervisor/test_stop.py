"""The graceful stop: one signal, a proven checkpoint, an answer to everybody who asked."""

import os
import signal
import time
from dataclasses import replace
from typing import Any

import pytest

from tests.remote.supervisor.stage import (
    Stage,
    ask,
    process_of,
    record_of,
    trainer_pid,
    until,
    until_over,
    until_said,
    until_spawned,
    until_steps,
)
from tests.waiting import wait_until
from trainer.run.checkpoints.manifest import manifest_sha256, verify
from trainer.run.control import ControlRequest, put_request, read_ack
from trainer.run.process.identity import identify, is_stopped
from trainer.run.spec import Restart
from trainer.run.states import State

SAVES_ON_CTRL_C = """
import time
try:
    print("ready", flush=True)
    while True: time.sleep(0.02)
except KeyboardInterrupt:
    print("saved", flush=True)
    raise SystemExit(9)
"""

DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
time.sleep(60)
"""


def test_stop_ends_with_a_checkpoint_at_or_after_the_last_finished_step(stage: Stage) -> None:
    run = stage.trainer()
    stage.begin(run)
    until_steps(run, 7)
    ask(run, "stop", by="ada")
    over = until_over(run)
    assert (over.state, over.reason) == (State.STOPPED, "stop requested by ada")
    ack = read_ack(run, "req-1")
    assert ack is not None
    assert ack.checkpoint is not None
    assert verify(run.checkpoints / ack.checkpoint, ack.sha256 or "").step == ack.step >= 7
    assert ack.step == run.events.read_bytes().count(b"\n")
    assert ack.sha256 == manifest_sha256(run.checkpoints / ack.checkpoint)


def test_two_operators_share_one_stop_and_both_are_answered(stage: Stage) -> None:
    run = stage.trainer(step_s=0.3)
    stage.begin(run)
    until_steps(run)
    ask(run, "stop", "ada", by="ada")
    ask(run, "stop", "ben", by="ben")
    over = until_over(run)
    assert over.state is State.STOPPED
    first, second = read_ack(run, "ada"), read_ack(run, "ben")
    assert first is not None
    assert second is not None
    assert (first.checkpoint, first.sha256) == (second.checkpoint, second.sha256)


@pytest.mark.parametrize("foreign", [{"attempt": 7}, {"token": "0" * 32}])
def test_request_to_another_attempt_is_ignored(stage: Stage, foreign: dict[str, Any]) -> None:
    run = stage.trainer(steps=40)
    stage.begin(run)
    until_steps(run)
    ask(run, "stop", **foreign)
    assert until_over(run).state is State.SUCCEEDED
    assert read_ack(run, "req-1") is None


def test_stop_before_the_hello_is_held_until_the_hello(stage: Stage) -> None:
    run = stage.trainer(hello_delay=0.7)
    stage.begin(run)
    until_spawned(run)
    ask(run, "stop")
    held = until(run, State.STOPPING)
    assert "held until its hello" in held.reason
    assert not run.hello.exists()
    over = until_over(run)
    assert over.state is State.STOPPED
    assert run.hello.exists()
    ack = read_ack(run, "req-1")
    assert ack is not None
    assert (ack.step, ack.checkpoint) == (0, None)


def test_stop_asked_before_the_token_was_made_starts_nothing(stage: Stage) -> None:
    run = stage.trainer()
    early = replace(ask_for_any_token(), attempt=1)
    put_request(run, early)
    stage.begin(run)
    over = until_over(run)
    assert over.state is State.STOPPED
    assert process_of(run).trainer is None
    assert not run.hello.exists()


def ask_for_any_token() -> ControlRequest:
    return ControlRequest(req_id="early", verb="stop", attempt=0, token="", by="test", at=time.time())


def test_suspended_trainer_is_woken_to_hear_the_stop(stage: Stage) -> None:
    run = stage.trainer()
    stage.begin(run)
    until_steps(run)
    os.kill(trainer_pid(run), signal.SIGSTOP)
    identity = identify(trainer_pid(run))
    assert identity is not None
    wait_until(lambda: is_stopped(identity), 5.0, "the suspension")
    ask(run, "stop")
    assert until_over(run).state is State.STOPPED


def test_workers_hear_nothing_of_a_stop_while_the_trainer_saves(stage: Stage) -> None:
    run = stage.trainer(step_s=0.5, forked=1)
    stage.begin(run)
    until_steps(run)
    ask(run, "stop")
    until_over(run)
    words = run.supervisor_log.read_text()
    assert words.count("SIGTERM to") == 1  # one worker, after the trainer's end
    assert f"SIGTERM to {trainer_pid(run)}" not in words


def test_command_gets_its_own_stop_signal_and_is_stopped_whatever_its_code(stage: Stage) -> None:
    run = stage.python(SAVES_ON_CTRL_C, stop_signal="SIGINT")
    stage.begin(run)
    until_said(run, "ready")
    ask(run, "stop")
    over = until_over(run)
    assert (over.state, over.code) == (State.STOPPED, 9)
    assert "saved" in run.log(1).read_text()


def test_command_hears_sigint_although_the_agent_ignores_it(stage: Stage) -> None:
    """A shell's background job ignores SIGINT, and so would everything that it starts."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        run = stage.python(SAVES_ON_CTRL_C, stop_signal="SIGINT")
        stage.begin(run)
    finally:
        signal.signal(signal.SIGINT, before)
    until_said(run, "ready")
    ask(run, "stop")
    until_over(run)
    assert "saved" in run.log(1).read_text()


def test_stop_without_a_deadline_waits_and_with_one_becomes_a_kill(stage: Stage) -> None:
    run = stage.python(DEAF)
    stage.begin(run)
    until_said(run, "deaf")
    ask(run, "stop", "patient")
    until(run, State.STOPPING)
    asked = time.monotonic()
    ask(run, "stop", "urgent", deadline_s=0.3)
    over = until_over(run)
    assert time.monotonic() - asked >= 0.3
    assert (over.state, over.signal) == (State.FAILED, 9)
    assert "deadline" in over.reason


def test_stop_in_restart_backoff_is_at_once(stage: Stage) -> None:
    run = stage.trainer(crash_before_step=[1], restart=Restart("on-failure", 5, 500.0))
    stage.begin(run)
    wait_until(lambda: "restart in" in record_of(run).reason, 10.0, "the backoff")
    ask(run, "stop")
    assert until_over(run).state is State.STOPPED
    assert record_of(run).attempt == 1, "the backoff of 500 s was not waited for"
    ack = read_ack(run, "req-1")
    assert ack is not None
    assert ack.checkpoint is None


def test_sigterm_to_the_supervisor_is_a_graceful_stop(stage: Stage) -> None:
    run = stage.trainer()
    supervisor = stage.begin(run)
    until_steps(run)
    os.kill(supervisor, signal.SIGTERM)
    over = until_over(run)
    assert over.state is State.STOPPED
    assert run.exit.exists()


def test_trainer_that_finishes_as_the_stop_comes_is_succeeded(stage: Stage) -> None:
    run = stage.trainer(steps=4, step_s=0.2)
    stage.begin(run)
    until_steps(run, 3)
    wait_until(lambda: run.exit.exists(), 10.0, "the end")
    ask(run, "stop")
    assert until_over(run).state is State.SUCCEEDED


def test_malformed_request_ends_no_supervisor(stage: Stage) -> None:
    run = stage.trainer(steps=40)
    stage.begin(run)
    until_steps(run)
    (run.control / "torn.json").write_text('{"req_id": "to')
    (run.control / "list.json").write_text("[1, 2]")
    until(run, State.RUNNING, State.SUCCEEDED)
    assert until_over(run).state is State.SUCCEEDED
