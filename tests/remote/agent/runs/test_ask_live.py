"""What is asked of a live run and does not end it: signals, times of its log, a limit; and its clone."""

import os
from pathlib import Path

import pytest

from remote.protocol.errors import CallError
from remote.session.session import Session
from remote.supervisor.log_times import LogTimes, times_of
from tests.remote.calling import call
from tests.remote.driving import ended
from tests.remote.finished_runs import finish, run_id_of
from tests.remote.scripts import BRIEF, spec
from tests.waiting import wait_until
from trainer.run.control import ControlRequest, Verb, pending, put_request
from trainer.run.home import open_home
from trainer.run.layout import new_run_id
from trainer.run.logs import begin_log

COUNTS = """
import signal, time
signal.signal(signal.SIGUSR1, lambda *_: print('got it', flush=True))
print('ready', flush=True)
while True: time.sleep(0.05)
"""


def begin(session: Session, code: str, **more: object) -> str:
    asked = spec(code, shared_device=True, **more)
    started = call(session, "start", {"start_id": new_run_id("s"), "spec": asked.to_json()}, timeout=20.0)
    return str(started["run_id"])


def test_a_signal_reaches_the_first_process_and_ends_nothing(home: Path, session: Session) -> None:
    run_id = begin(session, COUNTS, limit_s=0.0)
    log = home / "runs" / run_id / "log" / "001.log"
    wait_until(lambda: b"ready" in log.read_bytes(), 10.0, "its handler")
    sent = call(session, "signal", {"run_id": run_id, "req_id": "r1", "signal": "usr1"})
    assert sent["signal"] == "SIGUSR1"
    wait_until(lambda: log.read_bytes() == b"ready\ngot it\n", 10.0, "its answer")
    call(
        session, "signal", {"run_id": run_id, "req_id": "r1", "signal": "usr1"}
    )  # sent again, it is the same
    for name, code in (("KILL", "bad_request"), ("STOP", "bad_request"), ("TERM", "bad_request")):
        with pytest.raises(CallError) as raised:
            call(session, "signal", {"run_id": run_id, "req_id": "r2", "signal": name})
        assert raised.value.code == code
    with pytest.raises(CallError, match="is a command"):
        call(session, "save", {"run_id": run_id, "req_id": "r3"})
    assert call(session, "run", {"run_id": run_id})["state"] == "running"
    assert log.read_bytes() == b"ready\ngot it\n"
    listed = call(session, "log-times", {"run_id": run_id})
    (file,) = listed["files"]
    assert (file["file"], file["attempt"], file["since"]) == ("001.log", 1, 0)
    later = call(session, "log-times", {"run_id": run_id, "since": listed["wall"] + 60})
    assert later["files"][0]["since"] > 0
    call(session, "kill", {"run_id": run_id, "req_id": "k"})
    wait_until(lambda: call(session, "run", {"run_id": run_id})["state"] == "failed", 20.0, "its end")
    with pytest.raises(CallError, match="not running"):
        call(session, "signal", {"run_id": run_id, "req_id": "r4", "signal": "USR1"})


def test_a_limit_ends_an_attempt_with_its_reason_and_a_clone_has_it_too(home: Path, session: Session) -> None:
    run_id = begin(session, COUNTS, limit_s=0.3)
    ended(session, run_id)
    view = call(session, "run", {"run_id": run_id})
    assert (view["state"], view["spec"]["limit_s"]) == ("stopped", 0.3)
    assert "time limit of 0.3 s" in view["reason"]
    asked = {"start_id": "c1", "run_id": run_id, "new_id": "copy-aaaaaa", "name": "copy"}
    new = call(session, "clone", asked, timeout=20.0)
    assert (new["run_id"], new["name"], new["attempt"]) == ("copy-aaaaaa", "copy", 1)
    again = call(session, "clone", asked | {"new_id": "copy-bbbbbb"}, timeout=20.0)
    assert (again["run_id"], again["known"]) == ("copy-aaaaaa", True)
    with pytest.raises(CallError, match="is a command"):
        call(session, "clone", asked | {"start_id": "c2", "set": {"steps": 3}})
    ended(session, "copy-aaaaaa")


def test_no_limit_ends_nothing(home: Path, session: Session) -> None:
    run_id = begin(session, BRIEF)
    ended(session, run_id)
    view = call(session, "run", {"run_id": run_id})
    assert (view["state"], "limit_s" in view["spec"]) == ("succeeded", False)


def test_times_are_noted_once_a_second_and_only_when_it_grew(home: Path) -> None:
    run = open_home(home).run(run_id_of(1)).create()
    clock = [0.0]
    times = LogTimes(run, 2, clock=lambda: clock[0], wall=lambda: 1000.0 + clock[0])
    times.look()
    with os.fdopen(begin_log(run, 2), "wb", 0) as log:
        for now, data in ((1.0, b"a"), (1.5, b"b"), (2.1, b""), (3.2, b""), (4.3, b"c")):
            clock[0] = now
            log.write(data)
            times.look()
    noted = times_of(run.log(2)).read_text().splitlines()
    assert noted == ["attempt 2", "1001.000 1", "1002.100 2", "1004.300 3"]


def test_a_request_that_ends_nothing_is_no_stop_to_who_comes_after_a_lost_supervisor(home: Path) -> None:
    run = finish(home, run_id_of(1))
    verbs: tuple[Verb, ...] = ("save", "signal", "stop")
    for number, verb in enumerate(verbs):
        put_request(
            run, ControlRequest(req_id=f"r{number}", verb=verb, attempt=1, token="t", signal="SIGUSR1")
        )
    assert [one.verb for one in pending(run, 1, "t")] == ["save", "signal", "stop"]
    put_request(run, ControlRequest(req_id="bad", verb="signal", attempt=1, token="t", signal="SIGKILL"))
    assert len(pending(run, 1, "t")) == 3  # what could end it by itself is nobody's request
