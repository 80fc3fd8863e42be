"""A start happens once for each start id, whoever races and whatever dies in between."""

import json
import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from remote.actions import start_run
from remote.agent.context import Context
from remote.agent.error_answers import as_call_error
from remote.agent.starts.program_check import demand_program
from remote.agent.starts.start import check_host, start
from remote.protocol.arguments import StartArgs
from remote.protocol.errors import CallError
from remote.readings.devices import devices
from remote.session.session import Session
from remote.supervisor.admission.spawn import spawn_supervisor
from tests.remote.calling import args_of, call
from tests.remote.driving import drive, ended
from tests.remote.raw_agent import RawAgent
from tests.remote.scripts import BRIEF, QUIET, argv, noting, request, spec
from tests.trials import trials
from tests.waiting import wait_until
from trainer.run.home import Home, open_home
from trainer.run.locks import Flock, is_free
from trainer.run.records import claim_start, read_state, write_spec
from trainer.run.run_errors import RunError
from trainer.run.states import State

Agents = Callable[..., RawAgent]
HELLO = (
    "import json, os, sys, time\n"
    "e = os.environ\n"
    "word = {'attempt': int(e['PHOTINUS_ATTEMPT']), 'token': e['PHOTINUS_RUN_TOKEN'], 'pid': os.getpid()}\n"
    "path = e['PHOTINUS_RUN_DIR'] + '/hello.json'\n"
    "open(path + '.new', 'w').write(json.dumps(word))\n"
    "os.rename(path + '.new', path)\n"
    "time.sleep(120)"
)


def test_two_starts_of_one_run_with_two_ids_are_told_of_each_other(session: Session, second: Session) -> None:
    same = spec(by="Ada").to_json()
    winner = call(session, "start", {"start_id": "s1", "spec": same})
    with pytest.raises(CallError) as caught:
        call(second, "start", {"start_id": "s2", "spec": same})
    assert caught.value.code == "already_running"
    assert caught.value.detail["who"] == "Ada"
    assert caught.value.detail["since"] == winner["since"]


def test_second_start_with_same_id_returns_first_answer(session: Session) -> None:
    first = call(session, "start", {"start_id": "s1", "spec": spec().to_json()})
    again = call(session, "start", {"start_id": "s1", "spec": spec().to_json()})
    assert (again["run_id"], again["attempt"], again["pid"]) == (first["run_id"], 1, first["pid"])


def test_a_finished_runs_start_id_answers_with_how_it_ended(session: Session) -> None:
    args = {"start_id": "s1", "spec": spec(BRIEF).to_json()}
    run_id = call(session, "start", args)["run_id"]
    ended(session, run_id)
    again = call(session, "start", args)
    assert (again["state"], again["attempt"]) == ("succeeded", 1)


class TestAStartRecordWhoseAgentDied:
    """Each point at which it may have died, made by hand."""

    @pytest.fixture
    def opened(self, home: Path) -> Home:
        return open_home(home)

    def carry_on(self, session: Session, args: dict[str, Any], count: Path) -> None:
        answer = call(session, "start", args)
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

        monkeypatch.setattr("remote.supervisor.admission.admit.spawn_supervisor", die)
        with pytest.raises(Died):
            drive(start(Context.of(opened), args_of("start", args)))
        monkeypatch.setattr("remote.supervisor.admission.admit.spawn_supervisor", spawn_supervisor)
        state = read_state(opened.run(one.run_id))
        assert state is not None
        assert state.state is State.STARTING
        self.carry_on(session, args, tmp_path / "count")


def test_a_start_id_is_not_lent_to_another_run(home: Path, session: Session) -> None:
    claim_start(open_home(home).starts_dir, "s1", "other-abcdef", 1)
    with pytest.raises(CallError, match="already used") as caught:
        call(session, "start", {"start_id": "s1", "spec": spec().to_json()})
    assert caught.value.code == "refused"


def test_a_name_that_is_another_runs_id_is_refused(session: Session) -> None:
    """Whoever typed it would mean either: a whole id always wins, and no name would reach the second."""
    first = spec(BRIEF)
    call(session, "start", {"start_id": "s1", "spec": first.to_json()})
    second = replace(spec(BRIEF, shared_device=True), name=first.run_id)
    with pytest.raises(CallError, match="is the id of another run") as caught:
        call(session, "start", {"start_id": "s2", "spec": second.to_json()})
    assert "--name" in caught.value.remedy
    call(session, "start", {"start_id": "s2", "spec": replace(second, name=second.run_id).to_json()})


