"""Two clients, two SSH connections, one start id: one run."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from remote.protocol.errors import CallError
from tests.end_to_end.ssh.box import Box
from tests.remote.calling import call
from tests.remote.scripts import BRIEF, noting, spec
from tests.trials import trials
from tests.waiting import wait_until
from trainer.run.locks import is_free

BLOCKS, TRIALS = trials(1, 50), 20  # a fresh host for every 20 trials
Record = Callable[[str, object], None]


def race(*calls: Callable[[], Any]) -> list[Any]:
    """Each on its own thread, let loose together; an answer or a CallError of each."""
    gate, answers = threading.Barrier(len(calls)), [None] * len(calls)

    def run(place: int) -> None:
        gate.wait()
        try:
            answers[place] = calls[place]()
        except CallError as error:
            answers[place] = error  # type: ignore[call-overload]

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.mark.chaos
@pytest.mark.claim("racing starts by two clients over two SSH connections: one run a start id")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("block", range(BLOCKS))
def test_a_start_id_raced_for_over_two_connections_is_one_run(
    box: Box, tmp_path: Path, block: int, record_property: Record
) -> None:
    with box.session() as one, box.session() as other:
        assert len(box.sshd.session_pids()) >= 2
        for trial in range(TRIALS):
            count = tmp_path / f"count-{trial}"
            args = {"start_id": f"s{trial}", "spec": spec(noting(count, BRIEF)).to_json()}
            answers = race(lambda: call(one, "start", args), lambda: call(other, "start", args))  # noqa: B023
            ids = {answer["run_id"] for answer in answers if isinstance(answer, dict)}
            assert len(ids) == 1, answers
            box.wait_state(ids.pop(), "succeeded")
            assert count.read_bytes() == b"x"
            record_property("trials", trial + 1)
        assert len(call(one, "runs")["runs"]) == TRIALS
    box.wait_right()


@pytest.mark.chaos
@pytest.mark.claim("racing starts of two runs for one device: one winner, and the loser is told who")
@pytest.mark.timeout(1800)
def test_of_two_runs_for_one_device_one_wins_and_the_loser_is_told_who(
    box: Box, record_property: Record
) -> None:
    with box.session() as one, box.session() as other:
        for trial in range(trials(4, 200)):
            first, second = ({"start_id": f"{side}{trial}", "spec": spec().to_json()} for side in "ab")
            answers = race(lambda: call(one, "start", first), lambda: call(other, "start", second))  # noqa: B023
            winners = [answer for answer in answers if isinstance(answer, dict)]
            losers = [answer for answer in answers if isinstance(answer, CallError)]
            assert (len(winners), len(losers)) == (1, 1), answers
            assert losers[0].code == "device_busy"
            assert losers[0].detail["run_id"] == winners[0]["run_id"]
            call(one, "kill", {"run_id": winners[0]["run_id"], "req_id": f"k{trial}"})
            lock = Path(winners[0]["dir"]) / "lock"
            wait_until(lambda: is_free(lock), 20.0, "the lock to be free")  # noqa: B023
            record_property("trials", trial + 1)


def test_two_start_ids_are_two_runs(box: Box, tmp_path: Path) -> None:
    """The control: what the trials above count does tell one run from two."""
    count = tmp_path / "count"
    starts = [
        {"start_id": f"s{n}", "spec": spec(noting(count, BRIEF), shared_device=True).to_json()}
        for n in (1, 2)
    ]
    with box.session() as one, box.session() as other:
        answers = race(lambda: call(one, "start", starts[0]), lambda: call(other, "start", starts[1]))
        assert len({answer["run_id"] for answer in answers}) == 2
        wait_until(lambda: count.exists() and count.read_bytes() == b"xx", 20.0, "both")
