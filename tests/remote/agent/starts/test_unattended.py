"""A contact without a client, as at boot: what asks to be resumed is, once, and the rest is left alone."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from remote.actions import start_run
from remote.agent.starts.unattended import contact
from remote.session.session import connect
from tests.remote.calling import call
from tests.remote.scripts import QUIET, argv, noting, request
from tests.waiting import wait_until
from trainer.run.home import open_home
from trainer.run.spec import Restart


def lose(restart: Restart, count: Path) -> str:
    """A run whose supervisor and process end at once, as in a power cut, with no agent left; its id."""
    code = noting(count, QUIET)
    wanted = request(code, restart=restart, resume_argv=argv(code))
    with connect() as session:
        outcome = start_run(session, wanted)
        assert outcome.run is not None, outcome.message
        view = outcome.run
    wait_until(lambda: count.exists(), 10.0, "the run to begin")
    for pid in (view.supervisor_pid, view.pid):
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
    wait_until(
        lambda: not any(alive(pid) for pid in (view.supervisor_pid, view.pid)), 10.0, "both to be gone"
    )
    return view.run_id


def alive(pid: int | None) -> bool:
    try:
        return b") Z " not in Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return False


def unattended(*words: str) -> "subprocess.CompletedProcess[str]":
    """As the unit runs it."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "remote.agent", "--contact", *words],
        capture_output=True, text=True, timeout=30, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def present(run_id: str) -> dict[str, Any]:
    with connect() as session:
        return call(session, "run", {"run_id": run_id})


def test_a_run_that_asks_for_it_is_resumed_without_any_client(home: Path, tmp_path: Path) -> None:
    count = tmp_path / "count"
    run_id = lose(Restart("on-failure", backoff_s=0.05), count)
    done = unattended()
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert f"resumed {run_id}" in done.stderr
    wait_until(lambda: count.read_bytes() == b"xx", 10.0, "the second attempt")
    view = present(run_id)
    assert (view["state"], view["attempt"]) == ("running", 2)
    assert unattended().stderr == ""  # a second contact has nothing to do
    assert (present(run_id)["attempt"], count.read_bytes()) == (2, b"xx")


def test_a_run_that_does_not_ask_is_marked_and_left_alone(home: Path, tmp_path: Path) -> None:
    count = tmp_path / "count"
    run_id = lose(Restart("never"), count)
    done = unattended()
    assert (done.returncode, done.stderr) == (0, "")
    assert (present(run_id)["state"], count.read_bytes()) == ("died", b"x")


def test_a_restart_whose_time_is_far_off_is_left_to_the_next_contact(home: Path, tmp_path: Path) -> None:
    run_id = lose(Restart("on-failure", backoff_s=30.0), tmp_path / "count")
    said: list[str] = []
    assert contact(open_home(), said.append, patience_s=0.05, look_s=0.01) == 0
    assert (said, present(run_id)["attempt"]) == ([], 1)


def test_a_run_that_cannot_be_resumed_is_told_and_holds_up_no_other(home: Path, tmp_path: Path) -> None:
    broken = lose(Restart("on-failure", backoff_s=0.0), tmp_path / "one")
    spec = home / "runs" / broken / "spec.json"
    spec.write_text(spec.read_text().replace('"resume_argv": [', '"resume_argv": [], "was": [', 1))
    sound = lose(Restart("on-failure", backoff_s=0.0), tmp_path / "two")
    done = unattended()
    assert done.returncode == 1
    assert f"resumed {sound}" in done.stderr
    assert broken in done.stderr


def test_an_unsafe_state_root_is_refused(home: Path) -> None:
    home.mkdir(mode=0o755)
    home.chmod(0o755)
    done = unattended()
    assert (done.returncode, "chmod 700" in done.stderr) == (3, True)


@pytest.mark.parametrize("words", [(), ("--contact", "--stdio")])
def test_the_agent_is_told_which_of_the_two(words: tuple[str, ...]) -> None:
    program = [sys.executable, "-P", "-m", "remote.agent", *words]
    assert subprocess.run(program, capture_output=True, timeout=20, check=False).returncode == 2
