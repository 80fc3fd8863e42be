"""Carrying out a start: locks, state, supervisor. The caller holds agent.lock."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from remote.supervisor.admission.spawn import RUN_LOCK, spawn_supervisor
from trainer.run.home import Home
from trainer.run.layout import RunDir
from trainer.run.locks import DeviceLocks, Flock
from trainer.run.process.identity import boot_id
from trainer.run.records import read_state, write_state
from trainer.run.spec import RunSpec
from trainer.run.states import State, StateRecord

GRAB_S = 0.01
NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Busy:
    """A lock that was not to be had: `device` names it, empty for the run's own lock."""

    device: str


def take_locks(home: Home, run: RunDir, spec: RunSpec) -> Mapping[str, Flock] | Busy:
    """The device locks (sorted, all or none) and then the run's lock, retried for 10 ms only:
    agent.lock is held.

    Raises:
        OSError: the disk refused; nothing is held.
    """
    devices, own = DeviceLocks(home.devices_dir, spec.devices), Flock(run.lock)
    try:
        if not devices.take(GRAB_S):
            return Busy(devices.busy)
        if not own.take(GRAB_S):
            devices.close()
            return Busy("")
    except OSError:  # a lock file that a full disk would not make: what was taken must not stay ours
        devices.close()
        own.close()
        raise
    return {**devices.locks, RUN_LOCK: own}


def carry_out(
    home: Home,
    run: RunDir,
    locks: Mapping[str, Flock],
    *,
    start_id: str,
    attempt: int,
    resume_from: str,
    restarts: int = 0,
    inherited: Mapping[str, str] = NOTHING,
) -> StateRecord:
    """Write `starting` and start the supervisor, which takes the locks over; a failed spawn is a failed run.

    `inherited` is environment of this supervisor and its attempts, written nowhere.

    Raises:
        OSError: the disk refused. The locks are let go.
    """
    try:
        before = read_state(run)
        state = StateRecord(
            run_id=run.run_id,
            state=State.STARTING,
            seq=before.seq + 1 if before else 1,
            attempt=attempt,
            since=time.time(),
            start_id=start_id,
            resume_from=resume_from,
            restarts=restarts,
            boot_id=boot_id(),
        )
        write_state(run, before.seq if before else 0, state)
        try:
            spawn_supervisor(home, run, attempt, locks, resume_from=resume_from, inherited=inherited)
        except OSError as error:
            return _fail(run, state, f"the supervisor could not be started: {error}")
        return state
    finally:
        for lock in locks.values():
            lock.close()


def _fail(run: RunDir, state: StateRecord, reason: str) -> StateRecord:
    failed = StateRecord(
        run_id=run.run_id,
        state=State.FAILED,
        seq=state.seq + 1,
        attempt=state.attempt,
        since=time.time(),
        reason=reason,
        start_id=state.start_id,
        resume_from=state.resume_from,
        boot_id=state.boot_id,
    )
    write_state(run, state.seq, failed)
    return failed
