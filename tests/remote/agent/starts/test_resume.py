"""Resume: which checkpoint, and when it is refused. The trainer here is a stand-in that only ends."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from remote.agent.context import Context
from remote.agent.starts.restart import Restarts, restart_id
from remote.agent.starts.resume import resume
from remote.protocol.errors import CallError
from remote.session.session import Session
from tests.remote.calling import args_of, call
from tests.remote.driving import drive
from tests.remote.scripts import QUIET, argv, spec
from tests.waiting import wait_until
from trainer.run.checkpoints.manifest import MANIFEST, checkpoint_name, seal
from trainer.run.disk.atomic import write_json
from trainer.run.home import Home, open_home
from trainer.run.layout import RunDir
from trainer.run.records import claim_start, read_state, write_spec, write_state
from trainer.run.spec import Restart, RunSpec
from trainer.run.states import State, StateRecord


@pytest.fixture
def opened(home: Path) -> Home:
    return open_home(home)


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the supervisor would have been told to resume from."""
    sources: list[str] = []

    def note(*_: object, resume_from: str, **__: object) -> int:
        sources.append(resume_from)
        return 1

    monkeypatch.setattr("remote.supervisor.admission.admit.spawn_supervisor", note)
    return sources


def finished(opened: Home, state: State = State.STOPPED, **more: Any) -> RunDir:
    """A trainer run of 100 steps that is over."""
    one = RunSpec(
        run_id="train-abcdef", name="train", kind="trainer", device="cpu", config={"steps": 100}, **more
    )
    run = opened.run(one.run_id).create()
    write_spec(run, one)
    write_state(
        run, 0, StateRecord(run_id=one.run_id, state=state, seq=4, attempt=1, since=0.0, start_id="s0")
    )
    return run


def checkpoint(run: RunDir, step: int, weights: bytes = b"weights") -> Path:
    folder = run.checkpoints / checkpoint_name(step)
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(weights)
    proof = {"bytes": len(weights), "sha256": hashlib.sha256(weights).hexdigest()}
    write_json(folder / MANIFEST, seal({"step": step, "files": {"model.safetensors": proof}}))
    return folder


def resumed(opened: Home, run: RunDir, *, source: str = "", free: int = 1 << 40) -> dict[str, Any]:
    ctx = Context.of(opened)
    ctx.hello_s = 0.0
    ctx.disk_free = lambda _: free
    args = {"start_id": "s1", "run_id": run.run_id, "from": source, "queue": False}
    return drive(resume(ctx, args_of("resume", args)))


def refusal(opened: Home, run: RunDir, **more: Any) -> CallError:
    with pytest.raises(CallError) as caught:
        resumed(opened, run, **more)
    state = read_state(run)
    assert state is not None
    assert state.seq == 4  # nothing was written
    return caught.value


def test_the_newest_checkpoint_that_proves_itself_is_taken(opened: Home, launched: list[str]) -> None:
    run = finished(opened)
    checkpoint(run, 10)
    checkpoint(run, 20)
    (checkpoint(run, 30) / "model.safetensors").write_bytes(b"w3ights")
    answer = resumed(opened, run)
    assert launched == ["step-00000020"]
    assert (answer["state"], answer["attempt"], answer["seq"]) == ("starting", 2, 5)


def test_a_named_checkpoint_is_taken_or_refused(opened: Home, launched: list[str]) -> None:
    run = finished(opened)
    checkpoint(run, 10)
    (checkpoint(run, 20) / "model.safetensors").unlink()
    assert refusal(opened, run, source="step-00000020").code == "refused"
    assert refusal(opened, run, source="step-00000099").code == "not_found"
    resumed(opened, run, source="step-00000010")
    assert launched == ["step-00000010"]


def test_zero_steps_to_do_are_refused_with_the_numbers(opened: Home, launched: list[str]) -> None:
    run = finished(opened, State.SUCCEEDED)
    checkpoint(run, 100)
    error = refusal(opened, run)
    assert (error.code, error.exit_code) == ("refused", 3)
    assert error.detail == {"step": 100, "max_steps": 100}
    assert launched == []


