"""Restarts: from the newest valid checkpoint, counted, never for what an operator ended."""

import sys
from pathlib import Path

import pytest

from remote.supervisor.admission.reconcile import retry_after_loss
from remote.supervisor.attempt_outcome import NO_STEPS, AttemptOutcome
from remote.supervisor.restart_policy import retry_for
from tests.remote.supervisor.stage import (
    Stage,
    ask,
    faulty,
    is_gone,
    process_of,
    record_of,
    until_over,
    until_spawned,
)
from tests.waiting import wait_until
from trainer.run.spec import Restart, RestartPolicy, RunSpec
from trainer.run.states import State

QUICK = 0.01


def spec_with(policy: RestartPolicy, maximum: int = 3, kind: str = "trainer") -> RunSpec:
    return RunSpec(
        run_id="pure-aaaaaa",
        name="pure",
        kind="command" if kind == "command" else "trainer",
        device="cpu",
        restart=Restart(policy, maximum, 5.0),
    )


FAILED = AttemptOutcome(State.FAILED, "exit code 1", 1)


def test_crashed_trainer_continues_from_its_newest_checkpoint(stage: Stage) -> None:
    run = stage.trainer(steps=30, crash_after_step=[1], restart=Restart("on-failure", 3, QUICK))
    stage.begin(run)
    over = until_over(run)
    assert (over.state, over.attempt, over.restarts) == (State.SUCCEEDED, 2, 1)
    assert over.resume_from == "step-00000005"
    assert "attempt 2 from step-00000005" in run.log(2).read_text()


def test_torn_checkpoint_is_passed_over_by_a_restart(stage: Stage) -> None:
    run = stage.trainer(steps=30, crash_after_step=[1], restart=Restart("on-failure", 3, 0.5))
    torn = run.checkpoints / "step-00000099"
    torn.mkdir()
    (torn / "state.json").write_text(
        '{"step": 99, "files": {"model.safetensors": {"bytes": 3, "sha256": "0"}}}'
    )
    stage.begin(run)
    assert until_over(run).resume_from == "step-00000005"
    assert "passed over: step-00000099" in run.supervisor_log.read_text()


def test_attempt_that_dies_before_its_first_step_counts_double(stage: Stage) -> None:
    run = stage.trainer(crash_before_step=[1, 2, 3, 4, 5], restart=Restart("on-failure", 4, QUICK))
    stage.begin(run)
    over = until_over(run)
    assert (over.state, over.attempt, over.restarts) == (State.FAILED, 3, 4)


def test_attempt_that_makes_steps_counts_once(stage: Stage) -> None:
    """The control of the test above: the same policy allows twice the attempts."""
    run = stage.trainer(crash_after_step=[1, 2, 3, 4, 5], restart=Restart("on-failure", 4, QUICK))
    stage.begin(run)
    over = until_over(run)
    assert (over.state, over.attempt, over.restarts) == (State.FAILED, 5, 4)


def test_command_is_restarted_with_its_resume_command(stage: Stage, tmp_path: Path) -> None:
    run = stage.command(
        *(sys.executable, "-c", "raise SystemExit(1)"),
        resume_argv=(sys.executable, "-c", "print('resumed')"),
        restart=Restart("on-failure", 1, QUICK),
    )
    stage.begin(run)
    over = until_over(run)
    assert (over.state, over.attempt) == (State.SUCCEEDED, 2)
    assert "resumed" in run.log(2).read_text()


def test_request_that_crosses_a_restart_is_obeyed(stage: Stage) -> None:
    run = stage.trainer(crash_before_step=[1], restart=Restart("on-failure", 9, QUICK))
    stage.begin(run)
    until_spawned(run)
    ask(run, "stop")  # of attempt 1, which may be over by now
    assert until_over(run).state in (State.STOPPED, State.FAILED)
    assert process_of(run).attempt <= 2


@pytest.mark.parametrize(
    ("policy", "outcome", "asked", "again"),
    [
        ("never", FAILED, False, False),
        ("on-failure", FAILED, False, True),
        ("on-failure", FAILED, True, False),
        ("on-failure", AttemptOutcome(State.FAILED, "bad key", 2), False, False),
        ("on-failure", AttemptOutcome(State.FAILED, "refused", 3), False, False),
        ("on-failure", AttemptOutcome(State.FAILED, NO_STEPS, 0), False, False),
        ("on-failure", AttemptOutcome(State.STOPPED, ""), False, False),
        ("on-failure", AttemptOutcome(State.SUCCEEDED, "", 0), False, False),
        ("on-failure", AttemptOutcome(State.DIED_REBOOT, ""), False, True),
        ("always", AttemptOutcome(State.STOPPED, ""), False, True),
        ("always", AttemptOutcome(State.STOPPED, ""), True, False),
        ("always", AttemptOutcome(State.SUCCEEDED, "", 0), False, False),
    ],
)
def test_who_is_tried_again(policy: RestartPolicy, outcome: AttemptOutcome, asked: bool, again: bool) -> None:
    retry = retry_for(spec_with(policy), outcome, asked=asked, progressed=True, spent=0, cap_s=300.0)
    assert (retry is not None) is again


