"""Racing starts, and agents that die in the middle of one: one run, one holder of the device."""

import random
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from remote.protocol.errors import CallError
from remote.session.session import Session
from tests.remote.calling import call
from tests.remote.driving import ended
from tests.remote.raw_agent import RawAgent
from tests.remote.scripts import BRIEF, noting, spec
from tests.trials import trials
from tests.waiting import wait_until
from trainer.run.locks import is_free

Agents = Callable[..., RawAgent]


def race(*calls: Callable[[], dict[str, Any]]) -> list[dict[str, Any] | CallError]:
    """All calls at once, each from its own thread."""
    gate = threading.Barrier(len(calls))
    answers: list[dict[str, Any] | CallError] = [{} for _ in calls]

    def run(place: int) -> None:
        gate.wait()
        try:
            answers[place] = calls[place]()
        except CallError as error:
            answers[place] = error

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.mark.chaos
@pytest.mark.timeout(900)
def test_two_racing_starts_with_one_id_make_one_run(
    session: Session, second: Session, tmp_path: Path
) -> None:
    for trial in range(trials(3, 100)):
        count = tmp_path / f"count-{trial}"
        args = {"start_id": f"s{trial}", "spec": spec(noting(count, BRIEF)).to_json()}
        answers = race(lambda: call(session, "start", args), lambda: call(second, "start", args))  # noqa: B023
        ids = {answer["run_id"] for answer in answers if isinstance(answer, dict)}
        assert len(ids) == 1, answers
        ended(session, ids.pop())
        assert count.read_bytes() == b"x"


@pytest.mark.chaos
@pytest.mark.timeout(900)
def test_of_two_racing_starts_with_two_ids_one_holds_the_device_and_the_loser_is_told_who(
    session: Session, second: Session
) -> None:
    for trial in range(trials(3, 100)):
        first, other = ({"start_id": f"{side}{trial}", "spec": spec().to_json()} for side in "ab")
        answers = race(lambda: call(session, "start", first), lambda: call(second, "start", other))  # noqa: B023
        winners = [answer for answer in answers if isinstance(answer, dict)]
        losers = [answer for answer in answers if isinstance(answer, CallError)]
        assert (len(winners), len(losers)) == (1, 1), answers
        assert losers[0].code == "device_busy"
        assert losers[0].detail["run_id"] == winners[0]["run_id"]
        call(session, "kill", {"run_id": winners[0]["run_id"], "req_id": f"k{trial}"})
        lock = Path(winners[0]["dir"]) / "lock"
        wait_until(lambda: is_free(lock), 20.0, "the lock to be free")  # noqa: B023


@pytest.mark.chaos
@pytest.mark.timeout(900)
def test_kill_9_of_the_agent_mid_verb_and_the_same_start_id_again_is_one_run(
    raw_agent: Agents, tmp_path: Path
) -> None:
    rng = random.Random(7)
    for trial in range(trials(4, 100)):
        count = tmp_path / f"count-{trial}"
        args = {"start_id": f"s{trial}", "spec": spec(noting(count, BRIEF)).to_json()}
        agent = raw_agent()
        agent.greet()
        agent.say("start", args)
        time.sleep(rng.uniform(0, 0.06))  # the moment of death, not a wait for anything
        agent.kill()
        agent = raw_agent()
        agent.greet()
        answer = agent.ask("start", args)["result"]
        assert answer["attempt"] == 1
        run_id = answer["run_id"]
        while agent.ask("run", {"run_id": run_id})["result"]["state"] != "succeeded":
            pass
        assert count.read_bytes() == b"x"
        assert len(agent.ask("runs")["result"]["runs"]) == trial + 1
