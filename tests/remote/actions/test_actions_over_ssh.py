"""Everything that acts, on a host that is reached over SSH, by two operators who are told of each other."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from remote.actions import StartRequest, diagnose, kill_run, resume_run, start_run, stop_run
from remote.actions.adopt_reap import adopt_run, find_orphan, reap
from remote.protocol.errors import CallError
from remote.protocol.finding import is_healthy
from remote.session.session import Session, connect
from tests.remote.calling import call
from tests.remote.scripts import QUIET, argv
from tests.sshd.processes import marked
from tests.sshd.server import Sshd
from tests.waiting import wait_until
from trainer.run.locks import is_free

CANARY = "canary-51c2d0b7"


@pytest.fixture
def box(sshd: Sshd) -> Iterator[Session]:
    host = sshd.host("plain", name="box")
    sshd.place(host, env={"PHOTINUS_PATIENCE": '{"poll_s": 0.01, "grace_s": 0.4}'})
    with connect(host, client="ada@laptop (1)") as session:
        yield session


@pytest.fixture
def second(box: Session) -> Iterator[Session]:
    """Another operator's connection to the same host."""
    with connect(box.host, client="bob@desk (2)") as session:
        yield session


def root_of(sshd: Sshd) -> Path:
    return sshd.home("plain") / ".photinus"


def wanted(code: str = QUIET, **more: Any) -> StartRequest:
    return StartRequest(name="script", kind="command", argv=argv(code), resume_argv=argv(code), **more)


def test_two_operators_share_one_device_and_are_told_of_each_other(
    sshd: Sshd, box: Session, second: Session
) -> None:
    first = start_run(box, wanted()).run
    assert first is not None
    assert first.state == "running"
    refused = start_run(second, wanted())
    assert (refused.code, refused.exit_code) == ("device_busy", 4)
    assert first.run_id in refused.message
    assert refused.detail["who"] == first.by
    queued = start_run(second, wanted(queue=True)).run
    assert queued is not None
    assert queued.state == "queued"
    assert is_healthy(diagnose.examine(second).findings)
    assert stop_run(second, first.run_id).ok
    seen = box.wait_run(queued.run_id, lambda run: run.state == "running", 10.0)
    assert seen is not None, "the ending supervisor starts the head of the line"
    resumed = resume_run(box, first.run_id)
    assert resumed.code == "device_busy"
    assert kill_run(box, queued.run_id).ok
    again = resume_run(box, first.run_id)
    assert again.ok, again
    assert again.run is not None
    assert again.run.attempt == 2
    assert stop_run(box, first.run_id).ok
    rows = [json.loads(line) for line in (root_of(sshd) / "audit.jsonl").read_text().splitlines()]
    starts = [
        (row["who"], row["outcome"]) for row in rows if row["verb"] == "start" and row["outcome"] != "asked"
    ]
    assert starts == [("ada@laptop (1)", "ok"), ("bob@desk (2)", "device_busy"), ("bob@desk (2)", "ok")]
    assert {row["host"] for row in client_rows() if row["verb"] == "kill"} == {"box"}


def client_rows() -> list[dict[str, Any]]:
    path = Path(os.environ["PHOTINUS_HOME"]) / "client" / "audit.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_supervisor_that_died_there_is_replaced_and_an_orphan_is_reaped(sshd: Sshd, box: Session) -> None:
    run = start_run(box, wanted()).run
    assert run is not None
    assert run.pid is not None
    assert run.supervisor_pid is not None
    pairs = Path(f"/proc/{run.pid}/environ").read_text().split("\0")
    token = next(pair for pair in pairs if pair.startswith("PHOTINUS_RUN_TOKEN="))
    os.kill(run.supervisor_pid, signal.SIGKILL)
    lock = root_of(sshd) / "runs" / run.run_id / "lock"
    wait_until(lambda: is_free(lock), 10.0, "the kernel to free its lock")
    adopted = adopt_run(box, run.run_id)
    assert adopted.ok
    assert adopted.run is not None
    assert adopted.run.supervisor_pid not in (None, run.supervisor_pid)
    assert kill_run(box, run.run_id).ok
    # Left behind by a run that is over: a process of that user with its token.
    sshd.ssh("plain", f"{token} nohup setsid sleep 300 >/dev/null 2>&1 &")
    found: list[dict[str, Any]] = []

    def look() -> bool:
        rows = call(box, "processes", timeout=20.0)["processes"]
        found[:] = [row for row in rows if row["class"] == "orphan"]
        return bool(found)

    wait_until(look, 10.0, "the orphan")
    report = diagnose.examine(box)
    assert any(
        one.remedy == f"photinus reap --host box {run.run_id} {found[0]['pid']}" for one in report.findings
    )
    with pytest.raises(CallError, match="no process of ours"):
        find_orphan(box, run.run_id, os.getpid())
    done = reap(box, run.run_id, found[0]["pid"], find_orphan(box, run.run_id, found[0]["pid"]).start or 0)
    assert done.ok, done
    assert is_free(root_of(sshd) / "devices" / "cpu.lock")


def test_a_secret_is_found_nowhere_but_in_the_runs_own_file_and_environment(
    sshd: Sshd, box: Session, laptop: Any
) -> None:
    """A canary in the environment of a run: not in argv, not in a listing, not in a log, not in a file."""
    run = start_run(box, wanted(env={"API_KEY": CANARY})).run
    assert run is not None
    said = [
        json.dumps(call(box, verb, args))
        for verb, args in (
            ("run", {"run_id": run.run_id}),
            ("runs", {}),
            ("status", {}),
            ("processes", {}),
            ("doctor", {"deep": True}),
            ("audit", {}),
            ("telemetry", {}),
        )
    ]
    assert not [text for text in said if CANARY in text]
    mark = f"PHOTINUS_TEST_SSHD={sshd.folder}"
    pids = marked(mark)
    assert run.pid in pids
    assert not [pid for pid in pids if CANARY.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()]
    knows = [pid for pid in pids if CANARY.encode() in Path(f"/proc/{pid}/environ").read_bytes()]
    assert knows == [run.pid]  # the trainer's own environment is the stated exception
    assert files_with(root_of(sshd)) == [root_of(sshd) / "runs" / run.run_id / "spec.json"]
    assert files_with(Path(os.environ["PHOTINUS_HOME"])) == []
    assert (root_of(sshd) / "runs" / run.run_id / "spec.json").stat().st_mode & 0o777 == 0o600
    assert kill_run(box, run.run_id).ok


def files_with(root: Path) -> list[Path]:
    """Every file below `root` that holds the canary."""
    return [
        path for path in sorted(root.rglob("*")) if path.is_file() and CANARY.encode() in path.read_bytes()
    ]
