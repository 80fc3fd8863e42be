"""A failure says what is known of it: who sent the signal, want of memory, the log's last line."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from remote.supervisor.evidence import TRACEBACK, TRACEBACK_LINES, last_line
from remote.supervisor.process.out_of_memory import OomWatch
from tests.remote.supervisor.stage import Stage, ask, trainer_pid, until, until_over
from trainer.run.layout import RunDir
from trainer.run.states import State

V1 = Path("/sys/fs/cgroup/memory")
V2 = Path("/sys/fs/cgroup/cgroup.controllers")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("input()", "exit code 1: EOFError: EOF when reading a line"),
        (
            "print('50 %\\r', end=''); print('\\x1b[31mno\\x07 space\\x1b[0m'); raise SystemExit(7)",
            "no space",
        ),
        ("raise SystemExit(3)", "exit code 3"),
        (
            "raise RuntimeError('device-side assert\\nCompile with DSA\\n  to see more')",
            ": RuntimeError: device-side assert",
        ),
        ("try: 1/0\nexcept ZeroDivisionError as e: raise KeyError('k\\nl') from e", ": KeyError: 'k\\nl'"),
        ("raise SystemExit(143)", "exit code 143 (as a shell tells of SIGTERM)"),
        ("raise SystemExit(200)", "exit code 200"),
        ("print('fine')", ""),
    ],
)
def test_a_command_that_fails_is_told_with_the_last_line_of_its_log(
    stage: Stage, code: str, reason: str
) -> None:
    run = stage.python(code)
    stage.begin(run)
    said = until_over(run).reason
    assert said.endswith(reason)
    assert said.isprintable()
    assert bool(said) == bool(reason)


def test_a_signal_from_outside_is_not_called_ours(stage: Stage) -> None:
    run = stage.python("import time; time.sleep(60)")
    stage.begin(run)
    until(run, State.RUNNING)
    os.kill(trainer_pid(run), signal.SIGTERM)
    assert until_over(run).reason == "killed by SIGTERM (not sent by Photinus)"
    audited = [json.loads(line) for line in (stage.home.root / "audit.jsonl").read_text().splitlines()]
    assert [(one["verb"], one["run"]) for one in audited] == [("ended", run.run_id)]
    assert "not sent by Photinus" in audited[0]["said"]


def test_a_secret_in_the_last_line_does_not_reach_the_audit_log(stage: Stage) -> None:
    secret = "hf_" + "k3" * 16
    run = stage.command("/bin/sh", "-c", f"echo 'refused: HF_TOKEN={secret}'; exit 1")
    stage.begin(run)
    assert until_over(run).state is State.FAILED
    (line,) = (stage.home.root / "audit.jsonl").read_text().splitlines()
    assert "refused" in json.loads(line)["said"], "the evidence is there"
    assert secret not in line


def test_control_what_an_operator_ended_is_his_and_a_fault_of_its_own_is_nobodys(stage: Stage) -> None:
    run = stage.python("import time; time.sleep(60)")
    stage.begin(run)
    ask(run, "kill")
    assert until_over(run).reason == "killed by operator"
    own = stage.python("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    stage.begin(own)
    assert until_over(own).reason == "killed by SIGSEGV"


def test_a_limit_of_the_kernel_is_named(stage: Stage) -> None:
    code = "import os, signal as s; s.signal(s.SIGXFSZ, s.SIG_DFL); os.kill(os.getpid(), s.SIGXFSZ)"
    limited = stage.python(code)
    stage.begin(limited)
    assert until_over(limited).reason == "killed by SIGXFSZ (its limit of a file's size: ulimit -f)"


def test_a_traceback_far_above_the_end_is_not_the_cause(tmp_path: Path) -> None:
    run = RunDir(tmp_path / "run-abcdef")
    run.log_dir.mkdir(parents=True)
    log = run.log_dir / "001.log"
    told = f"{TRACEBACK}\n  File x\n    call()\nValueError: borne\nit went on\n"
    log.write_text(told)
    assert last_line(run) == "ValueError: borne"
    log.write_text(told + "row\n" * TRACEBACK_LINES + "no space left\n")
    assert last_line(run) == "no space left"
    log.write_text(f"{TRACEBACK}\n  File x\n")
    assert last_line(run) == "  File x", "a log cut short says what it has"


class Counters:
    """A `/proc` and a cgroup tree with counters that a test turns."""

    def __init__(self, root: Path, cgroup: str, name: str) -> None:
        self.proc, self.cgroups = root / "proc", root / "cgroup"
        (self.proc / "7").mkdir(parents=True)
        (self.proc / "7" / "cgroup").write_text(cgroup)
        self.own = self.cgroups / name
        self.own.parent.mkdir(parents=True)
        self.turn(own=3, host=5)
        self.watch = OomWatch(7, self.proc, self.cgroups)
        self.watch.look()

    def turn(self, own: int, host: int) -> None:
        self.own.write_text(f"oom_kill_disable 0\nunder_oom 0\noom_kill {own}\n")
        (self.proc / "vmstat").write_text(f"nr_free_pages 9\noom_kill {host}\n")


@pytest.fixture(params=["v1", "v2"])
def counters(tmp_path: Path, request: pytest.FixtureRequest) -> Counters:
    if request.param == "v1":
        return Counters(tmp_path, "5:cpu,memory:/jobs/a\n", "memory/jobs/a/memory.oom_control")
    return Counters(tmp_path, "0::/jobs/a\n", "jobs/a/memory.events")


def test_the_cgroups_own_counter_tells_whatever_the_code_was(counters: Counters) -> None:
    assert counters.watch.verdict(was_killed=True) == ""
    counters.turn(own=4, host=6)
    assert "of its cgroup" in counters.watch.verdict(was_killed=False)
    assert "a process" in counters.watch.verdict(was_killed=True)


def test_the_hosts_counter_is_a_guess_and_only_of_a_kill(counters: Counters) -> None:
    counters.turn(own=3, host=6)
    assert "most likely this one" in counters.watch.verdict(was_killed=True)
    assert counters.watch.verdict(was_killed=False) == ""


@pytest.fixture
def small(request: pytest.FixtureRequest) -> Iterator[tuple[Path, str]]:
    """A memory cgroup of 64 MB, and the name of the file that says so."""
    if os.geteuid() != 0 or not (V1.is_dir() or V2.exists()):
        pytest.skip("needs root and a memory cgroup")
    folder = (V1 if V1.is_dir() else V2.parent) / f"photinus-test-{os.getpid()}"
    limit = "memory.limit_in_bytes" if V1.is_dir() else "memory.max"
    try:
        folder.mkdir()
        (folder / limit).write_text(str(64 << 20))
    except OSError as error:
        if folder.is_dir():
            folder.rmdir()
        pytest.skip(f"no memory cgroup can be made here: {error}")
    yield folder, limit
    folder.rmdir()


def test_the_kernels_own_killer_is_named(stage: Stage, small: tuple[Path, str]) -> None:
    folder, _ = small
    greedy = "data = []\nwhile True: data.append(bytearray(b'x' * (4 << 20)))"
    move = f'echo $$ > {folder}/cgroup.procs; exec {sys.executable} -I -S -c "{greedy}"'
    run = stage.command("/bin/sh", "-c", move)
    stage.begin(run)
    end = until_over(run, timeout=60.0)
    assert (end.state, end.signal) == (State.FAILED, signal.SIGKILL)
    # By its cgroup's counter, or by the host's where it joined its cgroup after it was first looked at.
    assert "out of memory" in end.reason or "want of memory" in end.reason
