"""What an agent does for a run, in ten lines, so that a test can drive a real supervisor."""

import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil

from remote.supervisor.admission.reconcile import reconcile_run
from remote.supervisor.admission.spawn import RUN_LOCK, spawn_supervisor
from tests.waiting import wait_until
from trainer.run.control import ControlRequest, put_request
from trainer.run.home import Home, open_home
from trainer.run.layout import RunDir, new_run_id
from trainer.run.locks import DeviceLocks, Flock, is_free
from trainer.run.process.identity import boot_id
from trainer.run.process.process_record import ProcessRecord, read_process
from trainer.run.records import read_spec, read_state, write_spec, write_state
from trainer.run.spec import Restart, RunSpec
from trainer.run.states import State, StateRecord

STUB = Path(__file__).with_name("stub_trainer.py")
PATIENCE = {
    "poll_s": 0.01,
    "grace_s": 0.5,
    "linger_s": 0.3,
    "stalled_s": 0.5,
    "unkillable_s": 5.0,
    "disk_full_s": 0.3,
}


@dataclass
class Stage:
    """One state root, and the runs on it."""

    home: Home
    runs: list[RunDir] = field(default_factory=list)

    @classmethod
    def open(cls, root: Path) -> "Stage":
        return cls(open_home(root))

    def trainer(self, *, restart: Restart | None = None, **config: Any) -> RunDir:
        return self.store(
            RunSpec(
                run_id=new_run_id("stub"),
                name="stub",
                kind="trainer",
                device="cpu",
                config={"steps": 10_000, **config},
                restart=restart or Restart(),
            )
        )

    def command(self, *argv: str, **more: Any) -> RunDir:
        spec = RunSpec(run_id=new_run_id("cmd"), name="cmd", kind="command", device="cpu", argv=argv, **more)
        return self.store(spec)

    def python(self, code: str, **more: Any) -> RunDir:
        return self.command(sys.executable, "-c", code, **more)

    def store(self, spec: RunSpec) -> RunDir:
        run = self.home.run(spec.run_id).create()
        write_spec(run, spec)
        self.runs.append(run)
        return run

    def begin(self, run: RunDir, *, program: Sequence[str] = (), attempt: int = 1, source: str = "") -> int:
        """Locks, `starting`, supervisor. Returns the supervisor's pid."""
        devices, own = DeviceLocks(self.home.devices_dir, read_spec(run).devices), Flock(run.lock)
        assert devices.take()
        assert own.take()
        before = read_state(run)
        seq = before.seq if before else 0
        record = StateRecord(
            run_id=run.run_id,
            state=State.STARTING,
            seq=seq + 1,
            attempt=attempt,
            since=time.time(),
            boot_id=boot_id(),
            resume_from=source,
        )
        write_state(run, seq, record)
        return spawn_supervisor(
            self.home, run, attempt, {RUN_LOCK: own, **devices.locks}, resume_from=source, program=program
        )

    def contact(self, run: RunDir) -> StateRecord:
        """What an agent does on any contact."""
        with self.home.agent_section():
            return reconcile_run(self.home, run)

    def close(self) -> None:
        """End what a failed test left, each by its pid: supervisors first, so that none restarts anything."""
        for kind in ("supervisor", "run"):
            for process in psutil.process_iter():
                with contextlib.suppress(psutil.Error):
                    words = process.cmdline()
                    marks = process.environ().get("PHOTINUS_RUN_DIR", "")
                    mine = str(self.home.root) in (" ".join(words) if kind == "supervisor" else marks)
                    if mine and process.pid != os.getpid():
                        process.kill()


def state_of(run: RunDir) -> State:
    state = read_state(run)
    assert state is not None
    return state.state


def record_of(run: RunDir) -> StateRecord:
    state = read_state(run)
    assert state is not None
    return state


def process_of(run: RunDir) -> ProcessRecord:
    record = read_process(run)
    assert record is not None
    return record


def trainer_pid(run: RunDir) -> int:
    record = process_of(run)
    assert record.trainer is not None
    return record.trainer.pid


def until(run: RunDir, *states: State, timeout: float = 20.0) -> StateRecord:
    wait_until(lambda: read_state(run) and state_of(run) in states, timeout, f"{run.run_id} to be {states}")
    return record_of(run)


def until_over(run: RunDir, timeout: float = 20.0) -> StateRecord:
    """Terminal, and the locks let go."""
    wait_until(lambda: read_state(run) and record_of(run).is_terminal, timeout, f"{run.run_id} to end")
    wait_until(lambda: is_free(run.lock), 5.0, "its lock to be let go")
    return record_of(run)


def until_steps(run: RunDir, count: int = 1) -> None:
    """The trainer's own first rows are there."""
    wait_until(lambda: run.events.exists() and run.events.read_bytes().count(b"\n") >= count, 20.0, "steps")


def until_spawned(run: RunDir) -> None:
    """Its process is recorded, hello or not."""
    wait_until(lambda: run.process.exists() and process_of(run).trainer, 10.0, "the spawn")


def until_said(run: RunDir, word: str) -> None:
    """The first attempt's log holds `word`."""
    log = run.log(1)
    wait_until(lambda: log.exists() and word in log.read_text(), 10.0, f"{run.run_id} to say {word}")


def ask(run: RunDir, verb: str, req_id: str = "req-1", **more: Any) -> ControlRequest:
    """Leave a request to the present attempt."""
    wait_until(lambda: read_process(run) is not None, 10.0, "process.json")
    record = process_of(run)
    assert verb in ("stop", "kill")
    base = ControlRequest(req_id=req_id, verb="stop", attempt=record.attempt, token=record.token, by="test")
    request = replace(base, **({"verb": verb} | more))
    put_request(run, request)
    return request


def kill_nine(pid: int) -> None:
    """SIGKILL, and wait until the kernel let go of everything it held."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: is_gone(pid), 10.0, f"{pid} to be gone")


def is_gone(pid: int) -> bool:
    """No such process, or a zombie."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def faulty(name: str, *words: str) -> tuple[str, ...]:
    """The program of a supervisor with a fault, `NAME_supervisor.py` beside this file."""
    return (sys.executable, "-P", str(Path(__file__).with_name(f"{name}_supervisor.py")), *words)


def environment(**timeouts: float) -> Mapping[str, str]:
    """What makes supervisors quick and lets them run the stub."""
    return {
        "PHOTINUS_PATIENCE": json.dumps(PATIENCE | timeouts),
        "PHOTINUS_TRAINER_ARGV": json.dumps([sys.executable, "-P", str(STUB)]),
    }
