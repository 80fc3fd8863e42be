"""A run in trouble steps back to its last good checkpoint: slower from there, and without the bad batches."""

from pathlib import Path
from typing import Any

import numpy as np

from trainer.checkpoints.restore import restore
from trainer.checkpoints.retain import set_aside
from trainer.config.schema import RunConfig
from trainer.device.device import Device
from trainer.job.job import Origin
from trainer.job.rank import ALONE, Rank
from trainer.loop.context import Training, is_last
from trainer.loop.init_from import initialise
from trainer.loop.report import fail
from trainer.loop.setup import build_state
from trainer.run.checkpoints.manifest import Manifest, manifest_sha256, verify
from trainer.run.run_errors import CheckpointError
from trainer.step.early_rate import EarlySteps
from trainer.step.loss_scale import HALVINGS
from trainer.step.self_defence import FOR_GOOD, SelfDefence, Trouble, merged
from trainer.step.state import TrainState
from trainer.step.world import WorkerOrder
from trainer.telemetry.events import StepBack


def watch(run: Training) -> Trouble | None:
    """Look at every step since the last look; the first trouble is what counts. Waits for the device."""
    defence, guard = run.state.defence, run.config.guard
    # fp16 finds its scale by overflowing: that is no fault as long as the scale can fall
    finding = HALVINGS if run.state.loss_scale else 0
    steps = run.meter.steps_since()
    early = EarlySteps(run.state.schedule.warmup, run.scored.floors[0])
    for number, (loss, norm) in enumerate(steps, run.state.step - len(steps) + 1):
        if found := defence.observe(number, loss, norm, guard, guard.skips + finding, early):
            return found
    if is_last(run) and not finding and defence.streak > 0 and defence.streak >= run.meter.steps:
        step, many = run.state.step, defence.streak
        what = f"loss or gradient was not finite in {many} steps in a row, up to step {step}"
        return Trouble(what, step, step - many + 1)
    return None


def step_back(run: Training, trouble: Trouble) -> None:
    """Go on from the last good checkpoint, or from the beginning where there is none.

    Raises:
        DivergedError: it did so as often as it may.
    """
    state, job, guard = run.state, run.job, run.config.guard
    run.writer.settle(lambda write: write(), wait=True)
    if state.defence.rollbacks >= guard.rollbacks:
        fail(run, trouble.reason.partition("; resume")[0])
    with run.clock.outside("save"):
        job.reporter.note(trouble.reason, "warning", trouble.step)
        target = None if trouble.restarts else target_of(run)
        run.world.order(WorkerOrder.STEP_BACK)
        place = (str(target.path), target.sha256) if target else ("", "")
        run.world.share((place, trouble, state.defence))
        return_to(state, run.config, run.device, target, trouble, run.corpus.vocab_size)
        run.meter.forget()
        aside = set_aside(job.assignment.run, state.step, job.assignment.attempt)
    name = target.path.name if target else ""
    job.ledger.step = state.step
    job.ledger.at_checkpoint(state.step if name else -1, name or None, target.sha256 if target else None)
    job.reporter.events.resume(state.step, name)
    job.reporter.events.step_back(event_of(run, trouble, name))
    job.reporter.note(summary(run, trouble, name, aside), "warning", state.step)
    job.reporter.events.phase("training", state.step)


def next_batch(run: Training) -> tuple[Any, ...]:
    """Return the next batch; one that holds what is no token is left out, as a device could not survive it.

    Raises:
        DivergedError: too many in a row.
    """
    state, left_out = run.state, 0
    while True:
        arrays = run.batches.batch_at(state.cursor)
        worst = max(int(one.view(np.uint64).max()) for one in arrays[:2])  # a negative one is a large one
        if worst < run.corpus.vocab_size:
            break
        what = f"batch {state.cursor} holds tokens outside of the vocabulary of {run.corpus.vocab_size}"
        if left_out == run.config.guard.rollbacks:
            fail(run, f"{what}, the {left_out + 1}th in a row: the token cache is damaged, remove it")
        run.job.reporter.note(f"{what}: it is left out", "warning", state.step)
        state.defence.skipped = merged([*state.defence.skipped, (state.cursor, state.cursor + 1)])
        left_out += 1
    if left_out:
        tell_others(run)
    return arrays


