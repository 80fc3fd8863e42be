"""A run on a full disk: it waits, says so, and goes on by itself when there is room again."""

import time
from collections.abc import Callable
from typing import TypeVar

from trainer.loop.context import Training
from trainer.run.checkpoints.trash import shrink_trash
from trainer.run.disk.atomic import NO_SPACE
from trainer.run.disk.space import shortage
from trainer.step.state import TrainState

T = TypeVar("T")
POLL_S = 0.05
FULL_POLL_S = 1.0
MARGIN = 2
"""Room for so many checkpoints is wanted: the one that is written, and what else the disk is used for."""


def state_bytes(state: TrainState) -> int:
    """Return about how many bytes a checkpoint of `state` takes: weights, and two moments of each."""
    return 3 * sum(one.numel() * one.element_size() for one in state.model.parameters())


def deadline_of(run: Training) -> float:
    """Return until when a run waits that begins to wait now, on the monotonic clock."""
    return time.monotonic() + run.config.checkpoint.disk_wait * 3600


def with_space(run: Training, write: Callable[[], T]) -> T:
    """Return what `write` returns; where the disk is full, wait for `checkpoint.disk_wait`, then try again.

    A stop that is requested meanwhile ends the wait: then `write` has one last try.

    Raises:
        OSError: the disk is still full, or refused for another reason.
    """
    deadline = deadline_of(run)
    while True:
        wait_for_space(run, deadline)
        try:
            return write()
        except OSError as error:
            full = error.errno in NO_SPACE or "os error 28" in str(error)
            if not full or time.monotonic() >= deadline or run.job.stop.requested():
                raise
        run.job.reporter.note("paused: the disk is full", "warning", run.state.step)
        time.sleep(FULL_POLL_S)


def wait_for_space(run: Training, deadline: float) -> None:
    """Return once there is room for `MARGIN` checkpoints, a stop is requested, or it is too late."""
    folder, needed = run.job.assignment.run.checkpoints, MARGIN * state_bytes(run.state)
    was_short = False
    while (short := shortage(folder, needed)) and time.monotonic() < deadline:
        if run.job.stop.requested():
            return
        if not was_short:
            shrink_trash(run.job.assignment.run, 0)
            run.job.reporter.note(f"paused: {short}", "warning", run.state.step)
            run.job.reporter.events.phase("paused", run.state.step, short)
        was_short = True
        time.sleep(POLL_S)
    if was_short and not short:
        run.job.reporter.note("there is room on the disk again: the run goes on", "info", run.state.step)
