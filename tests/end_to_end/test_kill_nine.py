"""kill -9 of each party at random moments: no stuck lock, nothing unsupervised, the same weights."""

import hashlib
import os
import random
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.conftest import Operator
from tests.trials import trials
from tests.waiting import wait_until
from trainer.run.checkpoints.manifest import verify
from trainer.run.locks import is_free

STEPS = trials(160, 400)
SETTINGS = ("log.every=1", "checkpoint.every=20", "eval.every=100", "checkpoint.keep_last=20")
TRIALS = trials(1, 20)


def final_weights(operator: Operator, run_id: str) -> str:
    checkpoint = operator.run_dir(run_id) / operator.show(run_id)["last_checkpoint"]["path"]
    assert verify(checkpoint).step == STEPS
    return hashlib.sha256((checkpoint / "model.safetensors").read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory, corpus: Path) -> str:
    """The weights of a run that nobody disturbed."""
    home = tmp_path_factory.mktemp("reference") / "home"
    operator = Operator(home, {**os.environ, "PHOTINUS_HOME": str(home), "OMP_NUM_THREADS": "1"})
    run_id = operator.start_tiny(corpus, *SETTINGS, steps=STEPS)["run_id"]
    wait_until(lambda: operator.state(run_id) == "succeeded", 60.0, "the run to end")
    return final_weights(operator, run_id)


def at_a_random_step(operator: Operator, corpus: Path, rng: random.Random, *words: str) -> str:
    """A run that has come to a random step, and is somewhere behind it by now."""
    run_id: str = operator.start_tiny(corpus, *SETTINGS, steps=STEPS, words=words)["run_id"]
    operator.wait_for_event(run_id, "metrics", step=rng.randrange(1, STEPS // 2))
    return run_id


def with_a_killed_trainer(operator: Operator, corpus: Path, rng: random.Random) -> str:
    """A run whose trainer was killed at a random step; one that had ended by then is left out."""
    for _ in range(5):
        run_id = at_a_random_step(operator, corpus, rng)
        with suppress(ProcessLookupError):
            os.kill(operator.process(run_id)["trainer"]["pid"], signal.SIGKILL)
        over = ("failed", "succeeded")
        wait_until(lambda: operator.state(run_id) in over, 20.0, "the supervisor to see its trainer die")  # noqa: B023
        if operator.state(run_id) == "failed":
            return run_id
    raise AssertionError("every run ended before its trainer could be killed")


def contact(operator: Operator, run_id: str) -> dict[str, Any]:
    """One agent contact, and what it makes of the run."""
    operator.do("ls")
    return operator.show(run_id)


def lock_is_free(operator: Operator, run_id: str) -> bool:
    return is_free(operator.run_dir(run_id) / "lock")


@pytest.mark.chaos
@pytest.mark.timeout(300)
@pytest.mark.parametrize("trial", range(TRIALS))
def test_a_killed_trainer_is_failed_and_its_resume_ends_in_the_same_weights(
    operator: Operator, corpus: Path, uninterrupted: str, trial: int
) -> None:
    run_id = with_a_killed_trainer(operator, corpus, random.Random(trial))
    shown = contact(operator, run_id)
    assert (shown["state"], shown["signal"]) == ("failed", 9)
    wait_until(lambda: lock_is_free(operator, run_id), 10.0, "the lock to be free")
    operator.do("resume", run_id)
    wait_until(lambda: operator.state(run_id) == "succeeded", 60.0, "the resumed run to end")
    assert operator.show(run_id)["state"] == "succeeded"
    assert final_weights(operator, run_id) == uninterrupted


@pytest.mark.chaos
@pytest.mark.timeout(300)
@pytest.mark.parametrize("trial", range(TRIALS))
def test_a_killed_supervisor_is_replaced_and_the_run_ends_in_the_same_weights(
    operator: Operator, corpus: Path, uninterrupted: str, trial: int
) -> None:
    run_id = at_a_random_step(operator, corpus, random.Random(100 + trial))
    before = operator.process(run_id)
    os.kill(before["supervisor"]["pid"], signal.SIGKILL)
    wait_until(lambda: lock_is_free(operator, run_id), 10.0, "the kernel to free the lock")
    contact(operator, run_id)
    # The trainer may have ended by itself meanwhile; what may not be is a trainer that nobody watches.
    wait_until(
        lambda: not lock_is_free(operator, run_id) or operator.state(run_id) == "succeeded",
        5.0,
        "an adopting supervisor",
    )
    wait_until(lambda: operator.state(run_id) == "succeeded", 60.0, "the adopted run to end")
    assert operator.process(run_id)["trainer"]["pid"] == before["trainer"]["pid"]
    assert final_weights(operator, run_id) == uninterrupted


@pytest.mark.chaos
@pytest.mark.timeout(300)
@pytest.mark.parametrize("trial", range(TRIALS))
def test_a_run_survives_its_agent_and_its_watcher(
    operator: Operator, corpus: Path, uninterrupted: str, trial: int
) -> None:
    run_id = at_a_random_step(operator, corpus, random.Random(200 + trial))
    watching = operator.argv("tail", "-f", run_id)
    survives(operator, run_id, watching, agent_of)
    survives(operator, run_id, watching, lambda watcher: watcher)
    wait_until(lambda: operator.state(run_id) == "succeeded", 60.0, "the run to end")
    assert final_weights(operator, run_id) == uninterrupted


def survives(operator: Operator, run_id: str, argv: list[str], victim_of: Callable[[int], int]) -> None:
    """Watch the run, kill the victim that belongs to the watcher, and see the run's processes untouched."""
    before = operator.process(run_id)
    with subprocess.Popen(
        argv, env=operator.env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as watcher:
        assert watcher.stdout is not None
        assert watcher.stdout.read(1)
        os.kill(victim_of(watcher.pid), signal.SIGKILL)
        watcher.terminate()
        watcher.stdout.close()
    shown = contact(operator, run_id)
    assert shown["state"] in ("running", "succeeded")
    assert operator.process(run_id)["supervisor"] == before["supervisor"]


def agent_of(client: int) -> int:
    """The pid of the agent that this client started."""
    tasks = Path(f"/proc/{client}/task").iterdir()  # the session's own thread is the parent
    children = [pid for task in tasks for pid in (task / "children").read_text().split()]
    found = [int(pid) for pid in children if b"remote.agent" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    assert found, f"no agent among the children of {client}: {children}"
    return found[0]
