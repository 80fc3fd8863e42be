"""A run that hangs is not only a lamp: it is ended and goes on from its newest checkpoint, if asked for."""

import json
from pathlib import Path
from typing import Any

import pytest

from remote.supervisor.stall import FLOOR_S, StallWatch, UsualPace, silence_of
from tests.remote.supervisor.stage import Stage, ask, until, until_over, until_said
from tests.trials import trials
from tests.waiting import wait_until
from trainer.run.layout import RunDir
from trainer.run.spec import Restart, RestartPolicy, RunSpec
from trainer.run.states import State

HANGS = Restart("on-failure", 3, 0.01, on_stall=0.5)


def hung(stage: Stage, how: str, restart: Restart = HANGS, **more: Any) -> RunDir:
    run = stage.trainer(steps=12, hangs=[1], how=how, restart=restart, **more)
    stage.begin(run)
    return run


@pytest.mark.timeout(900)
@pytest.mark.chaos
@pytest.mark.claim("a trainer held still, in a dead lock or in an endless loop goes on from its checkpoint")
@pytest.mark.parametrize("how", ["stop", "lock", "loop"])
def test_a_trainer_that_hangs_goes_on_from_its_newest_checkpoint(stage: Stage, how: str) -> None:
    for _ in range(trials(1, 20)):
        run = hung(stage, how)
        over = until_over(run, timeout=60.0)
        assert (over.state, over.attempt, over.restarts) == (State.SUCCEEDED, 2, 1), over
        assert over.resume_from in ("step-00000005", "step-00000006", "step-00000007", "step-00000012")
        said = run.supervisor_log.read_text()
        assert "stalled: no step for" in said
        stacks = (run.path / "stacks-001.txt").read_text()
        assert "thread" in stacks
        assert "stub_trainer.py" in stacks or "python" in stacks


def test_control_without_the_policy_nothing_is_ended(stage: Stage) -> None:
    run = hung(stage, "lock", Restart("on-failure", 3, 0.01, on_stall=0.0))
    other = stage.trainer(steps=12, hangs=[1], how="loop", restart=Restart("never", on_stall=0.5))
    assert silence_of(RunSpec(**spec_words("trainer", "never", 0.5))) is None
    until(run, State.RUNNING)
    wait_until(lambda: run.events.exists() and run.events.read_bytes().count(b"\n") >= 6, 10.0, "its steps")
    assert not (run.path / "stacks-001.txt").exists()
    ask(run, "kill")
    assert until_over(run).attempt == 1
    assert not other.state.exists()


def test_an_operators_stop_of_a_stalled_run_is_obeyed_and_not_followed_by_a_restart(stage: Stage) -> None:
    run = hung(stage, "lock", Restart("on-failure", 3, 60.0, on_stall=0.5))
    wait_until(lambda: (run.path / "stacks-001.txt").exists(), 20.0, "the stall")
    ask(run, "kill")
    over = until_over(run)
    assert (over.state, over.attempt) == (State.FAILED, 1)


def test_a_run_that_hangs_at_every_turn_spends_its_restarts(stage: Stage) -> None:
    run = stage.trainer(
        steps=50, hangs=[1, 2, 3], how="loop", restart=Restart("on-failure", 1, 0.01, on_stall=0.4)
    )
    stage.begin(run)
    over = until_over(run, timeout=60.0)
    assert (over.state, over.attempt) == (State.FAILED, 2)
    assert "stalled: no step" in over.reason
    assert "given up" in over.reason


def test_a_silent_command_is_ended_only_where_a_time_was_given(stage: Stage) -> None:
    code = "import time\nprint('begun', flush=True)\ntime.sleep(120)"
    run = stage.python(code, resume_argv=("true",), restart=Restart("on-failure", 1, 0.01, on_stall=0.4))
    stage.begin(run)
    over = until_over(run)
    assert (over.state, over.attempt) == (State.SUCCEEDED, 2)
    assert "no output for" in run.supervisor_log.read_text()
    silent = stage.python(code, restart=Restart("on-failure", 1, 0.01))
    stage.begin(silent)
    until_said(silent, "begun")
    assert silence_of(RunSpec(**spec_words("command", "on-failure", None))) is None
    until(silent, State.RUNNING)
    ask(silent, "kill")
    until_over(silent)


