"""What a key or a command means: outcomes, intents, confirmations."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from remote.actions import (
    StartRequest,
    choose_device,
    describe_kill,
    describe_resume,
    describe_start,
    describe_stop,
    resume_run,
    settle_intents,
    start_run,
    wait_for,
)
from remote.actions.intents import FRESH_S, intent, leftovers
from remote.protocol.arguments import StartArgs
from remote.protocol.errors import UnreachableError
from remote.protocol.messages import Reply, decode_message
from remote.session.session import Session, connect
from tests.remote.calling import call
from tests.remote.scripts import BRIEF, noting, request, spec
from tests.remote.views import view
from tests.waiting import wait_until


def intents(home: Path) -> list[Path]:
    return sorted((home / "client" / "intents").glob("*.json"))


def test_a_start_says_what_it_became_and_leaves_no_intent(home: Path, session: Session) -> None:
    outcome = start_run(session, request())
    assert (outcome.ok, outcome.exit_code) == (True, 0)
    assert outcome.run is not None
    assert outcome.run.state == "running"
    assert intents(home) == []


def test_a_refused_start_has_a_code_a_remedy_and_leaves_no_intent(home: Path, session: Session) -> None:
    start_run(session, request())
    outcome = start_run(session, request())
    assert (outcome.ok, outcome.code, outcome.exit_code) == (False, "device_busy", 4)
    assert outcome.remedy
    assert intents(home) == []


def test_an_unanswered_start_is_kept_and_settled_by_the_next_client_as_one_run(
    home: Path, tmp_path: Path
) -> None:
    count = tmp_path / "count"
    args = StartArgs(start_id="s1", spec=spec(noting(count, BRIEF)).to_json())
    with pytest.raises(UnreachableError), intent("local", "start", args):
        raise UnreachableError("the laptop was closed")
    assert [one.stem for one in intents(home)] == ["s1"]
    assert intents(home)[0].stat().st_mode & 0o777 == 0o600
    with connect() as session:
        outcomes = settle_intents(session)
        assert [one.ok for one in outcomes] == [True]
        assert outcomes[0].run is not None
        assert wait_for(session, outcomes[0].run.run_id, lambda run: run.is_terminal, 20.0).ok
        assert settle_intents(session) == []
    assert count.read_bytes() == b"x"
    assert intents(home) == []


def test_an_old_torn_or_other_hosts_intent_is_not_sent(home: Path) -> None:
    folder = home / "client" / "intents"
    folder.mkdir(parents=True)
    one = {"host": "local", "verb": "start", "args": {}, "at": 1000.0}
    (folder / "old.json").write_text(json.dumps(one))
    (folder / "torn.json").write_text('{"host"')
    (folder / "other.json").write_text(json.dumps(one | {"host": "mac", "at": 1e12}))
    assert leftovers("local", now=1000.0 + FRESH_S + 1) == []
    assert [path.name for path in intents(home)] == ["other.json"]


def test_waiting_for_what_does_not_come_is_a_timeout_and_for_no_run_not_found(session: Session) -> None:
    run = start_run(session, request()).run
    assert run is not None
    late = wait_for(session, run.run_id, lambda one: one.is_terminal, 0.3)
    assert (late.ok, late.code, late.exit_code) == (False, "timeout", 7)
    assert late.run is not None
    assert late.run.state == "running"
    missing = wait_for(session, "none-abcdef", lambda one: True, 5.0)
    assert (missing.code, missing.exit_code) == ("not_found", 6)


def test_a_resume_that_cannot_be_says_why(session: Session) -> None:
    run = start_run(session, request()).run
    assert run is not None
    outcome = resume_run(session, run.run_id)
    assert (outcome.code, outcome.exit_code) == ("already_running", 4)


def test_a_local_command_inherits_environment_and_umask(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_SETTING", "seven")
    code = "import os, sys\nopen(sys.argv[1], 'w').write(os.environ['MY_SETTING'] + os.environ['EXTRA'])"
    monkeypatch.setattr("remote.actions.start_request.whoami", lambda: "Ada")
    words = (sys.executable, "-c", code, str(tmp_path / "out"))
    old = os.umask(0o027)
    try:
        asked = StartRequest(name="mine", kind="command", argv=words, env={"EXTRA": "!"})
        run = start_run(session, asked).run
    finally:
        os.umask(old)
    assert run is not None
    assert run.by == "Ada"
    wait_until(
        lambda: (tmp_path / "out").exists() and (tmp_path / "out").read_text() == "seven!", 10.0, "its output"
    )
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o640


def test_secrets_of_the_environment_are_not_told_to_a_client(session: Session) -> None:
    run = start_run(session, request(env={"API_KEY": "canary-4711"})).run
    assert run is not None
    told = call(session, "run", {"run_id": run.run_id})
    assert "canary-4711" not in json.dumps(told)
    assert "API_KEY" in told["spec"]["env"]
    assert told["process"]["token"] is None


@pytest.mark.parametrize(
    ("asked", "devices", "chosen"),
    [
        ("auto", ("cpu",), "cpu"),
        ("auto", ("cpu", "cuda-0", "cuda-1"), "cuda-0"),
        ("auto", ("cpu", "mps"), "mps"),
        ("cuda", ("cpu", "cuda-0"), "cuda-0"),
        ("cuda:1", ("cpu",), "cuda-1"),
        ("cpu", ("cpu", "cuda-0"), "cpu"),
    ],
)
def test_the_device_that_is_locked_is_the_one_that_is_used(asked: str, devices: Any, chosen: str) -> None:
    assert choose_device(asked, devices) == chosen
    made = StartRequest(name="x", config={"steps": 5, "device": asked}).to_spec(devices)
    assert (made.device, made.config["device"]) == (chosen, chosen.replace("-", ":"))


def test_a_confirmation_names_target_cost_and_way_back() -> None:
    stop = describe_stop(view(), "local", step=1234)
    for needed in ("demo-abcdef", "pid 4242", "local", "234 steps since step-00001000", "`r`"):
        assert needed in stop
    kill = describe_kill(view(last_checkpoint=None), "mac", step=17)
    for needed in ("KILL", "4242", "mac", "17 steps (it has no checkpoint)"):
        assert needed in kill
    resume = describe_resume(view(state="stopped", resumable=True, why_not=""))
    for needed in ("attempt 2", "step-00001000", "2,000 of 3,000 steps"):
        assert needed in resume
    assert "has done all" in describe_resume(view(resumable=False, why_not="it has done all of its steps"))
    assert "nothing is lost" in describe_stop(view(state="queued", pid=None))
    assert "cannot be resumed" in describe_stop(
        view(
            kind="command",
            resumable=False,
            why_not="a command started without --resume-command cannot be resumed",
        )
    )
    start = describe_start(
        StartRequest(name="x", preset="tiny", config={"steps": 5}, origins={"steps": "--set"})
    )
    for needed in ("tiny", "5 steps", "Set by hand: steps"):
        assert needed in start


def test_an_outcome_of_a_later_hosts_code_is_a_plain_failure() -> None:
    line = b'{"id":1,"error":{"code":"brand_new","message":"?"}}'
    reply = decode_message(line)
    assert isinstance(reply, Reply)
    assert reply.error is not None
    assert (reply.error.code, reply.error.exit_code, reply.error.message) == ("internal", 1, "?")
