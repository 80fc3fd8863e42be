"""A checkpoint between two steps: the state goes on disk, old ones go."""

from typing import Any

from trainer.checkpoints.retain import prune
from trainer.checkpoints.save import Surroundings, of_process, save
from trainer.job.outcome import DivergedError
from trainer.loop.context import Training, is_due
from trainer.loop.disk_guard import with_space
from trainer.run.checkpoints.manifest import checkpoint_name
from trainer.step.world import WorkerOrder, demand_equal, digest

ENDS_THE_RUN = ("interrupt", "final")


def save_checkpoint(run: Training, kind: str) -> None:
    """Put the state on disk, unless this very step is there already; then let old ones go."""
    ledger, state, folder = run.job.ledger, run.state, run.job.assignment.run.checkpoints
    if ledger.checkpoint_step == state.step:
        return
    with run.clock.outside("save"):
        run.job.reporter.events.phase("saving", state.step)
        before = state.defence.anchor
        if state.defence.is_calm and is_regular(run, kind):
            state.defence.anchor = checkpoint_name(state.step)
        others = reports_of_others(run)
        corpus, tokenizer = run.corpus, run.corpus.tokenizer.to_json()
        around = Surroundings(
            run.config,
            run.device,
            corpus.fingerprint,
            corpus.vocab_size,
            others,
            tokenizer,
            run.scored.floors,
            run.trace,
        )
        try:
            saved = with_space(run, lambda: save(folder, state, around, kind))
        except DivergedError:
            state.defence.anchor = before
            raise
        ledger.at_checkpoint(state.step, saved.name, saved.sha256)
        state.parent = saved.name
        run.job.reporter.checkpoint(
            state.step, f"{folder.name}/{saved.name}", saved.sha256, kind, saved.bytes
        )
        traced = checkpoint_name(run.config.profile.at)
        prune(folder, run.config.checkpoint, in_use=(saved.name, state.defence.anchor, traced))
        if kind not in ENDS_THE_RUN:
            run.job.reporter.events.phase("training", state.step)


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
