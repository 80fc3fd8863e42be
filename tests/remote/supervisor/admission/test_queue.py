"""Starts that wait for a device."""

from collections.abc import Callable
from pathlib import Path

import pytest

from remote.protocol.errors import CallError
from remote.session.session import Session, connect
from remote.supervisor.admission.queue import enqueue, start_next
from remote.supervisor.admission.waiting_line import waiting
from tests.remote.calling import call
from tests.remote.raw_agent import RawAgent
from tests.remote.scripts import BRIEF, noting, spec
from tests.waiting import wait_until
from trainer.run.home import open_home
from trainer.run.records import read_state


def state(home: Path, run_id: str) -> str:
    found = read_state(open_home(home).run(run_id))
    return str(found.state) if found else ""


def queued(session: Session, start_id: str, code: str = BRIEF) -> str:
    answer = call(session, "start", {"start_id": start_id, "spec": spec(code).to_json(), "queue": True})
    return str(answer["run_id"])


def test_a_start_waits_its_turn_and_the_ending_supervisor_starts_it(home: Path) -> None:
    with connect() as session:
        first = queued(session, "a", noting(home / "a"))
        second, third = queued(session, "b", noting(home / "b", BRIEF)), queued(session, "c")
        assert [state(home, run_id) for run_id in (first, second, third)] == ["running", "queued", "queued"]
        assert call(session, "status")["queue"] == [second, third]
        assert call(session, "run", {"run_id": second})["state"] == "queued"
        call(session, "stop", {"run_id": first, "req_id": "r1"})
    # The client and its agent are gone: what goes on, goes on by itself.
    wait_until(lambda: state(home, third) == "succeeded", 30.0, "the whole line to have run")
    assert state(home, second) == "succeeded"
    before, after = (read_state(open_home(home).run(run_id)) for run_id in (second, third))
    assert before is not None
    assert after is not None
    assert before.since < after.since
    assert waiting(open_home(home)) == []


def test_without_the_queue_a_held_device_is_busy(session: Session) -> None:
    owner = queued(session, "a", "import time; time.sleep(60)")
    with pytest.raises(CallError) as caught:
        call(session, "start", {"start_id": "b", "spec": spec().to_json(), "queue": False})
    assert (caught.value.code, caught.value.detail["run_id"]) == ("device_busy", owner)


def test_a_queued_start_asked_for_again_stays_one_entry(home: Path, session: Session) -> None:
    queued(session, "a", "import time; time.sleep(60)")
    one = spec()
    args = {"start_id": "b", "spec": one.to_json(), "queue": True}
    assert call(session, "start", args)["state"] == "queued"
    assert call(session, "start", args)["state"] == "queued"
    assert [entry.run_id for entry in waiting(open_home(home))] == [one.run_id]


def test_stop_of_a_queued_run_is_stopped_and_it_never_begins(home: Path, session: Session) -> None:
    first = queued(session, "a", "import time; time.sleep(60)")
    second = queued(session, "b", noting(home / "b", BRIEF))
    stopped = call(session, "stop", {"run_id": second, "req_id": "r1", "by": "Ada"})
    assert (stopped["state"], stopped["attempt"]) == ("stopped", 0)
    assert "Ada" in stopped["reason"]
    call(session, "kill", {"run_id": first, "req_id": "r2"})
    third = queued(session, "c")
    wait_until(lambda: state(home, third) == "succeeded", 20.0, "a later start")
    assert not (home / "b").exists()


def test_the_next_contact_starts_what_a_dead_supervisor_left_in_line(
    home: Path, raw_agent: Callable[..., RawAgent]
) -> None:
    agent = raw_agent()
    agent.greet()
    first = agent.ask("start", {"start_id": "a", "spec": spec(BRIEF).to_json()})["result"]["run_id"]
    wait_until(lambda: state(home, first) == "succeeded", 20.0, "the first run")
    agent.close()
    # As a supervisor that died before it could start the next would leave it.
    opened = open_home(home)
    with connect() as session:
        holder = queued(session, "h", "import time; time.sleep(60)")
        left = queued(session, "b")
        call(session, "kill", {"run_id": holder, "req_id": "k"})
    wait_until(lambda: state(home, left) == "succeeded", 20.0, "the run that was left in line")
    assert waiting(opened) == []


def test_debris_in_the_queue_holds_up_nobody(home: Path) -> None:
    opened = open_home(home)
    enqueue(opened, "gone-abcdef")
    (opened.queue_dir / "00000000-nonsense.json").write_text("{}")
    (opened.queue_dir / "readme.txt").write_text("hello")
    assert start_next(opened) == []
    assert [entry.run_id for entry in waiting(opened)] == ["nonsense"]
