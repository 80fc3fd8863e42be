"""A training run, told from its first token to its last checkpoint.

`train` is the story; what it calls lies one file further: `preparing`, `stepping`, `reporting`, `saving`.
"""

from trainer.checkpoints.draft import remove_drafts
from trainer.checkpoints.retain import TRASH_DAYS, empty_trash, set_aside
from trainer.data import Corpus
from trainer.data.scored import BatchSource
from trainer.data.tasks.task_batches import batches_of
from trainer.device.device import Device, open_device, own_device
from trainer.device.operators import Fallbacks
from trainer.device.out_of_memory import unless_out_of_memory
from trainer.evals.probes.decay_prediction import DecayPrediction, decay_prediction
from trainer.job.assignment import store_config
from trainer.job.job import Job
from trainer.job.outcome import DivergedError, StoppedError
from trainer.loop.checkpoint import finish, save_checkpoint, settle
from trainer.loop.checks.misfits import misfits
from trainer.loop.context import Training, is_due, is_last
from trainer.loop.report import evaluate, look, report
from trainer.loop.setup import (
    build_state,
    choose_compiling,
    choose_kernels,
    choose_precision,
    load_corpus,
    load_scored,
    take_up,
)
from trainer.loop.step_back import next_batch, step_back, tell_others, watch
from trainer.loop.timing import Accounting, SpeedOfLight
from trainer.loop.trace import traced
from trainer.loop.worker import briefing_of
from trainer.mirror.mirror_copier import MirrorCopier
from trainer.mirror.mirror_places import place_at
from trainer.run.checkpoints.manifest import checkpoint_name
from trainer.step.metrics import StepMeter, names_of
from trainer.step.optimizer_step import to_device, train_step_within_memory
from trainer.step.self_defence import Trouble
from trainer.step.state import TrainState
from trainer.step.world import WorkerOrder, World, demand_equal, digest


def train(job: Job) -> None:
    """Carry out a job: to its last step, or to the first step after a stop was requested.

    A stop during the evaluation after the last step only cuts that one short: nothing is left to resume.

    Raises:
        StoppedError: a stop was honoured; the interrupt checkpoint, if any step was done, is on disk.
        RefusedError, TrainingFailedError: it cannot be done, or cannot go on; the message says why.
    """
    device = open_device(own_device(job.assignment.device, job.assignment.rank), job.threads)
    device.set_tf32(job.assignment.config.optim.tf32)
    device.set_deterministic(job.assignment.config.deterministic == "on")
    fallbacks = Fallbacks()
    with fallbacks.listening(), World(job.assignment.rank).join(device) as world:
        job.stop.check()
        run = prepare_training(job, device, world)
        run.fallbacks = fallbacks
        try:
            train_together(run)
        finally:
            finish(run)


def train_together(run: Training) -> None:
    """Lead a training that is prepared to its end; alone, or with processes that wait for orders."""
    job = run.job
    try:
        if run.state.owes_evaluation:
            pay_evaluation(run)
        while not is_last(run):
            job.stop.check()
            traced(run, step)
            settle(run, wait=False)
            if in_trouble(run):
                continue
            if run.looks and (is_due(run, run.config.probe.every) or job.ledger.steps_done == 1):
                look(run)
            scored = is_due(run, run.config.eval.every)
            best = scored and evaluate(run)
            if scored and diverges(run):
                continue
            due = is_due(run, run.config.checkpoint.every) or (best and is_worth_saving(run))
            due = due or bool(run.trace)
            asked = job.stop.wants_save()
            kind = "final" if is_last(run) else "best" if best else "periodic"
            if (due or asked) and not is_saved(run, kind):
                continue
            if asked:
                settle(run, wait=True)
                job.stop.acknowledge(job.ledger, "save")
            if scored and ends_early(run):
                break
    except StoppedError:
        if not is_last(run):
            interrupt(run)
            raise
        job.reporter.note(f"{job.stop.reason}, after the last step: its evaluation was cut short")
        save_checkpoint(run, "final")
    job.reporter.say("Training Finished.")


