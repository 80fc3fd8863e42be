"""A start happens once for each start id, whoever races and whatever dies in between."""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from remote.agent.context import Context
from remote.agent.desk import as_call_error
from remote.agent.starting import check_host, start
from remote.errors import CallError
from remote.session import Session
from remote.supervisor.spawn import spawn_supervisor
from tests.remote.driving import drive, ended
from tests.remote.raw_agent import RawAgent
from tests.remote.scripts import BRIEF, noting, spec
from tests.trials import trials
from tests.waiting import wait_until
from trainer.run.errors import RunError
from trainer.run.home import Home, open_home
from trainer.run.locks import Flock, is_free
from trainer.run.records import claim_start, read_state, write_spec
from trainer.run.states import State

Agents = Callable[..., RawAgent]


def test_two_starts_of_one_run_with_two_ids_are_told_of_each_other(session: Session, second: Session) -> None:
    same = spec(by="Ada").to_json()
    winner = session.call("start", {"start_id": "s1", "spec": same})
    with pytest.raises(CallError) as caught:
        second.call("start", {"start_id": "s2", "spec": same})
    assert caught.value.code == "already_running"
    assert caught.value.detail["who"] == "Ada"
    assert caught.value.detail["since"] == winner["since"]


def test_second_start_with_same_id_returns_first_answer(session: Session) -> None:
    first = session.call("start", {"start_id": "s1", "spec": spec().to_json()})
    again = session.call("start", {"start_id": "s1", "spec": spec().to_json()})
    assert (again["run_id"], again["attempt"], again["pid"]) == (first["run_id"], 1, first["pid"])


def test_a_finished_runs_start_id_answers_with_how_it_ended(session: Session) -> None:
    args = {"start_id": "s1", "spec": spec(BRIEF).to_json()}
    run_id = session.call("start", args)["run_id"]
    ended(session, run_id)
    again = session.call("start", args)
    assert (again["state"], again["attempt"]) == ("succeeded", 1)


class TestAStartRecordWhoseAgentDied:
    """Each point at which it may have died, made by hand."""

    @pytest.fixture
    def opened(self, home: Path) -> Home:
        return open_home(home)

    def carry_on(self, session: Session, args: dict[str, Any], count: Path) -> None:
        answer = session.call("start", args)
        assert answer["run_id"] == args["spec"]["run_id"]
        ended(session, answer["run_id"])
        assert count.read_bytes() == b"x"

    def test_after_the_record(self, opened: Home, session: Session, tmp_path: Path) -> None:
        one = spec(noting(tmp_path / "count", BRIEF))
        claim_start(opened.starts_dir, "s1", one.run_id, 1)
        self.carry_on(session, {"start_id": "s1", "spec": one.to_json()}, tmp_path / "count")

    def test_after_the_spec(self, opened: Home, session: Session, tmp_path: Path) -> None:
        one = spec(noting(tmp_path / "count", BRIEF))
        claim_start(opened.starts_dir, "s1", one.run_id, 1)
        write_spec(opened.run(one.run_id).create(), one)
        self.carry_on(session, {"start_id": "s1", "spec": one.to_json()}, tmp_path / "count")

    def test_after_the_state(
        self, opened: Home, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        one = spec(noting(tmp_path / "count", BRIEF))
        args = {"start_id": "s1", "spec": one.to_json(), "queue": False}

        class Died(BaseException):
            """Where a kill -9 would have come."""

        def die(*_: object, **__: object) -> int:
            raise Died

        monkeypatch.setattr("remote.agent.launch.spawn_supervisor", die)
        with pytest.raises(Died):
            drive(start(Context.of(opened), args))
        monkeypatch.setattr("remote.agent.launch.spawn_supervisor", spawn_supervisor)
        state = read_state(opened.run(one.run_id))
        assert state is not None
        assert state.state is State.STARTING
        self.carry_on(session, args, tmp_path / "count")


def test_a_start_id_is_not_lent_to_another_run(home: Path, session: Session) -> None:
    claim_start(open_home(home).starts_dir, "s1", "other-abcdef", 1)
    with pytest.raises(CallError, match="already used") as caught:
        session.call("start", {"start_id": "s1", "spec": spec().to_json()})
    assert caught.value.code == "refused"


def test_a_failed_spawn_is_a_failed_run_that_says_why(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> int:
        raise OSError("out of processes")

    monkeypatch.setattr("remote.agent.launch.spawn_supervisor", fail)
    answer = drive(
        start(Context.of(open_home(home)), {"start_id": "s1", "spec": spec().to_json(), "queue": False})
    )
    assert answer["state"] == "failed"
    assert "out of processes" in answer["reason"]
    assert is_free(home / "devices" / "cpu.lock")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"device": "tpu"}, "bad_request"),
        ({"run_id": "../x"}, "bad_request"),
        ({"argv": []}, "bad_request"),
        ({"mood": "fine"}, "bad_request"),
        ({"cwd": "/no/such/folder"}, "refused"),
        ({"env_hash": "0" * 16}, "need_deploy"),
        ({"kind": "trainer", "config": {"steps": 0}}, "refused"),
    ],
)
def test_what_cannot_run_is_refused_and_leaves_nothing(
    home: Path, changes: dict[str, Any], code: str
) -> None:
    opened = open_home(home)
    with pytest.raises((CallError, RunError)) as caught:
        drive(
            start(Context.of(opened), {"start_id": "s1", "spec": spec().to_json() | changes, "queue": False})
        )
    assert as_call_error(caught.value).code == code
    assert opened.runs() == []
    assert not list(opened.starts_dir.iterdir())


