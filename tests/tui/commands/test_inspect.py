"""`doctor`, `processes`, `reap`, `adopt`, `audit`, `--read-only`: as a person types them."""

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from remote.protocol.permission import READ_ONLY_VARIABLE
from remote.protocol.values import read_as
from remote.session.session import Session, connect
from tests.remote.calling import call
from tests.remote.conftest import end_everything
from tests.remote.scripts import QUIET, spec
from tests.waiting import wait_until
from tui.cli import main
from tui.commands.runs.summary import command_line


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    root = tmp_path / "home"
    monkeypatch.setenv("PHOTINUS_HOME", str(root))
    monkeypatch.setenv("PHOTINUS_PATIENCE", '{"poll_s": 0.01, "grace_s": 0.4}')
    monkeypatch.setenv(READ_ONLY_VARIABLE, "")  # so that what `--read-only` sets is taken back
    yield root
    end_everything(root)


@pytest.fixture
def session(home: Path) -> Iterator[Session]:
    with connect() as opened:
        yield opened


class Person:
    """Types commands and reads what comes."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def types(self, *words: str) -> tuple[int, str, str]:
        self._capsys.readouterr()
        code = main(words)
        said = self._capsys.readouterr()
        return code, said.out, said.err


@pytest.fixture
def person(capsys: pytest.CaptureFixture[str]) -> Person:
    return Person(capsys)


@pytest.fixture
def orphan(session: Session) -> Iterator[dict[str, Any]]:
    """A process with the token of a run that is over."""
    run = call(session, "start", {"start_id": "s1", "spec": spec(QUIET).to_json()})
    pairs = Path(f"/proc/{run['pid']}/environ").read_text().split("\0")
    environ = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
    call(session, "kill", {"run_id": run["run_id"], "req_id": "k1"})
    wait_until(lambda: call(session, "run", {"run_id": run["run_id"]})["state"] == "failed", 20.0, "the kill")
    process = subprocess.Popen([sys.executable, "-c", QUIET], env=environ, start_new_session=True)
    try:
        yield {"run_id": run["run_id"], "pid": process.pid, "process": process}
    finally:
        process.kill()
        process.wait()


def test_doctor_is_quiet_about_a_healthy_host_and_names_an_orphan_with_its_remedy(
    person: Person, orphan: dict[str, Any]
) -> None:
    code, out, _ = person.types("doctor")
    remedy = f"photinus reap {orphan['run_id']} {orphan['pid']}"
    assert code == 1
    assert remedy in out
    assert "nothing was changed" in out
    code, out, err = person.types("doctor", "--json")
    told = json.loads(out)
    assert (code, told["healthy"], out.count("\n"), err) == (1, False, 1, "")
    assert any(one["remedy"] == remedy for one in told["findings"])
    orphan["process"].kill()
    orphan["process"].wait()
    code, out, _ = person.types("doctor", "--deep")
    assert (code, "local is healthy" in out) == (0, True)


def test_a_run_that_is_over_and_left_somebody_is_marked_in_the_list(
    person: Person, orphan: dict[str, Any]
) -> None:
    code, out, _ = person.types("ls")
    assert code == 0
    assert f"still lives: pid {orphan['pid']} (" in out
    (row,) = json.loads(person.types("ls", "--json")[1])
    assert [said.split()[1] for said in row["left"]] == [str(orphan["pid"])]
    orphan["process"].kill()
    orphan["process"].wait()
    assert "still lives" not in person.types("ls")[1]
    assert json.loads(person.types("ls", "--json")[1])[0]["left"] == []


def test_a_root_that_the_agent_refuses_is_itself_the_finding(
    home: Path, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.mkdir(mode=0o755)
    home.chmod(0o755)
    code, out, _ = person.types("doctor")
    assert (code, "chmod 700" in out) == (1, True)


def test_processes_says_why_each_is_listed_and_what_each_lock_is_held_for(
    person: Person, session: Session
) -> None:
    run = call(session, "start", {"start_id": "s1", "spec": spec(QUIET).to_json()})
    code, out, _ = person.types("processes")
    assert code == 0
    assert "WHY" in out
    assert "the supervisor of the run" in out
    assert any(row.split() == ["devices/cpu", "held", run["run_id"]] for row in out.splitlines())
    told = json.loads(person.types("processes", "--json")[1])
    assert {row["class"] for row in told["processes"] if row["run_id"]} == {"live"}
    assert all(row["why"] for row in told["processes"])


def test_reap_ends_exactly_the_confirmed_orphan(
    person: Person, orphan: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id, pid = orphan["run_id"], str(orphan["pid"])
    code, _, err = person.types("reap", run_id, pid)  # nobody is at a terminal
    assert (code, "--yes" in err) == (3, True)
    code, _, err = person.types("reap", run_id, str(os.getpid()), "--yes")
    assert code in (3, 6)
    typed = io.StringIO("no\n")
    typed.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr("sys.stdin", typed)
    code, _, err = person.types("reap", run_id, pid)
    assert (code, "nothing was done" in err) == (3, True)
    assert orphan["process"].poll() is None
    typed = io.StringIO(f"{pid}\n")
    typed.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr("sys.stdin", typed)
    code, out, err = person.types("reap", run_id, pid)
    assert (code, "ended by signal 15" in out, "Type its pid" in err) == (0, True, True)
    assert orphan["process"].wait(10) == -signal.SIGTERM


def test_reap_of_a_live_process_names_the_right_key(person: Person, session: Session) -> None:
    run = call(session, "start", {"start_id": "s1", "spec": spec(QUIET).to_json()})
    code, _, err = person.types("reap", run["run_id"], str(run["pid"]), "--yes")
    assert (code, f"photinus kill {run['run_id']}" in err) == (3, True)
    assert Path(f"/proc/{run['pid']}").exists()


def test_adopt_says_who_watches_over_the_run(person: Person, session: Session) -> None:
    run = call(session, "start", {"start_id": "s1", "spec": spec(QUIET).to_json()})
    session.close()
    os.kill(run["supervisor_pid"], signal.SIGKILL)
    wait_until(lambda: not Path(f"/proc/{run['supervisor_pid']}").exists(), 10.0, "its supervisor to be gone")
    code, out, _ = person.types("adopt", run["run_id"])
    assert code == 0
    assert "watched over by pid" in out
    assert str(run["supervisor_pid"]) not in out.split("pid")[-1].split()
    assert person.types("kill", run["run_id"])[0] == 0


def test_audit_prints_the_hosts_log_and_this_clients(person: Person, session: Session) -> None:
    run = call(session, "start", {"start_id": "s1", "spec": spec(QUIET).to_json()})
    person.types("kill", run["run_id"])
    code, out, _ = person.types("audit")
    assert code == 0
    assert [line.split()[2] for line in out.splitlines()] == ["start", "start", "kill", "kill", "ended"]
    rows = json.loads(person.types("audit", "--client", "--json", "-n", "2")[1])
    assert [(row["verb"], row["outcome"], row["host"]) for row in rows] == [
        ("kill", "asked", "local"),
        ("kill", "ok", "local"),
    ]


def test_read_only_looks_and_refuses_to_act(home: Path, person: Person, session: Session) -> None:
    run = call(session, "start", {"start_id": "s1", "spec": spec(QUIET).to_json()})
    code, out, _ = person.types("--read-only", "ls")
    assert (code, run["run_id"] in out) == (0, True)
    for words in (("stop",), ("kill",), ("adopt",)):
        code, out, err = person.types("--read-only", *words, run["run_id"])
        assert (code, out, "--read-only" in err) == (3, "", True)
    code, _, err = person.types("--read-only", "start", "--shared", "--command", "--", "true")
    assert (code, "start was not sent" in err) == (3, True)
    assert call(session, "run", {"run_id": run["run_id"]})["state"] == "running"


def test_a_relative_root_is_refused_by_every_command_at_once(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHOTINUS_HOME", "here")
    code, _, err = person.types("ls")
    assert (code, "relative path" in err) == (3, True)


def test_show_of_a_command_says_what_runs_where_and_on_what(
    home: Path, person: Person, session: Session
) -> None:
    one = spec(QUIET, cwd=str(home), env={"SECRET": "hunter2"}, shared_device=True)
    run_id = call(session, "start", {"start_id": "s1", "spec": one.to_json()})["run_id"]
    shown = json.loads(person.types("show", run_id, "--json")[1])
    assert (shown["argv"], shown["cwd"], shown["device"]) == (list(one.argv), str(home), "cpu")
    assert (shown["env"], shown["shared_device"]) == (["SECRET"], True)
    code, out, _ = person.types("show", run_id)
    assert code == 0
    assert "hunter2" not in out
    assert f"in           {home}" in out
    assert "device       cpu (shared)" in out


def test_a_command_that_would_fill_a_screen_is_cut_and_says_how_long_it_is() -> None:
    assert command_line(["python3", "a b.py"]) == "python3 'a b.py'"
    told = command_line(["true", *map(str, range(20_000))])
    assert told.startswith("true 0 1 2 ")
    assert "20,001 words" in told
    assert len(told) < 1000


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (("audit",), {"entries": [{"at": 1e300, "verb": "stop", "run": "", "outcome": "ok", "who": "me"}]}),
        (("audit",), {"entries": [{"at": 1e18, "verb": "stop", "run": "", "outcome": "ok", "who": "me"}]}),
        (("audit",), {"entries": [{}]}),
        (("audit",), {"entries": 7}),
        (("processes",), {"processes": [{"pid": [], "class": None}], "locks": []}),
        (("processes",), {"processes": None, "locks": {}}),
        (("ls",), {"runs": [{"run_id": 7}], "wall": 1.0}),
    ],
)
def test_an_answer_that_makes_no_sense_is_a_sentence_and_no_crash(
    person: Person,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    answer: dict[str, Any],
) -> None:
    said = {"malformed": 0, **answer}
    monkeypatch.setattr(Session, "call", lambda _self, verb, *_, **__: read_as(verb.result, said, verb.texts))
    code, _, err = person.types(*words)
    assert code == 1
    assert err.startswith("photinus: the host's answer makes no sense")