def test_a_failed_spawn_is_a_failed_run_that_says_why(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> int:
        raise OSError("out of processes")

    monkeypatch.setattr("remote.supervisor.admission.admit.spawn_supervisor", fail)
    answer = drive(
        start(
            Context.of(open_home(home)),
            StartArgs(start_id="s1", spec=spec().to_json()),
        )
    )
    assert answer["state"] == "failed"
    assert "out of processes" in answer["reason"]
    assert is_free(home / "devices" / "cpu.lock")


def test_a_supervisor_that_gives_up_at_once_is_told_with_its_last_line(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It had the locks, and wrote no state: nobody waits for a word that never comes."""
    ctx = Context.of(open_home(home))
    args = StartArgs(start_id="s1", spec=spec(BRIEF).to_json())
    monkeypatch.setenv("PHOTINUS_PATIENCE", "[")
    with pytest.raises(CallError, match=r"ended before it began: .*PHOTINUS_PATIENCE must be") as caught:
        drive(start(ctx, args))
    assert "supervisor.log" in caught.value.remedy
    monkeypatch.setenv("PHOTINUS_PATIENCE", "{}")
    assert drive(start(ctx, args))["state"] in ("running", "succeeded"), "the same start is carried out"


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
            start(
                Context.of(opened),
                StartArgs(start_id="s1", spec=spec().to_json() | changes),
            )
        )
    assert as_call_error(caught.value).code == code
    assert opened.runs() == []
    assert not list(opened.starts_dir.iterdir())


def test_a_nearly_full_disk_is_refused_with_its_numbers_and_one_with_room_is_not(home: Path) -> None:
    ctx = Context.of(open_home(home))
    args = {"start_id": "s1", "spec": spec(BRIEF).to_json(), "queue": False}
    ctx.disk_free = lambda _: 1000
    with pytest.raises(CallError) as caught:
        drive(start(ctx, args_of("start", args)))
    assert (caught.value.code, caught.value.detail["free"]) == ("disk_low", 1000)
    ctx.disk_free = lambda _: 1 << 30
    assert drive(start(ctx, args_of("start", args)))["run_id"]


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
            answer = drive(start(ctx, StartArgs(start_id=f"s{trial}", spec=one.to_json())))
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
            call(session, "start", {"start_id": "s1", "spec": spec(BRIEF).to_json()})
        assert (caught.value.code, caught.value.detail["run_id"]) == ("device_busy", None)
        assert caught.value.detail["pids"] == [os.getpid()]
        assert f"held by pid {os.getpid()}" in caught.value.message
        assert not list((home / "runs").iterdir())  # a refused start leaves nothing behind
    assert call(session, "start", {"start_id": "s1", "spec": spec(BRIEF).to_json()})["run_id"]


def test_a_shared_device_takes_no_lock(session: Session) -> None:
    call(session, "start", {"start_id": "s1", "spec": spec().to_json()})
    shared = call(session, "start", {"start_id": "s2", "spec": spec(shared_device=True).to_json()})
    assert shared["state"] == "running"


def test_a_second_cockpit_sees_the_run_and_ends_it(session: Session, second: Session) -> None:
    run_id = call(session, "start", {"start_id": "s1", "spec": spec().to_json()})["run_id"]
    assert [run["run_id"] for run in call(second, "runs")["runs"]] == [run_id]
    call(second, "stop", {"run_id": run_id, "req_id": "r1", "by": "Bob"})
    seen = session.wait_run(run_id, lambda run: run.is_terminal, 20.0)
    assert seen is not None
    assert seen.state == "stopped"


@pytest.mark.parametrize(
    "program", ["/no/such/program", "./no-such.sh", "no-such-program", "{plain}", "{folder}"]
)
def test_a_program_that_cannot_be_executed_is_refused_with_the_reason_before_anything_starts(
    home: Path, tmp_path: Path, program: str
) -> None:
    (tmp_path / "plain.py").write_text("print(1)")
    name = program.format(plain=tmp_path / "plain.py", folder=tmp_path)
    opened = open_home(home)
    one = spec(cwd=str(tmp_path)).to_json() | {"argv": [name]}
    with pytest.raises(CallError) as caught:
        drive(start(Context.of(opened), StartArgs(start_id="s1", spec=one)))
    assert (caught.value.code, caught.value.exit_code) == ("refused", 3)
    assert Path(name).name in caught.value.message
    assert caught.value.remedy
    assert opened.runs() == []


def test_a_program_is_looked_up_where_exec_will_look(tmp_path: Path) -> None:
    script = tmp_path / "bin" / "go"
    script.parent.mkdir()
    script.write_text("#!/bin/sh\n")
    script.chmod(0o700)
    for words, more in (
        (("go",), {"env": {"PATH": str(script.parent)}}),
        (("go",), {"env": {"PATH": "bin"}, "cwd": str(tmp_path)}),
        (("bin/go",), {"cwd": str(tmp_path)}),
        ((str(script),), {}),
    ):
        demand_program(replace(spec(), argv=words, **more))
    with pytest.raises(CallError, match="no program"):  # the control: the same word, another PATH
        demand_program(replace(spec(), argv=("go",), env={"PATH": "/nowhere"}))
    with pytest.raises(CallError, match="no program"):  # a resume runs another command
        demand_program(replace(spec(), resume_argv=("/no/such",)), resumes=True)


@pytest.mark.parametrize("line", ["python3 loop.py 3", "./loop.py 3", "python3 'a b.py'"])
def test_a_command_line_in_quotes_is_told_from_a_program_that_is_missing(tmp_path: Path, line: str) -> None:
    with pytest.raises(CallError, match="no program") as caught:
        demand_program(replace(spec(), argv=(line,), cwd=str(tmp_path)))
    assert caught.value.remedy.endswith(f"leave out the quotes around it: --command -- {line}")
    for words in (("no-such-program",), (line, "3")):  # the controls: one word, and one of several
        with pytest.raises(CallError, match="no program") as caught:
            demand_program(replace(spec(), argv=words, cwd=str(tmp_path)))
        assert "quotes" not in caught.value.remedy


def test_a_device_that_the_host_lacks_is_refused_with_those_it_has(home: Path) -> None:
    ctx = Context.of(open_home(home))
    ctx.devices = lambda: ["cpu", "cuda-0"]
    args = {"start_id": "s1", "spec": spec(BRIEF, device="cuda-7").to_json(), "queue": False}
    with pytest.raises(CallError, match="no device cuda-7; it has cpu, cuda-0") as caught:
        drive(start(ctx, args_of("start", args)))
    assert (caught.value.code, caught.value.remedy) == ("refused", "--device cuda-0")
    args["spec"] = spec(BRIEF, device="cuda-0").to_json()
    assert drive(start(ctx, args_of("start", args)))["device"] == "cuda-0"


def test_devices_are_what_the_system_shows(tmp_path: Path) -> None:
    assert "cpu" in devices(tmp_path)
    for name in ("nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm"):
        (tmp_path / name).touch()
    assert devices(tmp_path)[-2:] == ["cuda-0", "cuda-1"]
    other = tmp_path / "amd"
    (other / "dri").mkdir(parents=True)
    (other / "kfd").touch()
    (other / "dri" / "renderD128").touch()
    assert devices(other)[-1] == "cuda-0"


def test_a_known_start_id_says_that_nothing_new_was_started(session: Session) -> None:
    wanted = request(start_id="mine")
    first, again = start_run(session, wanted), start_run(session, replace(wanted, run_id="other-abcdef"))
    assert first.ok
    assert "known" not in first.message
    assert again.run is not None
    assert first.run is not None
    assert again.run.run_id == first.run.run_id
    assert "start id mine was known: nothing new was started" in again.message


def test_a_trainer_that_says_nothing_is_answered_as_starting(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wait for its first word ends after `hello_s`; the control says one and is running."""
    for code, state in ((QUIET, "starting"), (HELLO, "running")):
        monkeypatch.setenv("PHOTINUS_TRAINER_ARGV", json.dumps(list(argv(code))))
        monkeypatch.setattr("remote.agent.starts.start.missing_for_training", list)
        ctx = Context.of(open_home(home))
        ctx.hello_s = 0.3 if state == "starting" else 10.0
        one = replace(spec(shared_device=True), kind="trainer", config={"steps": 3}, argv=())
        began = time.monotonic()
        answer = drive(start(ctx, StartArgs(start_id=f"s-{state}", spec=one.to_json())))
        assert answer["state"] == state
        assert time.monotonic() - began >= (0.3 if state == "starting" else 0.0)


def test_a_trainer_run_is_refused_where_nothing_can_train_and_a_command_is_not(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ctx = Context.of(open_home(home))
    trainer = replace(spec(BRIEF), kind="trainer", config={"steps": 3})
    check_host(ctx, trainer, 0)
    monkeypatch.setattr("remote.agent.starts.start.missing_for_training", lambda: ["torch"])
    with pytest.raises(CallError, match="torch is missing") as caught:
        check_host(ctx, trainer, 0)
    assert (caught.value.code, caught.value.exit_code) == ("need_deploy", 3)
    assert "photinus[train]" in caught.value.remedy
    check_host(ctx, spec(BRIEF), 0)
