"""A checkpoint between two steps: the state goes on disk, old ones go."""

from typing import Any

from trainer.checkpoints.retain import prune
from trainer.checkpoints.save import (
    Saved,
    Surroundings,
    capture_state,
    of_process,
    spare_memory,
    tensors_of,
    write_captured,
)
from trainer.device.host_memory import available_host_bytes
from trainer.job.outcome import DivergedError
from trainer.loop.context import Training, is_due
from trainer.loop.disk_guard import deadline_of, state_bytes, wait_for_space, with_space
from trainer.run.checkpoints.manifest import checkpoint_name
from trainer.step.world import WorkerOrder, demand_equal, digest

ENDS_THE_RUN = ("interrupt", "final")
WRITTEN_BEHIND = ("periodic", "best")
"""Kinds that training need not wait for; whoever asked for another one reads it at once."""
AT_ONCE_BYTES = 16 << 20
"""A state up to so large is written at once: in a few hundredths of a second, and then it is there."""
STOP_PATIENCE_S, END_PATIENCE_S = 30.0, 600.0
"""How long the end of an attempt waits for the mirror: after a stop, and by itself."""
ROOM = 2
"""So many copies must fit into the host's memory, for one to be taken."""


def save_checkpoint(run: Training, kind: str) -> None:
    """Put the state on disk, unless this very step is there already; then let old ones go.

    With `checkpoint.background`, training goes on as soon as the state is copied.
    """
    settle(run, wait=True)
    ledger, state, folder = run.job.ledger, run.state, run.job.assignment.run.checkpoints
    if ledger.checkpoint_step == state.step:
        return
    with run.clock.outside("save"):
        run.job.reporter.events.phase("saving", state.step)
        before = state.defence.anchor
        if state.defence.is_calm and is_regular(run, kind):
            state.defence.anchor = checkpoint_name(state.step)
        behind = kind in WRITTEN_BEHIND and may_write_behind(run)
        state.best_kept = min(state.best_kept, (state.metrics or {}).get("val_ce", state.best_kept))
        try:
            captured = capture_state(state, surroundings(run), kind, copied=behind, spare=run.writer.spare)
        except DivergedError:
            state.defence.anchor = before
            raise
        state.parent, step, anchor = captured.name, state.step, state.defence.anchor
        traced = checkpoint_name(run.config.profile.at)

        def write() -> Saved:
            return write_captured(folder, captured)

        def announce(saved: Saved) -> None:
            ledger.at_checkpoint(step, saved.name, saved.sha256)
            run.job.reporter.checkpoint(step, f"{folder.name}/{saved.name}", saved.sha256, kind, saved.bytes)
            used = (saved.name, anchor, state.defence.anchor, traced)
            let_go = prune(folder, run.config.checkpoint, in_use=used)
            if run.mirror:
                run.mirror.take(saved.name, let_go)

        if behind:
            wait_for_space(run, deadline_of(run))
            run.writer.spare = captured.tensors
            run.writer.begin(write, announce)
        else:
            announce(with_space(run, write))
        if kind not in ENDS_THE_RUN:
            run.job.reporter.events.phase("training", state.step)


def may_write_behind(run: Training) -> bool:
    """Whether checkpoints are written while training goes on: as asked for, and as memory allows."""
    size = state_bytes(run.state)
    if not run.config.checkpoint.background or size <= AT_ONCE_BYTES:
        return False
    if run.writer.may_copy is None:
        room = available_host_bytes()
        run.writer.may_copy = room is None or room >= ROOM * size
        if not run.writer.may_copy:
            run.job.reporter.note(
                f"checkpoints are written at once: the host's memory has no room for {ROOM} copies of "
                f"{size / 1e9:.1f} GB", "info", run.state.step,
            )  # fmt: skip
    return run.writer.may_copy


def settle(run: Training, *, wait: bool) -> None:
    """Announce the checkpoint that was written meanwhile, where it is whole; `wait` until it is.

    Between two steps, it also sees to it that there is memory for the first copy.

    Raises:
        OSError: it could not be written, and cannot be now.
    """
    if not wait and run.writer.may_copy is None and may_write_behind(run):
        tensors = tensors_of(run.state)
        run.writer.prepare(lambda: spare_memory(tensors))
    tell_of_mirror(run)
    if run.writer.is_busy:
        with run.clock.outside("save"):
            run.writer.settle(lambda write: with_space(run, write), wait=wait)


def tell_of_mirror(run: Training) -> None:
    """Say what the mirror has to say."""
    for level, text in run.mirror.told() if run.mirror else ():
        run.job.reporter.note(text, "warning" if level == "warning" else "info", run.state.step)


def finish(run: Training) -> None:
    """Wait, at the end of an attempt, for what is in flight: the last checkpoint, and its copy elsewhere."""
    settle(run, wait=True)
    if run.mirror is not None:
        patience = STOP_PATIENCE_S if run.job.stop.requested() else END_PATIENCE_S
        done = run.mirror.finish(patience)
        tell_of_mirror(run)
        if not done:
            run.job.reporter.note(
                "the mirror does not have every checkpoint: what is missing stays here alone", "warning",
                run.state.step,
            )  # fmt: skip


def surroundings(run: Training) -> Surroundings:
    """Return what a manifest tells beside the state."""
    corpus = run.corpus
    return Surroundings(
        run.config,
        run.device,
        corpus.fingerprint,
        corpus.vocab_size,
        reports_of_others(run),
        corpus.tokenizer.to_json(),
        run.scored.floors,
        run.trace,
    )


def is_regular(run: Training, kind: str) -> bool:
    """Whether a run that nobody had stopped would have saved here, too."""
    return kind != "interrupt" or (is_due(run, run.config.checkpoint.every) and not run.state.owes_evaluation)


def reports_of_others(run: Training) -> list[dict[str, Any]]:
    """Ask every other process for what it has for itself, and whether its weights are ours.

    Raises:
        TrainingFailedError: they are not.
    """
    if run.world.size == 1:
        return []
    run.world.order(WorkerOrder.SAVE)
    reports = run.world.gather((digest(run.state.model), of_process(run.state, run.device)))
    demand_equal([one for one, _ in reports], run.state.step)
    return [report for _, report in reports[1:]]
