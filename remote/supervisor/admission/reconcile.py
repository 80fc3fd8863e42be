"""What any agent contact does about a run whose supervisor is gone."""

import time
from collections.abc import Sequence
from dataclasses import replace

from remote.supervisor.admission.spawn import RUN_LOCK, spawn_supervisor
from remote.supervisor.attempt_outcome import AttemptOutcome
from remote.supervisor.progress import lived_s, made_progress
from remote.supervisor.restart_policy import Retry, retry_for
from remote.supervisor.timeouts import SupervisorTimeouts
from trainer.run.control import pending
from trainer.run.home import Home
from trainer.run.layout import RunDir
from trainer.run.locks import DeviceLocks, Flock, is_free
from trainer.run.process.identity import boot_id
from trainer.run.process.process_record import ProcessRecord, read_process
from trainer.run.process.survivors import elsewhere, settled
from trainer.run.reconcile import Action, Facts, ReconcileDecision, judge
from trainer.run.records import read_exit, read_spec, read_state, write_state
from trainer.run.run_errors import RunError
from trainer.run.spec import RunSpec
from trainer.run.states import State, StateRecord

PROBE_S = 0.05


def reconcile_run(
    home: Home, run: RunDir, *, program: Sequence[str] = (), timeouts: SupervisorTimeouts | None = None
) -> StateRecord:
    """Adopt the survivors of `run`, or mark what became of it, or leave it as it is; returns its state.

    Call it under agent.lock. It writes only while it holds the run's lock; a held lock means supervised.
    Whether a run that died is to be resumed, `retry_after_loss` says.

    Raises:
        RunError: the run has no state, or a malformed file.
        OSError: the disk is full, or no process could be made.
    """
    state = _state(run)
    if state.is_terminal or state.state is State.QUEUED or not is_free(run.lock):
        return state
    lock = Flock(run.lock)
    if not lock.take(PROBE_S):
        return _state(run)
    try:
        return _settle(home, run, lock, program, timeouts or SupervisorTimeouts.from_env())
    finally:
        lock.close()


def _settle(
    home: Home, run: RunDir, lock: Flock, program: Sequence[str], timeouts: SupervisorTimeouts
) -> StateRecord:
    state, spec, process = _state(run), read_spec(run), read_process(run)
    verdict = judge(_facts(run, spec, state, process), timeouts.forgotten_s)
    if verdict.action is Action.ADOPT and process:
        _hand_over(home, run, lock, spec, process.attempt, program, adopt=True)
    if verdict.action is not Action.MARK:
        return state
    return _mark(run, state, verdict)


def retry_after_loss(run: RunDir, timeouts: SupervisorTimeouts | None = None) -> Retry | None:
    """Whether the spec wants a run resumed that died with its supervisor, with the new count of `restarts`.

    A run that an operator had asked to end is never resumed.

    Raises:
        RunError: its files are malformed.
    """
    state, spec, process = _state(run), read_spec(run), read_process(run)
    if state.state not in (State.DIED, State.DIED_REBOOT) or _original(run, process):
        return None  # a copy resumes nothing by itself: the original may be going on
    return retry_for(
        spec,
        AttemptOutcome(state.state, state.reason, state.code, state.signal),
        asked=bool(process and _asked(run, process)),
        progressed=spec.kind == "command" or made_progress(run, state.attempt),
        spent=state.restarts,
        cap_s=(timeouts or SupervisorTimeouts.from_env()).backoff_cap_s,
        lived_s=lived_s(run),
    )


def _asked(run: RunDir, process: ProcessRecord) -> str:
    """The strongest unanswered request to the recorded attempt."""
    verbs = {request.verb for request in pending(run, process.attempt, process.token)}
    return "kill" if "kill" in verbs else "stop" if "stop" in verbs else ""


def _facts(run: RunDir, spec: RunSpec, state: StateRecord, process: ProcessRecord | None) -> Facts:
    mine = process if process and process.attempt >= state.attempt else None
    return Facts(
        state=state,
        kind=spec.kind,
        boot_id=boot_id(),
        recorded_boot=mine.boot_id if mine else state.boot_id,
        taken_up=mine is not None,
        survivors=len(settled(run, process)) if process else 0,
        last_word=read_exit(run, mine.attempt, mine.token) if mine else None,
        asked=_asked(run, mine) if mine else "",
        age_s=time.time() - state.since,
        original=_original(run, process),
    )


def _original(run: RunDir, process: ProcessRecord | None) -> str:
    """The folder whose processes these are, where `run` is a copy of it; else ""."""
    if process is None:
        return ""
    if process.place is not None:
        return process.place.path if process.is_of_a_copy(run) else ""
    return elsewhere(run, process)


def _mark(run: RunDir, state: StateRecord, verdict: ReconcileDecision) -> StateRecord:
    record = replace(
        state,
        state=verdict.state,
        reason=verdict.reason,
        seq=state.seq + 1,
        since=time.time(),
        code=None,
        signal=verdict.signal,
        boot_id=boot_id(),
    )
    write_state(run, state.seq, record, from_reserve=True, patience_s=0.0)
    return record


def _hand_over(
    home: Home, run: RunDir, lock: Flock, spec: RunSpec, attempt: int, program: Sequence[str], *, adopt: bool
) -> None:
    """Spawn an adopting supervisor; without the device's lock if another run took that meanwhile: better
    supervised without it than not at all."""
    devices = DeviceLocks(home.devices_dir, spec.devices)
    try:
        devices.take(PROBE_S)
        held = {name: one for name, one in devices.locks.items() if one.is_held}
        spawn_supervisor(home, run, attempt, {RUN_LOCK: lock, **held}, adopt=adopt, program=program)
    finally:
        devices.close()


def _state(run: RunDir) -> StateRecord:
    state = read_state(run)
    if state is None:
        raise RunError(f"{run.run_id} has no state: its start was never recorded; start it again")
    return state