def test_a_run_without_any_checkpoint_starts_at_zero(opened: Home, launched: list[str]) -> None:
    resumed(opened, finished(opened))
    assert launched == [""]


def test_a_run_with_only_torn_checkpoints_is_refused(opened: Home, launched: list[str]) -> None:
    run = finished(opened)
    (checkpoint(run, 10) / "model.safetensors").write_bytes(b"")
    assert "torn" in refusal(opened, run).message


def test_a_disk_below_twice_the_last_checkpoint_is_refused_and_one_above_is_not(
    opened: Home, launched: list[str]
) -> None:
    run = finished(opened)
    checkpoint(run, 10, b"w" * 2_000_000)
    error = refusal(opened, run, free=3_999_999)
    assert error.code == "disk_low"
    assert error.detail == {"free": 3_999_999, "need": 4_000_000}
    resumed(opened, run, free=4_000_000)
    assert len(launched) == 1


def test_a_resume_asked_for_again_is_one_attempt(opened: Home, launched: list[str]) -> None:
    run = finished(opened)
    checkpoint(run, 10)
    claim_start(opened.starts_dir, "s1", run.run_id, 2)  # the first agent died right after the record
    first = resumed(opened, run)
    assert (first["attempt"], launched) == (2, ["step-00000010"])
    again = resumed(opened, run)  # it died again, before the spawn: carried out as it was meant
    assert (again["attempt"], launched) == (2, ["step-00000010"] * 2)


def test_a_run_that_died_is_resumed_by_the_next_contact_if_its_spec_says_so(
    opened: Home, launched: list[str]
) -> None:
    wanted = Restart(policy="on-failure", max=3, backoff_s=0.0)
    run = finished(opened, State.DIED_REBOOT, restart=wanted)
    checkpoint(run, 10)
    ctx = Context.of(opened)
    ctx.hello_s = 0.0
    restarts = Restarts(ctx)
    answers = [drive(work) for work in restarts.due()]
    assert [(one["attempt"], one["start_id"]) for one in answers] == [(2, restart_id(run.run_id, 2))]
    assert launched == ["step-00000010"]
    assert restarts.due() == []


def test_a_run_that_died_is_left_alone_if_its_spec_says_nothing(opened: Home, launched: list[str]) -> None:
    checkpoint(finished(opened, State.DIED_REBOOT), 10)
    assert Restarts(Context.of(opened)).due() == []


def test_a_command_is_resumed_by_its_resume_command_and_not_without(session: Session) -> None:
    one = spec(QUIET)
    call(session, "start", {"start_id": "s1", "spec": one.to_json()})
    with pytest.raises(CallError) as caught:
        call(session, "resume", {"start_id": "s2", "run_id": one.run_id})
    assert caught.value.code == "already_running"
    call(session, "kill", {"run_id": one.run_id, "req_id": "k1"})
    wait_until(lambda: call(session, "run", {"run_id": one.run_id})["state"] == "failed", 20.0, "the kill")
    with pytest.raises(CallError, match="resume-command"):
        call(session, "resume", {"start_id": "s3", "run_id": one.run_id})

    other = spec("print('first')", resume_argv=argv("print('second')"))
    call(session, "start", {"start_id": "s4", "spec": other.to_json()})
    wait_until(
        lambda: call(session, "run", {"run_id": other.run_id})["state"] == "succeeded", 20.0, "the first"
    )
    assert call(session, "resume", {"start_id": "s5", "run_id": other.run_id})["attempt"] == 2
    wait_until(
        lambda: call(session, "run", {"run_id": other.run_id})["state"] == "succeeded", 20.0, "the second"
    )
    logs = Path(call(session, "run", {"run_id": other.run_id})["dir"]) / "log"
    assert [path.read_text() for path in sorted(logs.glob("*.log"))] == ["first\n", "second\n"]
