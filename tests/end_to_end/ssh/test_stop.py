"""A graceful stop whose link drops in the middle: stopped once, with the checkpoint that it proves."""

import os
import random
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from remote.actions import stop_run
from remote.actions.outcome import Outcome
from remote.session.session import Session
from tests.end_to_end.ssh.box import Box
from tests.remote.calling import call
from tests.trials import trials
from trainer.run.checkpoints.manifest import verify
from trainer.run.layout import new_run_id
from trainer.run.records import read_state
from trainer.run.run_errors import CheckpointError
from trainer.run.spec import RunSpec

BLOCKS, TRIALS = trials(1, 40), 5
MOST_S = 0.15
Record = Callable[[str, object], None]


def start_trainer(session: Session, start_id: str) -> str:
    """A run of the stub trainer, which hashes and seals its checkpoints as ours does."""
    one = RunSpec(
        run_id=new_run_id("stub"),
        name="stub",
        kind="trainer",
        device="cpu",
        config={"steps": 100_000, "every": 10, "step_s": 0.002},
    )
    answer = call(session, "start", {"start_id": start_id, "spec": one.to_json()}, 20.0)
    return str(answer["run_id"])


@pytest.mark.chaos
@pytest.mark.claim("graceful stop over a link that drops in the middle: checkpoint verified, state right")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("block", range(BLOCKS))
def test_a_stop_over_a_link_that_drops_is_stopped_with_its_checkpoint(
    box: Box, block: int, record_property: Record
) -> None:
    rng = random.Random(block)
    with box.session() as session:
        for trial in range(TRIALS):
            run_id = start_trainer(session, f"s{block}-{trial}")
            box.wait_state(run_id, "running")
            outcome = stopped_while(session, run_id, lambda: drop(box, rng))
            assert outcome.ok, outcome.message
            assert outcome.run is not None
            assert (outcome.run.state, outcome.run.attempt) == ("stopped", 1)
            last = outcome.run.last_checkpoint
            assert last is not None
            proved = verify(box.run(run_id).checkpoints / last.name)
            assert proved.step == last.step > 0
            state = read_state(box.run(run_id))
            assert state is not None
            assert state.state == "stopped"
            box.wait_right()
            record_property("trials", trial + 1)
    assert box.road.accepted > 1 + TRIALS // 2, "the link did drop"


def stopped_while(session: Session, run_id: str, happens: Callable[[], None]) -> Outcome:
    """Stop the run, and let something happen to the link meanwhile."""
    done: list[Any] = []
    asking = threading.Thread(target=lambda: done.append(stop_run(session, run_id, timeout=40.0)))
    asking.start()
    happens()
    asking.join()
    assert isinstance(done[0], Outcome)
    return done[0]


def drop(box: Box, rng: random.Random) -> None:
    """A cut, a death of sshd's session, or a silence, at any moment of the stop."""
    time.sleep(rng.uniform(0, MOST_S))  # the moment, not a wait for anything
    choice = rng.randrange(3)
    if choice == 0:
        box.road.cut()
    elif choice == 1:
        box.sshd.kill_sessions()
    else:
        box.road.pause()
        time.sleep(rng.uniform(0, 0.3))
        box.road.cut()
        box.road.resume()


def test_a_checkpoint_that_was_tampered_with_is_not_verified(box: Box) -> None:
    """The control: the verification of the trials sees one byte."""
    with box.session() as session:
        run_id = start_trainer(session, "s1")
        outcome = stop_run(session, run_id, timeout=20.0)
    assert outcome.run is not None
    assert outcome.run.last_checkpoint is not None
    folder = box.run(run_id).checkpoints / outcome.run.last_checkpoint.name
    weights = folder / "model.safetensors"
    weights.write_bytes(b"W" + weights.read_bytes()[1:])
    with pytest.raises(CheckpointError):
        verify(folder)


def test_a_trainer_that_is_killed_instead_is_not_called_stopped(box: Box) -> None:
    """The control: the state that the trials ask for is not what any ending gets."""
    with box.session() as session:
        run_id = start_trainer(session, "s1")
        box.wait_state(run_id, "running")
        trainer = box.record(run_id).trainer
        assert trainer is not None
        os.kill(trainer.pid, signal.SIGKILL)
        box.wait_state(run_id, "failed")
        assert not stop_run(session, run_id, timeout=20.0).ok