def in_trouble(run: Training) -> bool:
    """Speak a row, where it is due; step back, where what was done since the last look was no good."""
    config, trouble = run.config, None
    row = is_due(run, config.log.every) or run.job.ledger.steps_done == 1
    if row:
        trouble = report(run)
    if row or is_due(run, config.eval.every) or is_due(run, config.checkpoint.every):
        trouble = watch(run) or trouble
    if trouble:
        step_back(run, trouble)
    return trouble is not None


def is_saved(run: Training, kind: str) -> bool:
    """Save; step back, where the weights are no numbers that could be saved."""
    try:
        save_checkpoint(run, kind)
    except DivergedError as error:
        step_back(run, Trouble(str(error), run.state.step, 0))
        return False
    return True


def diverges(run: Training) -> bool:
    """Step back, where the scores that were just taken say so; else look whether they stand still."""
    state, guard = run.state, run.config.guard
    if trouble := state.defence.judge(state.step, (state.metrics or {})["val_ce"], guard):
        step_back(run, trouble)
        return True
    if state.defence.on_plateau(guard):
        tell_others(run)
        run.job.reporter.note(
            f"no better score in {guard.plateau} evaluations: the rate is {state.defence.plateau:g} of what "
            "the schedule says, from here on", "info", state.step,
        )  # fmt: skip
    return False


def ends_early(run: Training) -> bool:
    """Whether the run has waited for a better score for long enough; then it is saved, and that is said."""
    state, patience = run.state, run.config.guard.patience
    if is_last(run) or not state.defence.is_stale(run.config.guard):
        return False
    save_checkpoint(run, "final")
    run.job.reporter.note(
        f"ended early, at step {state.step} of {run.config.steps}: no better score in {patience} evaluations",
        "info", state.step,
    )  # fmt: skip
    return True


def is_worth_saving(run: Training) -> bool:
    """Whether the best score yet is saved at once."""
    keeps = run.config.checkpoint
    return keeps.keep_best > 0 and run.state.is_worth_keeping(keeps.min_improvement)


def interrupt(run: Training) -> None:
    """Save what there is, on the way out; what is in trouble is left to the checkpoint before."""
    if run.state.step:
        run.job.reporter.events.phase("stopping", run.state.step, run.job.stop.reason)
        if trouble := watch(run):
            run.job.reporter.note(f"not saved: {trouble.reason}", "warning", run.state.step)
            return
        scored = run.state.metrics is not None or not is_due(run, run.config.eval.every)
        run.state.owes_evaluation = run.state.owes_evaluation or not scored
        save_checkpoint(run, "interrupt")


def pay_evaluation(run: Training) -> None:
    """Score what an attempt before was stopped in scoring: a resumed run decides by the same scores."""
    config, state = run.config, run.state
    best = evaluate(run)
    state.owes_evaluation = False
    if diverges(run):
        return
    if state.defence.is_calm and (is_due(run, config.checkpoint.every) or (best and is_worth_saving(run))):
        state.defence.anchor = checkpoint_name(state.step)


