"""Who computes beside the runs of this home is told before a start; one's own may be ended, by pid."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from remote.actions.adopt_reap import end_process, find_stale
from remote.actions.beside import beside as said_beside
from remote.agent.processes.processes import log_of
from remote.agent.processes.stale import why_not
from remote.agent.processes.strangers import beside, names_training, strangers
from remote.protocol.arguments import EndArgs, NoArgs, StartArgs
from remote.protocol.errors import CallError
from remote.protocol.results import ProcessRow
from remote.protocol.verbs import END, PROCESSES, START
from remote.session.session import Session
from tests.remote.scripts import QUIET, spec
from tests.remote.supervisor.stage import Stage, until
from tests.waiting import wait_until
from trainer.run.home import Home, open_home
from trainer.run.states import State
from tui.cli import main

ROOT_ONLY = pytest.mark.skipif(
    os.geteuid() != 0 or not Path("/usr/bin/python3").exists(),
    reason="only root can become another user, who needs a Python that it may execute",
)


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Stage]:
    """Another state root of this user, with a run on the CPU."""
    stage = Stage.open(tmp_path / "other")
    yield stage
    stage.close()


@pytest.fixture
def training(tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """What `nohup python train_mine.py > train.log &` leaves behind."""
    script = tmp_path / "train_mine.py"
    script.write_text(QUIET)
    with (tmp_path / "train.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, str(script)], stdout=log, start_new_session=True)
    yield process
    process.kill()
    process.wait()


def row_of(session: Session, pid: int) -> ProcessRow:
    def rows() -> list[ProcessRow]:
        return [row for row in session.call(PROCESSES, NoArgs()).processes if row.pid == pid]

    wait_until(rows, 10.0, f"pid {pid} to be listed")
    return rows()[0]


def start_of(session: Session, pid: int) -> int:
    start = row_of(session, pid).start
    assert start is not None
    return start


def test_a_run_of_another_home_is_named_with_its_device(other: Stage, home: Path) -> None:
    run = other.python(QUIET)
    supervisor = other.begin(run)
    until(run, State.RUNNING)
    mine = open_home(home)
    (found,) = [one for one in beside(mine, "cpu") if one.stat.pid == supervisor]
    assert (found.run_id, found.devices) == (run.run_id, ("cpu",))
    assert Path(found.home) == other.home.root
    assert "stop it there" in why_not(found)
    assert [one for one in beside(mine, "cuda-0") if one.stat.pid == supervisor] == []
    assert [one for one in beside(other.home, "cpu") if one.run_id == run.run_id] == []  # the control


def test_a_shared_run_of_another_home_is_named_too(other: Stage, home: Path) -> None:
    """It holds no lock of a device: its spec says which it uses."""
    run = other.python(QUIET, shared_device=True)
    supervisor = other.begin(run)
    until(run, State.RUNNING)
    assert supervisor in [one.stat.pid for one in beside(open_home(home), "cpu")]


def test_a_start_is_told_of_them_and_goes_on(other: Stage, session: Session) -> None:
    run = other.python(QUIET)
    other.begin(run)
    until(run, State.RUNNING)
    sentences = said_beside(session, "cpu")
    assert any(run.run_id in one or one.startswith("and ") for one in sentences)
    assert said_beside(session, "mps") == []


def found_with(home: Home, pid: int, **how: Any) -> Any:
    return next((one for one in strangers(home, **how) if one.stat.pid == pid), None)


def test_who_uses_an_accelerator_is_known_from_its_driver_or_from_open_files(
    home: Path, tmp_path: Path
) -> None:
    dev = tmp_path / "dev"
    dev.mkdir()
    (dev / "nvidia0").touch()
    (dev / "nvidia1").touch()
    with (dev / "nvidia1").open("rb") as device:
        process = subprocess.Popen(["sleep", "60"], pass_fds=[device.fileno()])
    try:
        mine = open_home(home)
        found = found_with(mine, process.pid, asks=lambda: [("cuda-0", process.pid, 12_000_000_000)], dev=dev)
        assert (found.devices, found.gpu_memory) == (("cuda-0",), 12_000_000_000)
        found = found_with(mine, process.pid, asks=list, dev=dev)
        assert (found.devices, found.gpu_memory) == (("cuda-1",), None)
        assert found_with(mine, process.pid, asks=list, dev=tmp_path) is None  # the control: it only sleeps
    finally:
        process.kill()
        process.wait()


def test_an_old_training_is_listed_with_its_log_and_ended_by_pid(
    session: Session, home: Path, training: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    row = row_of(session, training.pid)
    assert (row.standing, row.why_not, row.log) == ("foreign", "", str(tmp_path / "train.log"))
    start = find_stale(session, training.pid).start
    assert start is not None
    with pytest.raises(CallError, match="may be ended"):
        session.call(END, EndArgs(pid=training.pid, start=start + 1))
    assert training.poll() is None
    outcome = end_process(session, training.pid, start)
    assert outcome.ok, outcome
    assert training.wait() < 0
    audited = (home / "audit.jsonl").read_text()
    assert "train_mine.py" in audited
    assert f'"pid":{training.pid}' in audited.replace(" ", "")


def test_who_is_ended_says_what_it_had_started(session: Session, tmp_path: Path) -> None:
    """A launcher's workers may hold the device; nothing but the process that was shown is ever ended."""
    script = tmp_path / "train_many.py"
    worker = [sys.executable, "-S", "-c", QUIET]
    script.write_text(f"import subprocess\nprint(subprocess.Popen({worker!r}).pid, flush=True)\n{QUIET}")
    launcher = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, start_new_session=True)
    assert launcher.stdout is not None
    pid = int(launcher.stdout.readline())
    try:
        outcome = end_process(session, launcher.pid, start_of(session, launcher.pid))
        assert outcome.ok, outcome
        assert "what it had started goes on" in outcome.message
        assert str(pid) in outcome.message
        assert Path(f"/proc/{pid}").exists()
    finally:
        launcher.stdout.close()
        launcher.kill()
        launcher.wait()
        os.kill(pid, signal.SIGKILL)


