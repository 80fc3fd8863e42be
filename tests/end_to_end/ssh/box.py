"""A host as the tests over SSH see it: from the client's side, and, behind its back, on its own disk."""

import contextlib
import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remote.hosts.host import Host
from remote.session.link.link_state import Timings
from remote.session.session import Session, connect
from tests.remote.calling import call
from tests.remote.scripts import spec
from tests.sshd.delay import DelayProxy
from tests.sshd.server import Sshd
from tests.waiting import wait_until
from trainer.run.layout import RunDir
from trainer.run.locks import is_free
from trainer.run.process.identity import Identity, is_alive
from trainer.run.process.process_record import ProcessRecord, read_process
from trainer.run.process.survivors import survivors
from trainer.run.records import read_state
from trainer.run.run_errors import RunError
from trainer.run.states import State

QUICK = Timings(
    ping_s=0.2, lagging_s=0.4, lost_s=3.0, hello_s=5.0, backoff_s=(0.02, 0.05, 0.1), refresh_s=0.5
)


@dataclass(frozen=True, slots=True)
class Box:
    """One host, the road to it, and its state root."""

    sshd: Sshd
    host: Host
    road: DelayProxy
    root: Path

    def session(self, timings: Timings = QUICK, **more: Any) -> Session:
        """A connected session; use it as a context manager."""
        return connect(self.host, timeout=20.0, timings=timings, **more)

    def start(self, session: Session, code: str, start_id: str = "s1", **more: Any) -> str:
        """Start a script on the host; the run's id."""
        args = {"start_id": start_id, "spec": spec(code, **more).to_json()}
        return str(call(session, "start", args, 20.0)["run_id"])

    def run(self, run_id: str) -> RunDir:
        """The run's folder."""
        return RunDir(self.root / "runs" / run_id)

    def state(self, run_id: str) -> str:
        """The state on disk."""
        record = read_state(self.run(run_id))
        return record.state.value if record else ""

    def record(self, run_id: str) -> ProcessRecord:
        """Who supervises and who trains."""
        record = read_process(self.run(run_id))
        assert record is not None
        return record

    def wait_state(self, run_id: str, *states: str, timeout: float = 20.0) -> None:
        """Wait for a state on disk."""
        wait_until(lambda: self.state(run_id) in states, timeout, f"{run_id} to be {' or '.join(states)}")

    def wrongs(self) -> list[str]:
        """What is not as it must be, once all has settled and an agent has looked; empty: nothing."""
        found: list[str] = []
        runs = [RunDir(path) for path in sorted((self.root / "runs").glob("*-*"))]
        held_devices = 0
        for run in runs:
            found += _wrongs_of(run)
            with contextlib.suppress(RunError):
                record = read_state(run)
                held_devices += bool(record and not record.is_terminal)
        for lock in sorted((self.root / "devices").glob("*.lock")):
            if not is_free(lock) and not held_devices:
                found.append(f"{lock.name} is held though every run is over")
        if not is_free(self.root / "agent.lock"):
            found.append("agent.lock is held")
        return found

    def wait_right(self, timeout: float = 15.0) -> None:
        """Wait until nothing is wrong; what is wrong still after `timeout` is in the message."""
        last: list[str] = []

        def right() -> bool:
            last[:] = self.wrongs()
            return not last

        try:
            wait_until(right, timeout)
        except TimeoutError:
            raise AssertionError("; ".join(last)) from None


def _wrongs_of(run: RunDir) -> list[str]:
    state, process = read_state(run), read_process(run)
    if state is None:
        return [f"{run.run_id} has no state"]
    alive = survivors(run, process)
    supervised = not is_free(run.lock)
    found = []
    if state.is_terminal and (supervised or alive):
        found.append(
            f"{run.run_id} is {state.state}, supervised {supervised}, alive {[one.pid for one in alive]}"
        )
    if not state.is_terminal and not supervised:
        found.append(
            f"{run.run_id} is {state.state} and nobody supervises it (alive {[one.pid for one in alive]})"
        )
    if state.state == State.RUNNING and process and process.trainer and not is_alive(process.trainer):
        found.append(f"{run.run_id} is running and its trainer is gone")
    if not alive and not is_free(run.trainer_lock):
        found.append(f"{run.run_id}: trainer.lock is stuck")
    return found


def kill_nine(identity: Identity | None) -> bool:
    """kill -9 of exactly this process, known from the run's own record; False if it is gone."""
    if identity is None or not is_alive(identity):
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(identity.pid, signal.SIGKILL)
        return True
    return False
