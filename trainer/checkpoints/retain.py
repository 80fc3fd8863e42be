"""Letting checkpoints go: by the retention plan, or because a resume from an earlier one superseded them."""

import shutil
import time
from pathlib import Path

from trainer.checkpoints.draft import DRAFT_PREFIX
from trainer.config.schema import CheckpointConfig
from trainer.run.checkpoints import list_checkpoints
from trainer.run.layout import RunDir
from trainer.run.retention import Policy, retention_plan

TRASH = "trash"


def prune(folder: Path, config: CheckpointConfig, in_use: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Remove what the plan does not keep; return the names. Latest, best and `in_use` always stay."""
    policy = Policy(keep_last=config.keep_last, keep_best=config.keep_best)
    plan = retention_plan(list_checkpoints(folder), policy, in_use=in_use)
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