def test_the_output_of_an_old_training_is_followed(
    session: Session, training: "subprocess.Popen[bytes]", tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "train.log"
    log.write_bytes(b"step=1 loss=2.5\n")
    row_of(session, training.pid)
    assert main(["tail", "--pid", str(training.pid)]) == 0
    assert capfd.readouterr().out == "step=1 loss=2.5\n"
    assert main(["tail", "--pid", str(training.pid), "--path", str(log)]) == 2
    log.unlink()
    log.write_bytes(b"somebody else's words\n")
    assert main(["tail", "--pid", str(training.pid)]) == 3, "another file of that name"
    view = session.call(START, StartArgs(start_id="s1", spec=spec(QUIET).to_json()))
    capfd.readouterr()
    assert main(["tail", "--pid", str(view.pid)]) == 3
    assert f"photinus tail {view.run_id}" in capfd.readouterr().err
    assert main(["tail", "--pid", "999999999"]) == 6


@ROOT_ONLY
def test_another_users_output_file_is_not_named(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"")
    with (tmp_path / "log").open("ab") as log:
        process = subprocess.Popen([sys.executable, "-S", "-c", QUIET], stdout=log)
    try:
        assert log_of(process.pid) == str(tmp_path / "log"), "the control"
        os.chown(tmp_path / "log", 65534, 65534)
        assert log_of(process.pid) == ""
    finally:
        process.kill()
        process.wait()


def test_a_process_of_a_run_is_never_ended_so(session: Session, other: Stage) -> None:
    view = session.call(START, StartArgs(start_id="s1", spec=spec(QUIET).to_json()))
    assert view.pid is not None
    with pytest.raises(CallError, match="may be ended"):
        session.call(END, EndArgs(pid=view.pid, start=start_of(session, view.pid)))
    run = other.python(QUIET)
    pid = other.begin(run)
    with pytest.raises(CallError, match="stop it there"):
        session.call(END, EndArgs(pid=pid, start=start_of(session, pid)))
    with pytest.raises(CallError, match="left alone"):
        find_stale(session, pid)


@pytest.mark.parametrize("is_clean", [False, True])
def test_a_trainer_of_another_home_is_never_ended_either(
    session: Session, other: Stage, tmp_path: Path, is_clean: bool
) -> None:
    """Its command names a training script; it is known by what it carries, or by what it came from."""
    script, noted = tmp_path / "train_there.py", tmp_path / "pid"
    script.write_text(QUIET)
    launch = (
        "import os, subprocess, sys\n"
        f"env = {{}} if {is_clean} else None\n"
        f"one = subprocess.Popen([sys.executable, {str(script)!r}], env=env)\n"
        f"name = {str(noted)!r}\n"
        "open(name + '.new', 'w').write(str(one.pid))\n"
        "os.rename(name + '.new', name)\n"
        "one.wait()\n"
    )
    run = other.python(launch)
    other.begin(run)
    wait_until(noted.exists, 20.0, "the trainer")
    pid = int(noted.read_text())
    row = row_of(session, pid)
    assert (row.home, row.why_not) == (
        str(other.home.root),
        f"it is a run of {other.home.root}: stop it there",
    )
    with pytest.raises(CallError, match="stop it there"):
        session.call(END, EndArgs(pid=pid, start=start_of(session, pid)))
    assert Path(f"/proc/{pid}").exists()


def test_what_the_agent_came_from_is_never_ended(home: Path) -> None:
    found = found_with(open_home(home), os.getppid(), asks=lambda: [("cuda-0", os.getppid(), None)])
    assert found is None or "started by it" in why_not(found)


@ROOT_ONLY
def test_another_users_training_is_shown_with_its_user_and_never_touched(
    session: Session, tmp_path: Path
) -> None:
    script = Path("/tmp") / f"train_{os.getpid()}_nobody.py"
    script.write_text(QUIET)
    process = subprocess.Popen(["/usr/bin/python3", "-I", "-S", str(script)], user=65534)
    try:
        row = row_of(session, process.pid)
        assert (row.mine, row.start) == (False, None)
        assert row.user in ("nobody", "65534")
        with pytest.raises(CallError, match="belongs to"):
            find_stale(session, process.pid)
        start = int(Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[19])
        with pytest.raises(CallError, match="belongs to"):
            session.call(END, EndArgs(pid=process.pid, start=start))
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()
        script.unlink()


@pytest.mark.parametrize(
    ("command", "is_training"),
    [
        ("python3 -u train.py", True),
        ("/opt/env/bin/python3.11 /exp/llama/pretrain_gpt.py --lr 1e-4", True),
        ("python -m mine.train", True),
        ("python /usr/bin/torchrun --nproc_per_node 8 exp/train_it.py", True),
        ("python -X dev -m torch.distributed.run --nproc_per_node 8 train.py", True),
        ("python /trainer/.venv/bin/mypy trainer/models", False),
        ("python -m pytest tests/trainer", False),
        ("python -m ruff check trainer", False),
        ("python /training/notes/serve.py", False),
        ("python -c 'import train'", False),
        ("vim train.py", False),
        ("python -m remote.agent train", False),
        ("python -W ignore", False),
        ("python", False),
    ],
)
def test_only_what_runs_a_training_script_looks_like_training(command: str, is_training: bool) -> None:
    assert names_training(command.split()) == is_training
