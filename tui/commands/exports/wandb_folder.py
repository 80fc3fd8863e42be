"""A run as an offline run of Weights & Biases, written by its own library: nothing leaves this machine."""

import os
import shutil
from pathlib import Path

from tui.commands.exports.missing_library import needs
from tui.commands.exports.recorded_run import RecordedRun, numbers

QUIET = {"WANDB_ERROR_REPORTING": "false", "WANDB_SILENT": "true", "WANDB_MODE": "offline"}


def write_wandb(run: RecordedRun, folder: Path) -> None:
    """Fill a folder that `wandb sync` takes: a row a step, configuration, and facts as notes.

    Raises:
        CallError: wandb is not installed.
    """
    os.environ.update(QUIET)  # before its import, which reports and asks by itself
    try:
        import wandb
    except ImportError as error:
        raise needs("wandb", "wandb", error) from error
    settings = wandb.Settings(
        silent=True, console="off", disable_git=True, save_code=False, x_save_requirements=False,
        x_disable_stats=True, x_disable_meta=True, x_disable_machine_info=True,
    )  # fmt: skip
    made = wandb.init(
        mode="offline", project="photinus", name=run.name, notes=run.where, config=dict(run.config),
        dir=str(folder), settings=settings,
    )  # fmt: skip
    for step, values in by_step(run).items():
        made.log(values, step=step)
    made.finish()
    for written in (folder / "wandb").glob("offline-run-*"):
        for part in written.iterdir():
            part.rename(folder / part.name)
    shutil.rmtree(folder / "wandb")


def by_step(run: RecordedRun) -> dict[int, dict[str, float]]:
    """What was told of each step, by growing step: it takes no other."""
    found: dict[int, dict[str, float]] = {}
    for row in run.rows:
        found.setdefault(row.step or 0, {}).update(numbers(row))
    return dict(sorted(found.items()))
