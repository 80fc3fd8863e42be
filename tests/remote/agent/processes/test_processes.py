"""Live, orphan, foreign: and only orphans are ever reaped."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from remote.actions import kill_run, stop_run
from remote.protocol.errors import CallError
from remote.session.session import Session
from tests.remote.calling import call
from tests.remote.scripts import QUIET, spec
from tests.waiting import wait_until

# A child that leaves the session: only the token in its environment says whose it is.
LEAVER = "import os, time\nif os.fork() == 0:\n    os.setsid()\ntime.sleep(120)"


def rows(session: Session, run_id: str | None = None) -> list[dict[str, Any]]:
    listed = call(session, "processes")["processes"]
    return [row for row in listed if run_id is None or row["run_id"] == run_id]


def start(session: Session, code: str, start_id: str = "s1", **more: object) -> dict[str, Any]:
    return call(session, "start", {"start_id": start_id, "spec": spec(code, **more).to_json()})


@pytest.fixture
def foreign(tmp_path: Path) -> Iterator[int]:
    """Somebody's own training, without a token of ours."""
    script = tmp_path / "train_mine.py"
    script.write_text(QUIET)
    with subprocess.Popen([sys.executable, str(script)]) as process:
        yield process.pid
        process.kill()


@pytest.fixture
def orphan(session: Session, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a run left behind: a process with its token, after its record was forced to an end."""
    run = start(session, QUIET)
    row = next(row for row in rows(session, run["run_id"]) if row["pid"] == run["pid"])
    environ = dict(
        pair.split("=", 1)
        for pair in Path(f"/proc/{run['pid']}/environ").read_text().split("\0")
        if "=" in pair
    )
    call(session, "kill", {"run_id": run["run_id"], "req_id": "k1"})
    wait_until(lambda: call(session, "run", {"run_id": run["run_id"]})["state"] == "failed", 20.0, "the kill")
    wait_until(lambda: not rows(session, run["run_id"]), 10.0, "its processes to be gone")
    process = subprocess.Popen([sys.executable, "-c", QUIET], env=environ, start_new_session=True)
    assert row["class"] == "live"
    wait_until(lambda: rows(session, run["run_id"]), 10.0, "the orphan")
    assert process.pid == rows(session, run["run_id"])[0]["pid"]
    return rows(session, run["run_id"])[0]


def test_every_process_of_a_supervised_run_is_live(session: Session) -> None:
    run = start(session, LEAVER)
    wait_until(lambda: len(rows(session, run["run_id"])) == 3, 10.0, "supervisor, leader and child")
    found = {row["pid"]: row for row in rows(session, run["run_id"])}
    assert {row["class"] for row in found.values()} == {"live"}
    assert {run["pid"], run["supervisor_pid"]} < set(found)
    assert all(row["rss"] > 0 and row["age_s"] >= 0 and row["why"] for row in found.values())
    row = found[run["pid"]]
    with pytest.raises(CallError, match="no orphan") as caught:
        call(session, "reap", {"run_id": run["run_id"], "pid": row["pid"], "start": row["start"]})
    assert caught.value.code == "refused"
    assert Path(f"/proc/{run['pid']}").exists()


def test_the_locks_of_a_run_are_listed_with_their_owner_and_free_after_it(session: Session) -> None:
    run = start(session, QUIET)
    locks = {lock["name"]: lock for lock in call(session, "processes")["locks"]}
    assert (locks["devices/cpu"]["free"], locks["devices/cpu"]["run_id"]) == (False, run["run_id"])
    assert not locks[f"runs/{run['run_id']}"]["free"]
    call(session, "kill", {"run_id": run["run_id"], "req_id": "k1"})

    def freed() -> bool:
        names = {lock["name"]: lock["free"] for lock in call(session, "processes")["locks"]}
        return bool(names["devices/cpu"]) and f"runs/{run['run_id']}" not in names

    wait_until(freed, 20.0, "the locks")


def test_an_orphan_is_named_keeps_its_device_busy_and_is_reaped(
    session: Session, orphan: dict[str, Any]
) -> None:
    assert orphan["class"] == "orphan"
    assert "no supervisor" in orphan["why"]
    with pytest.raises(CallError) as caught:
        start(session, QUIET, "s2")
    assert (caught.value.code, caught.value.detail["pids"]) == ("device_busy", [orphan["pid"]])
    done = call(session, "reap", {"run_id": orphan["run_id"], "pid": orphan["pid"], "start": orphan["start"]})
    assert done["signal"] == signal.SIGTERM
    assert rows(session, orphan["run_id"]) == []
    assert start(session, QUIET, "s2")["state"] == "running"
    os.waitpid(orphan["pid"], 0)


def test_an_orphan_with_another_start_time_is_not_reaped(session: Session, orphan: dict[str, Any]) -> None:
    with pytest.raises(CallError, match="no orphan"):
        call(
            session, "reap", {"run_id": orphan["run_id"], "pid": orphan["pid"], "start": orphan["start"] + 1}
        )
    assert b") Z " not in Path(f"/proc/{orphan['pid']}/stat").read_bytes()
    os.kill(orphan["pid"], signal.SIGKILL)
    os.waitpid(orphan["pid"], 0)


def test_a_foreign_training_is_shown_and_never_touched(session: Session, foreign: int) -> None:
    run = start(session, QUIET)
    wait_until(lambda: any(row["pid"] == foreign for row in rows(session)), 10.0, "the foreign process")
    row = next(row for row in rows(session) if row["pid"] == foreign)
    assert (row["class"], row["run_id"]) == ("foreign", None)
    assert "train_mine.py" in row["cmd"]
    with pytest.raises(CallError) as caught:
        call(session, "reap", {"run_id": run["run_id"], "pid": foreign, "start": 1})
    assert caught.value.code == "refused"
    assert Path(f"/proc/{foreign}").exists()


def test_a_stop_of_what_is_over_names_what_still_lives_and_a_kill_ends_it(
    session: Session, orphan: dict[str, Any]
) -> None:
    run_id, pid = orphan["run_id"], orphan["pid"]
    refused = stop_run(session, run_id)
    assert (refused.ok, refused.code) == (False, "refused")
    assert f"pid {pid} (" in refused.message
    assert f"photinus kill {run_id}" in refused.remedy
    assert call(session, "run", {"run_id": run_id})["left"][0].startswith(f"pid {pid} (")
    ended = kill_run(session, run_id)
    assert ended.ok
    assert f"pid {pid} (" in ended.message
    wait_until(lambda: not rows(session, run_id), 10.0, "the orphan to be gone")
    home = Path(call(session, "run", {"run_id": run_id})["dir"])
    assert f"pid {pid} (" in (home / "supervisor.log").read_text().splitlines()[-1]
    again = kill_run(session, run_id)  # the control: nothing lives, nothing is said of it
    assert (again.ok, "still lived" in again.message) == (True, False)
    assert stop_run(session, run_id).code != "refused"