def test_a_nearly_full_disk_is_refused_with_its_numbers_and_one_with_room_is_not(home: Path) -> None:
    ctx = Context.of(open_home(home))
    args = {"start_id": "s1", "spec": spec(BRIEF).to_json(), "queue": False}
    ctx.disk_free = lambda _: 1000
    with pytest.raises(CallError) as caught:
        drive(start(ctx, args))
    assert (caught.value.code, caught.value.detail["free"]) == ("disk_low", 1000)
    ctx.disk_free = lambda _: 1 << 30
    assert drive(start(ctx, args))["run_id"]


@pytest.mark.chaos
@pytest.mark.timeout(900)
def test_lock_probes_make_no_start_fail(home: Path) -> None:
    opened = open_home(home)
    ctx = Context.of(opened)
    done = threading.Event()
    probed = [0]

    def probe() -> None:
        while not done.is_set():
            for path in [*opened.devices_dir.iterdir(), *(run.lock for run in opened.runs())]:
                is_free(path)
                probed[0] += 1

    prober = threading.Thread(target=probe)
    prober.start()
    try:
        for trial in range(trials(4, 25)):
            one = spec(BRIEF)
            answer = drive(start(ctx, {"start_id": f"s{trial}", "spec": one.to_json(), "queue": False}))
            run = opened.run(answer["run_id"])
            wait_until(lambda: (state := read_state(run)) and state.is_terminal, 20.0, "its end")  # noqa: B023
            wait_until(lambda: is_free(run.lock), 20.0, "its lock")  # noqa: B023
    finally:
        done.set()
        prober.join()
    assert probed[0] > trials(200, 5000)


def test_a_device_held_by_no_run_of_ours_is_busy_and_free_again_is_not(home: Path, session: Session) -> None:
    with Flock(home / "devices" / "cpu.lock") as stranger:
        assert stranger.take()
        with pytest.raises(CallError) as caught:
            session.call("start", {"start_id": "s1", "spec": spec(BRIEF).to_json()})
        assert (caught.value.code, caught.value.detail["run_id"]) == ("device_busy", None)
    assert session.call("start", {"start_id": "s1", "spec": spec(BRIEF).to_json()})["run_id"]


def test_a_shared_device_takes_no_lock(session: Session) -> None:
    session.call("start", {"start_id": "s1", "spec": spec().to_json()})
    shared = session.call("start", {"start_id": "s2", "spec": spec(shared_device=True).to_json()})
    assert shared["state"] == "running"


def test_a_second_cockpit_sees_the_run_and_ends_it(session: Session, second: Session) -> None:
    run_id = session.call("start", {"start_id": "s1", "spec": spec().to_json()})["run_id"]
    assert [run["run_id"] for run in second.call("runs")["runs"]] == [run_id]
    second.call("stop", {"run_id": run_id, "req_id": "r1", "by": "Bob"})
    seen = session.wait_run(run_id, lambda run: run.is_terminal, 20.0)
    assert seen is not None
    assert seen.state == "stopped"


def test_a_start_that_names_a_program_that_does_not_exist_is_a_failed_run(session: Session) -> None:
    one = spec().to_json() | {"argv": ["/no/such/program"]}
    run_id = session.call("start", {"start_id": "s1", "spec": one})["run_id"]
    wait_until(lambda: session.call("run", {"run_id": run_id})["state"] == "failed", 20.0, "failed")


def test_a_trainer_run_is_refused_where_nothing_can_train_and_a_command_is_not(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ctx = Context.of(open_home(home))
    trainer = replace(spec(BRIEF), kind="trainer", config={"steps": 3})
    check_host(ctx, trainer, 0)
    monkeypatch.setattr("remote.agent.starting.missing_for_training", lambda: ["torch"])
    with pytest.raises(CallError, match="torch is missing") as caught:
        check_host(ctx, trainer, 0)
    assert (caught.value.code, caught.value.exit_code) == ("need_deploy", 3)
    assert "photinus[train]" in caught.value.remedy
    check_host(ctx, spec(BRIEF), 0)