def prepare_training(job: Job, device: Device, world: World) -> Training:
    """Load the tokens, build the model, take up the checkpoint, and set the pace; the others do likewise."""
    config, reporter = job.assignment.config, job.reporter
    corpus = load_corpus(job)
    scored = load_scored(job, corpus)
    world.order(WorkerOrder.PREPARE)
    world.share(briefing_of(job, corpus.fingerprint))
    batches = batches_of(corpus, config)
    reporter.section(["[2] Model"], "loading", f"building {config.model.kind} on {device.place}")
    stored = job.origin.manifest.raw.get("schedule", {}) if job.origin else {}
    state = build_state(config, device, corpus.vocab_size, int(stored.get("horizon", 0)))
    reporter.say(f"  Parameters: {state.model.parameter_count():,}")
    workers = f"{world.size} processes of " if world.size > 1 else ""
    reporter.say(f"  Device: {device.place}, {workers}{device.threads} threads")
    take_up(job, state, corpus, device)
    begin_lineage(job, state)
    clock = Accounting(synchronize=device.synchronize)
    with clock.outside("probe"):
        choose_kernels(job, state, device)
        choose_precision(job, state, batches, device)
    state.precision, state.kernels = world.share((state.precision, state.kernels))
    if world.size > 1:
        demand_equal(world.gather(digest(state.model)), state.step)
    with clock.outside("probe"):
        choose_compiling(job, state, batches, device)
    for line in misfits(config, state.schedule, len(corpus.val)):
        reporter.note(line, "warning")
    names = names_of(config.model)
    reporter.section(["[3] Training Loop"], "training")
    return Training(
        job, config, device, corpus, scored, batches, state, StepMeter(names), clock, world,
        looks=config.probe.every > 0 and "R" in names,
        prediction=predicted(job, state, device, corpus, batches),
        mirror=mirror_of(job),
        speed=SpeedOfLight.of(config, state, device, world.size),
    )  # fmt: skip


def mirror_of(job: Job) -> MirrorCopier | None:
    """Return the place that the configuration names, where it names one.

    Raises:
        MirrorError: it is none.
    """
    run, text = job.assignment.run, job.assignment.config.checkpoint.mirror
    return MirrorCopier(place_at(text, run.path.name), run.checkpoints) if text else None


def predicted(
    job: Job, state: TrainState, device: Device, corpus: Corpus, batches: BatchSource
) -> DecayPrediction | None:
    """Return the R that weight decay alone predicts, where it does; a run too large for that goes without."""

    def without() -> None:
        job.reporter.note("out of memory: no prediction of R by weight decay", "warning")

    return unless_out_of_memory(
        lambda: decay_prediction(job.assignment.config, state.schedule, device, corpus.vocab_size, batches),
        device,
        without,
    )


def begin_lineage(job: Job, state: TrainState) -> None:
    """Say from where this attempt walks, and move away what an earlier one left beyond that point.

    Nothing can be refused any more, so this attempt's configuration becomes the folder's.
    """
    assignment, reporter = job.assignment, job.reporter
    store_config(assignment)
    remove_drafts(assignment.run.checkpoints)
    aside = set_aside(assignment.run, state.step, assignment.attempt)
    if job.origin:
        reporter.resumed(state.step, str(job.origin.path))
    elif assignment.attempt > 1:
        reporter.events.resume(0, "")
    if aside:
        reporter.note(f"checkpoints of an earlier attempt moved to the run's trash: {', '.join(aside)}")
    if gone := empty_trash(assignment.run, lambda text: reporter.note(text, "warning")):
        reporter.note(f"removed from the run's trash after {TRASH_DAYS} days: {', '.join(gone)}")
    horizon, steps = state.schedule.horizon, assignment.config.steps
    if horizon != steps:
        reporter.note(
            f"{steps} steps under a schedule that spans {horizon}; it keeps that shape "
            "(--set optim.horizon=N gives it another)"
        )


def step(run: Training) -> None:
    """Take the next batch and perform one optimizer step."""
    with run.clock.fetching():
        arrays = next_batch(run)
        run.world.order(WorkerOrder.STEP)
        batch = to_device(run.world.part(arrays), run.device)

    def tell(message: str) -> None:
        run.job.reporter.note(message, "warning", run.state.step)

    run.state.metrics = None
    run.meter.add(*train_step_within_memory(run.state, run.config, run.device, batch, tell, run.world))
    run.clock.step(batch.targets.numel() * run.world.size)
    run.job.ledger.step = run.state.step
    run.job.ledger.steps_done += 1
