"""The small JSON records of a run: spec, state, first and last word of the trainer, starts."""

import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from trainer.run.bounds import why_misfit
from trainer.run.changes import changed, read_changes
from trainer.run.disk.atomic import create_json, read_json, write_json, write_json_from_reserve
from trainer.run.layout import RunDir, check_run_id, check_short_id
from trainer.run.run_errors import RecordError, SpecError, StaleWriteError
from trainer.run.spec import RunSpec
from trainer.run.states import ALLOWED, State, StateRecord

T = TypeVar("T")
R = TypeVar("R", RunSpec, StateRecord)


def read_spec(run: RunDir) -> RunSpec:
    """What to run.

    Raises:
        SpecError: there is no spec, or a malformed one.
        RecordError: it cannot be read.
    """
    raw = read_json(run.spec)
    if raw is None:
        raise SpecError(f"no run {run.run_id} on this host (photinus ls shows what there is)")
    return RunSpec.from_json(raw)


def read_changed_spec(run: RunDir) -> RunSpec:
    """What to run, with what its resumes changed since.

    Raises:
        SpecError: there is no spec, or it or `changes.json` is malformed.
    """
    spec = read_spec(run)
    for change in read_changes(run):
        spec = changed(spec, change.values)
    return spec


def write_spec(run: RunDir, spec: RunSpec) -> None:
    """Store the spec, once.

    Raises:
        SpecError: the run has one already.
    """
    if spec.run_id != run.run_id:
        raise SpecError(f"spec of {spec.run_id} in the folder of {run.run_id}")
    if not create_json(run.spec, spec.to_json()):
        raise SpecError(f"run {run.run_id} exists already, and a spec never changes; start a new run")


def read_state(run: RunDir) -> StateRecord | None:
    """The state on disk; None before the first.

    Raises:
        RecordError: it cannot be read, or is malformed.
    """
    raw = read_json(run.state)
    if raw is None:
        return None
    record = parse(StateRecord, raw, run.state)
    return replace(record, state=State(record.state))


def own(run: RunDir, record: R) -> R:
    """Return a spec or state if it is of the run in whose folder it lies.

    Raises:
        RecordError: it is another run's, copied here.
    """
    if record.run_id != run.run_id:
        raise RecordError(f"a {type(record).__name__} in {run.path} is of {record.run_id[:60]!r}: a copy")
    return record


def write_state(
    run: RunDir,
    previous_seq: int,
    record: StateRecord,
    *,
    from_reserve: bool = False,
    patience_s: float = 30.0,
) -> None:
    """Replace the state if it still has `previous_seq` (0: there is none). The caller holds the run's lock
    (or, for queued and starting, agent.lock).

    Raises:
        StaleWriteError: somebody else wrote meanwhile, `seq` does not grow, or this state may not follow.
    """
    current = read_state(run)
    found = current.seq if current else 0
    if found != previous_seq or record.seq <= found:
        raise StaleWriteError(
            f"{run.run_id}: state has seq {found}, not {previous_seq}, before {record.seq}; read it again"
        )
    if record.state is State.UNSUPERVISED:
        raise StaleWriteError("unsupervised is derived, never written")
    if current and record.state is not current.state and record.state not in ALLOWED[current.state]:
        raise StaleWriteError(f"{run.run_id}: {record.state} may not follow {current.state}")
    if from_reserve:
        write_json_from_reserve(run.state, record.to_json(), run.reserve, patience_s)
    else:
        write_json(run.state, record.to_json())


@dataclass(frozen=True, slots=True, kw_only=True)
class HelloRecord:
    """The trainer's first word (`hello.json`): signal handlers are in place."""

    attempt: int
    token: str
    pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitRecord:
    """The trainer's last word (`exit.json`), so that an ending survives a lost supervisor.

    Attributes:
        outcome: `succeeded`, `stopped` or `failed`.
        step: last finished step; `steps_done` counts those of this attempt.
        hopeless: the same would happen again: a restart is of no use.
        checkpoint: directory name of the last checkpoint and `sha256` of its manifest, or None.
    """

    attempt: int
    token: str
    outcome: str
    reason: str = ""
    step: int = 0
    steps_done: int = 0
    checkpoint: str | None = None
    sha256: str | None = None
    at: float = 0.0
    hopeless: bool = False


def write_hello(run: RunDir, attempt: int, token: str, pid: int) -> None:
    """Say hello to the supervisor."""
    write_json(run.hello, asdict(HelloRecord(attempt=attempt, token=token, pid=pid)))


def read_hello(run: RunDir, attempt: int, token: str) -> HelloRecord | None:
    """The hello of this attempt; another attempt's is ignored."""
    return _of_attempt(HelloRecord, run.hello, attempt, token)


def write_exit(run: RunDir, record: ExitRecord) -> None:
    """Leave the last word; on a full disk the reserve is given up for it."""
    write_json_from_reserve(run.exit, asdict(record), run.reserve, patience_s=0.0)


def read_exit(run: RunDir, attempt: int, token: str) -> ExitRecord | None:
    """The last word of this attempt; another attempt's is ignored."""
    return _of_attempt(ExitRecord, run.exit, attempt, token)


@dataclass(frozen=True, slots=True, kw_only=True)
class StartRecord:
    """`starts/<start_id>.json`: what a start id became. It makes a repeated start answer the first one."""

    start_id: str
    run_id: str
    attempt: int
    at: float


def claim_start(folder: Path, start_id: str, run_id: str, attempt: int) -> tuple[StartRecord, bool]:
    """Record what `start_id` becomes, unless it is known; returns the record that counts, and if it is new.

    Raises:
        SpecError: an id that must not become part of a path.
    """
    path = folder / f"{check_short_id(start_id, 'start id')}.json"
    mine = StartRecord(start_id=start_id, run_id=check_run_id(run_id), attempt=attempt, at=time.time())
    if create_json(path, asdict(mine)):
        return mine, True
    return parse(StartRecord, read_json(path), path), False


def read_start(folder: Path, start_id: str) -> StartRecord | None:
    """What `start_id` became, or None."""
    path = folder / f"{check_short_id(start_id, 'start id')}.json"
    raw = read_json(path)
    return None if raw is None else parse(StartRecord, raw, path)


def parse(kind: type[T], raw: object, path: Path) -> T:
    """Build a record from what was read; keys of a later version are dropped.

    Raises:
        RecordError: a field is missing, of the wrong kind or absurd, or that is no object.
    """
    fields: dict[str, Any] = kind.__dataclass_fields__  # type: ignore[attr-defined]
    if not isinstance(raw, dict):
        raise RecordError(f"{path} is malformed: not an object")
    values = {key: value for key, value in raw.items() if key in fields}
    if why := why_misfit(kind, values):
        raise RecordError(f"{path} is malformed: {why}")
    try:
        return kind(**values)
    except TypeError as error:
        raise RecordError(f"{path} is malformed: {error}") from error


def _of_attempt(kind: type[T], path: Path, attempt: int, token: str) -> T | None:
    raw = read_json(path)
    if not isinstance(raw, dict) or raw.get("attempt") != attempt or raw.get("token") != token:
        return None
    return parse(kind, raw, path)
