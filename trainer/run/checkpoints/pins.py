"""Checkpoints that an operator keeps, whatever the policy says: `pins.json` in the folder of the run."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from trainer.run.checkpoints.manifest import NAME
from trainer.run.disk.atomic import read_json, write_json
from trainer.run.layout import RunDir
from trainer.run.locks import Flock
from trainer.run.run_errors import CheckpointError, LockHeldError, RecordError

SNAPSHOT = "snapshot"
PATIENCE_S = 10.0
PINS_MOST = 10_000


@contextmanager
def checkpoints_locked(run: RunDir, patience_s: float = PATIENCE_S) -> Iterator[None]:
    """Hold the lock under which checkpoints are pinned, removed and brought back; never while one is written.

    Raises:
        LockHeldError: somebody holds it for longer than `patience_s`.
    """
    with Flock(run.path / "checkpoints.lock") as lock:
        if not lock.take(patience_s):
            raise LockHeldError(f"{lock.path} is held by another process; try again when that has ended")
        yield


def read_pins(run: RunDir) -> dict[str, str]:
    """Return every pinned checkpoint, and why.

    Raises:
        CheckpointError: it cannot be read; removing checkpoints would be a guess.
    """
    try:
        raw = read_json(run.path / "pins.json")
    except RecordError as error:
        raise CheckpointError(f"pins.json cannot be read: {error}; mend or remove it") from error
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        raise CheckpointError("pins.json holds no object; mend or remove it")
    named = list(raw.items())[:PINS_MOST]
    return {name: _why(entry) for name, entry in named if NAME.fullmatch(name)}


def pin(run: RunDir, name: str, why: str = "pinned") -> bool:
    """Pin a checkpoint; False if it was pinned already.

    Raises:
        CheckpointError: there is no such checkpoint.
    """
    with checkpoints_locked(run):
        if not NAME.fullmatch(name) or not (run.checkpoints / name).is_dir():
            raise CheckpointError(
                f"{run.run_id} has no checkpoint {name!r}; `photinus-train checkpoints list` names them"
            )
        pins = read_pins(run)
        if name in pins:
            return False
        _write(run, pins | {name: why})
    return True


def unpin(run: RunDir, name: str) -> bool:
    """Let a pin go; False if there was none."""
    with checkpoints_locked(run):
        pins = read_pins(run)
        if name not in pins:
            return False
        _write(run, {one: why for one, why in pins.items() if one != name})
    return True


def _write(run: RunDir, pins: dict[str, str]) -> None:
    write_json(run.path / "pins.json", {name: {"why": why, "at": time.time()} for name, why in pins.items()})


def _why(entry: object) -> str:
    return str(entry.get("why", "pinned"))[:100] if isinstance(entry, dict) else "pinned"
