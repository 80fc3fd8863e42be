"""Letting checkpoints go: by the retention plan, or because a resume from an earlier one superseded them."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

from trainer.config.schema import CheckpointConfig
from trainer.run.checkpoints.manifest import checkpoint_name, list_checkpoints
from trainer.run.checkpoints.pins import checkpoints_locked, read_pins
from trainer.run.checkpoints.retention import Policy, RetentionPlan, retention_plan
from trainer.run.checkpoints.trash import TRASH, TRASH_DAYS, shrink_trash, trash_checkpoints
from trainer.run.layout import RunDir
from trainer.run.run_errors import CheckpointError, LockHeldError

__all__ = ["TRASH_DAYS", "empty_trash", "prune", "set_aside"]


def plan_of(run: RunDir, config: CheckpointConfig, in_use: tuple[str, ...] = ()) -> RetentionPlan:
    """Return what the configuration keeps of the checkpoints of a run, and what it lets go.

    Raises:
        CheckpointError: the pins cannot be read: then nothing may be let go.
    """
    policy = Policy(config.keep_last, config.keep_best, config.keep_every, round(config.max_gb * 1e9))
    pins = {*(checkpoint_name(int(step)) for step in config.pins.split(",") if step), *read_pins(run)}
    return retention_plan(list_checkpoints(run.checkpoints), policy, pins, in_use)


def prune(folder: Path, config: CheckpointConfig, in_use: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Let go what the plan does not keep; return the names. Latest, best and `in_use` always stay.

    They go to the run's trash, which holds `trash_gb` and forgets after `TRASH_DAYS`. Where somebody else is
    at the checkpoints just now, or the pins cannot be read, all stay until the next time.
    """
    run = RunDir(folder.parent)
    try:
        with checkpoints_locked(run, patience_s=0.2):
            plan = plan_of(run, config, in_use)
            trash_checkpoints(run, plan.remove)
            if plan.remove:
                shrink_trash(run, round(config.trash_gb * 1e9))
    except (LockHeldError, CheckpointError):
        return ()
    return plan.remove


def set_aside(run: RunDir, after_step: int, attempt: int) -> list[str]:
    """Move checkpoints past `after_step` to the run's trash: those steps are about to be walked again."""
    later = [info for info in list_checkpoints(run.checkpoints) if info.step > after_step]
    if not later:
        return []
    pins = _pinned(run)
    for label in ("attempt", "pinned"):  # what an operator has pinned is never removed, in the trash neither
        chosen = [info for info in later if (info.name in pins) == (label == "pinned")]
        trash = run.path / TRASH / f"{label}-{attempt:03d}-{time.time_ns():x}"
        if chosen:
            trash.mkdir(mode=0o700, parents=True)
        for info in chosen:
            info.path.rename(trash / info.name)
    return [info.name for info in later]


def empty_trash(run: RunDir, talk: Callable[[str], None], now: float | None = None) -> list[str]:
    """Remove what was set aside more than `TRASH_DAYS` ago; return the names.

    Args:
        talk: hears of an entry that could not be removed; it is no reason to end a run.
        now: Unix seconds; the clock's by default.
    """
    oldest = (time.time() if now is None else now) - TRASH_DAYS * 86400
    gone = []
    for path in sorted((run.path / TRASH).glob("attempt-*")):
        if path.is_symlink() or not path.is_dir() or path.stat().st_mtime >= oldest:
            continue
        try:
            shutil.rmtree(path)
        except OSError as error:
            talk(f"{TRASH}/{path.name} could not be removed ({error}); remove it by hand")
        else:
            gone.append(path.name)
    return gone


def _pinned(run: RunDir) -> dict[str, str]:
    try:
        return read_pins(run)
    except CheckpointError:
        return {}
