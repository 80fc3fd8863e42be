"""Letting checkpoints go: by the retention plan, or because a resume from an earlier one superseded them."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

from trainer.checkpoints.draft import DRAFT_PREFIX
from trainer.config.schema import CheckpointConfig
from trainer.run.checkpoints.manifest import checkpoint_name, list_checkpoints
from trainer.run.checkpoints.pins import read_pins
from trainer.run.checkpoints.retention import Policy, retention_plan
from trainer.run.layout import RunDir

TRASH = "trash"
TRASH_DAYS = 7
"""How long superseded checkpoints stay, counted from when the last of them was moved there."""


def prune(folder: Path, config: CheckpointConfig, in_use: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Remove what the plan does not keep; return the names. Latest, best and `in_use` always stay."""
    policy = Policy(config.keep_last, config.keep_best, config.keep_every, round(config.max_gb * 1e9))
    run = RunDir(folder.parent)
    pins = {*(checkpoint_name(int(step)) for step in config.pins.split(",") if step), *read_pins(run)}
    plan = retention_plan(list_checkpoints(folder), policy, pins, in_use)
    for name in plan.remove:
        doomed = folder / f"{DRAFT_PREFIX}removed-{name}"
        (folder / name).rename(doomed)  # so that no half-removed folder looks like a checkpoint
        shutil.rmtree(doomed)
    return plan.remove


def set_aside(run: RunDir, after_step: int, attempt: int) -> list[str]:
    """Move checkpoints past `after_step` to the run's trash: those steps are about to be walked again."""
    later = [info for info in list_checkpoints(run.checkpoints) if info.step > after_step]
    if not later:
        return []
    trash = run.path / TRASH / f"attempt-{attempt:03d}-{time.time_ns():x}"
    trash.mkdir(mode=0o700, parents=True)
    for info in later:
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