def tell_others(run: Training) -> None:
    """Tell every other process what this one decided alone: a lower rate, a batch that is left out."""
    run.world.order(WorkerOrder.AGREE)
    run.world.share((run.state.defence.plateau, run.state.defence.skipped))


def event_of(run: Training, trouble: Trouble, name: str) -> StepBack:
    """Return what programs are told of a step back that was just made."""
    state, guard = run.state, run.config.guard
    defence = state.defence
    return StepBack(
        seq=0,
        attempt=0,
        step=state.step,
        found=trouble.step,
        reason=trouble.reason,
        checkpoint=name,
        times=defence.rollbacks,
        most=guard.rollbacks,
        left_out=sum(end - first for first, end in defence.skipped),
        rate=defence.easing(trouble.step, guard),
        until=0 if defence.until == FOR_GOOD else defence.until,
    )


def summary(run: Training, trouble: Trouble, name: str, aside: list[str]) -> str:
    """Describe what a step back has changed."""
    defence = run.state.defence
    left_out = sum(end - first for first, end in defence.skipped)
    eased = defence.easing(trouble.step, run.config.guard)
    begin = max(defence.since, run.state.step)
    how_long = (
        f"from step {begin} to the end"
        if defence.until == FOR_GOOD or trouble.restarts
        else f"from step {begin} to {defence.until}"
    )
    moved = f"; {', '.join(aside)} moved to the run's trash" if aside else ""
    return (
        f"stepped back from step {trouble.step} to {name or 'the beginning'} ({defence.rollbacks} of "
        f"{run.config.guard.rollbacks} times): {left_out} batches are left out in all, the rate is "
        f"{eased:.3g} of what the schedule says, {how_long}{moved}"
    )


def target_of(run: Training) -> Origin | None:
    """Return the good checkpoint to go on from; None for the beginning."""
    anchor = run.state.defence.anchor
    if not anchor:
        return None
    path = Path(anchor) if Path(anchor).is_absolute() else run.job.assignment.run.checkpoints / anchor
    try:
        parent = anchor if path.name == anchor else f"{path.parent.parent.name}/{path.name}"
        return Origin(path, verify(path), manifest_sha256(path), parent)
    except CheckpointError as error:
        run.job.reporter.note(f"{error}: the run begins again", "warning", run.state.step)
        return None


def return_to(
    state: TrainState,
    config: RunConfig,
    device: Device,
    target: Origin | None,
    trouble: Trouble,
    vocab_size: int,
    rank: Rank = ALONE,
) -> None:
    """Make `state` what it was at `target`, as one that has learnt from `trouble`; every process does so."""
    before = state.defence
    if target is None:
        begin_again(state, config, device, vocab_size, rank)
    else:
        restore(state, target.path, target.manifest, device, rank)
        state.parent = target.parent
        restore_scale(state, target.manifest)
    state.defence.step_back(before, trouble, state.step, config.guard)


def begin_again(state: TrainState, config: RunConfig, device: Device, vocab_size: int, rank: Rank) -> None:
    """Make `state` what it was before its first step."""
    fresh = build_state(config, device, vocab_size, state.schedule.horizon, rank)
    initialise(fresh, config, device)
    state.model.load_state_dict(fresh.model.state_dict())
    state.optimizer.state.clear()
    state.noise.set_state(fresh.noise.get_state())
    state.step, state.tokens, state.micro_batch = 0, 0, fresh.micro_batch
    state.best, state.metrics, state.parent = fresh.best, None, fresh.parent
    state.best_kept = fresh.best_kept
    state.average = fresh.average
    state.defence = SelfDefence()


def restore_scale(state: TrainState, manifest: Manifest) -> None:
    """Give the loss of fp16 the scale that it had."""
    stored: list[Any] = manifest.raw.get("loss_scale") or []
    if state.loss_scale and len(stored) == 2:
        state.loss_scale.restore(stored)