def test_always_restarts_a_command_that_ended_well() -> None:
    done = AttemptOutcome(State.SUCCEEDED, "", 0)
    spec = spec_with("always", kind="command")
    assert retry_for(spec, done, asked=False, progressed=True, spent=0, cap_s=300.0)


def test_backoff_doubles_up_to_its_cap() -> None:
    spec = spec_with("on-failure", 99)
    delays = []
    for spent in range(8):
        retry = retry_for(spec, FAILED, asked=False, progressed=True, spent=spent, cap_s=100.0)
        assert retry is not None
        delays.append(retry.delay_s)
    assert delays == [5.0, 10.0, 20.0, 40.0, 80.0, 100.0, 100.0, 100.0]


@pytest.mark.parametrize(("verb", "wanted"), [("", True), ("stop", False), ("kill", False)])
def test_lost_run_is_wanted_again_unless_an_operator_had_asked(stage: Stage, verb: str, wanted: bool) -> None:
    run = stage.trainer(restart=Restart("on-failure", 3, QUICK))
    supervisor = stage.begin(run, program=faulty("dying", "after the token"))
    wait_until(lambda: is_gone(supervisor), 10.0, "its death")
    if verb:
        ask(run, verb)
    assert stage.contact(run).state is State.DIED
    retry = retry_after_loss(run)
    assert (retry is not None) is wanted
    assert retry is None or retry.spent == 2


def test_what_cannot_be_helped_is_not_tried_again_and_says_so(stage: Stage) -> None:
    run = stage.trainer(fails_at=7, hopeless=True, restart=Restart("on-failure", 3, QUICK))
    stage.begin(run)
    over = until_over(run)
    assert (over.state, over.attempt) == (State.FAILED, 1)
    assert over.reason == "boom (exit code 1); not tried again, as it would end so again"


def test_the_same_failure_at_the_same_step_twice_is_the_last(stage: Stage) -> None:
    run = stage.trainer(fails_at=7, restart=Restart("on-failure", 9, QUICK))
    stage.begin(run)
    over = until_over(run)
    assert (over.attempt, "would end so again" in over.reason) == (2, True)


def test_a_restart_policy_that_gives_up_says_so(stage: Stage) -> None:
    run = stage.command("true", restart=Restart("always", 1, QUICK))
    stage.begin(run)
    over = until_over(run)
    assert (over.state, over.attempt) == (State.SUCCEEDED, 2)
    assert over.reason == "given up: its restarts are spent (--max-restarts is 1)"


def test_a_stop_between_two_attempts_does_not_say_that_it_never_ran(stage: Stage) -> None:
    run = stage.python("raise SystemExit(1)", restart=Restart("on-failure", 3, 60.0))
    stage.begin(run)
    wait_until(lambda: "restart in" in record_of(run).reason, 20.0, "the backoff")
    ask(run, "stop")
    over = until_over(run)
    assert over.state is State.STOPPED
    assert over.reason.endswith("while it waited to be started again")


@pytest.mark.parametrize(
    ("spent", "lived_s", "again"),
    [(3, 0.0, False), (3, 3599.0, False), (3, 3600.0, True), (9, 86_400.0, True)],
)
def test_failures_are_forgotten_while_it_goes_well(spent: int, lived_s: float, again: bool) -> None:
    retry = retry_for(
        spec_with("on-failure"),
        FAILED,
        asked=False,
        progressed=True,
        spent=spent,
        cap_s=60.0,
        lived_s=lived_s,
    )
    assert (retry is not None) is again


@pytest.mark.parametrize(("code", "again"), [(1, True), (126, False), (127, False)])
def test_a_program_that_cannot_be_executed_is_not_tried_again(code: int, again: bool) -> None:
    retry = retry_for(
        spec_with("on-failure", kind="command"),
        AttemptOutcome(State.FAILED, f"exit code {code}", code),
        asked=False,
        progressed=True,
        spent=0,
        cap_s=60.0,
    )
    assert (retry is not None) is again