def spec_words(kind: str, policy: RestartPolicy, on_stall: float | None) -> dict[str, Any]:
    return {
        "run_id": "pure-aaaaaa",
        "name": "pure",
        "kind": kind,
        "device": "cpu",
        "restart": Restart(policy, on_stall=on_stall),
    }


@pytest.mark.parametrize(
    ("kind", "policy", "on_stall", "silence"),
    [
        ("trainer", "on-failure", None, FLOOR_S),
        ("trainer", "on-failure", 30.0, 30.0),
        ("trainer", "on-failure", 0.0, None),
        ("trainer", "never", None, None),
        ("command", "always", None, None),
        ("command", "always", 30.0, 30.0),
    ],
)
def test_whose_stall_is_a_failure(
    kind: str, policy: RestartPolicy, on_stall: float | None, silence: float | None
) -> None:
    assert silence_of(RunSpec(**spec_words(kind, policy, on_stall))) == silence


def event(kind: str, t: float, **more: Any) -> dict[str, Any]:
    return {"type": kind, "attempt": 1, "t": t, **more}


def test_what_is_usual_is_learnt_from_the_run() -> None:
    pace = UsualPace(FLOOR_S)
    pace.hear(event("state", 0.0, phase="compiling"))
    assert pace.timeouts() == 6 * FLOOR_S  # nobody knows yet how long it takes
    pace.hear(event("state", 1000.0, phase="training"))
    for step in range(5):
        pace.hear(event("metrics", 1000.0 + 90.0 * step, step=step))
    assert pace.timeouts() == 900.0  # ten rows of 90 s
    pace.hear(event("state", 2000.0, phase="evaluating"))
    pace.hear(event("state", 2700.0, phase="training"))
    assert pace.timeouts() == 900.0
    pace.hear(event("state", 3000.0, phase="evaluating"))
    assert pace.timeouts() == 2100.0  # three times the longest one that was seen


def test_a_row_of_a_step_that_was_done_is_no_sign_of_life() -> None:
    pace = UsualPace(FLOOR_S)
    assert pace.hear(event("metrics", 1.0, step=4))
    assert not pace.hear(event("metrics", 2.0, step=4))
    assert not pace.hear(event("note", 3.0, message="still here"))
    assert pace.hear(event("metrics", 4.0, step=2) | {"attempt": 2})  # another attempt begins earlier


def test_an_attempt_that_has_not_stepped_yet_has_the_time_that_a_start_needs() -> None:
    pace = UsualPace(FLOOR_S, attempt=2)
    for step in range(5):
        pace.hear(event("metrics", float(step), step=step))
    assert pace.timeouts() == 6 * FLOOR_S
    pace.hear(event("metrics", 9.0, step=2) | {"attempt": 2})
    assert pace.timeouts() == FLOOR_S


def test_time_in_which_nobody_looked_accuses_nobody(tmp_path: Path) -> None:
    """A suspended machine, a supervisor that was starved: both slept."""
    now = [1000.0]
    run = RunDir(tmp_path / "pure-aaaaaa").create()
    run.events.write_text("".join(json.dumps(event("metrics", t, step=t)) + "\n" for t in range(9)))
    watch = StallWatch(RunSpec(**spec_words("trainer", "on-failure", None)), run, 1, clock=lambda: now[0])
    assert watch.look() == ""
    now[0] += 86_400.0
    assert watch.look() == ""
    off = StallWatch(RunSpec(**spec_words("trainer", "on-failure", 0.0)), run, 1, clock=lambda: now[0])
    said = ""
    for _ in range(200):  # the control: looked at all the time, and silent
        now[0] += 5.0
        said = said or watch.look()
        assert off.look() == ""
    assert said.startswith("stalled: no step for")
