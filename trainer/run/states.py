"""The states of a run, who may follow whom, and the record on disk."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """What the host's own files say of a run. `unreachable` exists only in a client."""

    QUEUED = "queued"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKILLABLE = "unkillable"
    DIED = "died"
    DIED_REBOOT = "died_reboot"
    UNSUPERVISED = "unsupervised"  # derived: lock free, trainer alive; never on disk


TERMINAL = frozenset({State.STOPPED, State.SUCCEEDED, State.FAILED, State.DIED, State.DIED_REBOOT})

_ENDINGS = TERMINAL | {State.UNKILLABLE}
_ALIVE = _ENDINGS | {State.STARTING, State.RUNNING, State.STOPPING}

ALLOWED: dict[State, frozenset[State]] = {
    State.QUEUED: frozenset({State.STARTING, State.STOPPED, State.FAILED}),
    State.STARTING: _ALIVE,
    State.RUNNING: _ALIVE,
    State.STOPPING: _ENDINGS | {State.STOPPING},
    State.UNKILLABLE: TERMINAL,
    **{state: frozenset({State.STARTING, State.QUEUED}) for state in TERMINAL},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StateRecord:
    """`state.json`: one writer at a time, `seq` strictly growing over the whole life of the run.

    Attributes:
        attempt: counts from 1; 0 while queued before the first.
        code, signal: how the attempt's process ended, where it did.
        restarts: weighted failures counted against `restart.max`.
        resume_from: checkpoint directory name that this attempt continues from ("" for a fresh one).
    """

    run_id: str
    state: State
    seq: int
    attempt: int
    since: float
    reason: str = ""
    code: int | None = None
    signal: int | None = None
    start_id: str = ""
    resume_from: str = ""
    restarts: int = 0
    boot_id: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain values for `state.json` and for the wire."""
        return asdict(self)

    @property
    def is_terminal(self) -> bool:
        """Whether this run is over, so that a resume is a new attempt."""
        return self.state in TERMINAL
