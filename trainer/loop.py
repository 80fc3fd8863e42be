"""A training run, told from its first token to its last checkpoint.

`train` is the story; what it calls lies one file further: `preparing`, `stepping`, `evals`, `checkpoints`.
"""

import math
from dataclasses import dataclass
from typing import Any

from trainer.accounting import Accounting
from trainer.assigning import store_config
from trainer.checkpoints.draft import remove_drafts
from trainer.checkpoints.retain import TRASH_DAYS, empty_trash, prune, set_aside
from trainer.checkpoints.write import Surroundings, of_process, save
from trainer.config.schema import RunConfig
from trainer.data import Batches, Corpus
from trainer.device import Device, open_device, own_device
from trainer.distributed import Order, World, demand_equal, digest
from trainer.endings import StoppedError, TrainingFailedError
from trainer.evals.sampling import Sampling, sample
from trainer.evals.validation import validate
from trainer.following import briefing_of
from trainer.job import Job
from trainer.metrics import Meter, names_of
from trainer.preparing import build_state, choose_precision, load_corpus, take_up
from trainer.state import TrainState
from trainer.stepping import to_device, train_step_within_memory

ENDS_THE_RUN = ("interrupt", "final")


@dataclass(slots=True)
class Training:
    """A run under way: what changes is in `state`, the rest stays as it is."""

    job: Job
    config: RunConfig
    device: Device
    corpus: Corpus
    batches: Batches
    state: TrainState
    meter: Meter
    clock: Accounting
    world: World


def train(job: Job) -> None:
    """Carry out a job: to its last step, or to the first step after a stop was requested.

    A stop during the evaluation after the last step only cuts that one short: nothing is left to resume.

    Raises:
        StoppedError: a stop was honoured; the interrupt checkpoint, if any step was done, is on disk.
        RefusedError, TrainingFailedError: it cannot be done, or cannot go on; the message says why.
    """
    device = open_device(own_device(job.assignment.device, job.assignment.rank), job.threads)
    with World(job.assignment.rank).join(device) as world:
        job.stop.check()
        train_together(prepare_training(job, device, world))


def train_together(run: Training) -> None:
    """Lead a training that is prepared to its end; alone, or with processes that wait for orders."""
    job = run.job
    try:
        while not is_last(run):
            job.stop.check()
            step(run)
            if is_due(run, run.config.log.every) or job.ledger.steps_done == 1:
                report(run)
            best = is_due(run, run.config.eval.every) and evaluate(run)
            if is_due(run, run.config.checkpoint.every) or (best and run.config.checkpoint.keep_best):
                save_checkpoint(run, "final" if is_last(run) else "best" if best else "periodic")
    except StoppedError:
        if not is_last(run):
            interrupt(run)
            raise
        job.voice.note(f"{job.stop.reason}, after the last step: its evaluation was cut short")
        save_checkpoint(run, "final")
    job.voice.say("Training Finished.")


def interrupt(run: Training) -> None:
    """Save what there is, on the way out."""
    if run.state.step:
        run.job.voice.events.phase("stopping", run.state.step, run.job.stop.reason)
        save_checkpoint(run, "interrupt")


def prepare_training(job: Job, device: Device, world: World) -> Training:
    """Load the tokens, build the model, take up the checkpoint, and set the pace; the others do likewise."""
    config, voice = job.assignment.config, job.voice
    corpus = load_corpus(job)
    world.order(Order.PREPARE)
    world.share(briefing_of(job, corpus.fingerprint))
    batches = Batches(corpus.train, config.context, config.batch, config.seed)
    voice.section(["[2] Model"], "loading", f"building {config.model.kind} on {device.place}")
    stored = job.origin.manifest.raw.get("schedule", {}) if job.origin else {}
    state = build_state(config, device, corpus.vocab_size, int(stored.get("horizon", 0)))
    voice.say(f"  Parameters: {state.model.parameter_count():,}")
    crew = f"{world.size} processes of " if world.size > 1 else ""
    voice.say(f"  Device: {device.place}, {crew}{device.threads} threads")
    take_up(job, state, corpus, device)
    begin_lineage(job, state)
    clock = Accounting()
    with clock.outside("probe"):
        choose_precision(job, state, batches, device)
    state.precision = world.share(state.precision)
    if world.size > 1:
        demand_equal(world.gather(digest(state.model)), state.step)
    voice.section(["[3] Training Loop"], "training")
    return Training(job, config, device, corpus, batches, state, Meter(names_of(config.model)), clock, world)


def begin_lineage(job: Job, state: TrainState) -> None:
    """Say from where this attempt walks, and move away what an earlier one left beyond that point.

    Nothing can be refused any more, so this attempt's configuration becomes the folder's.
    """
    assignment, voice = job.assignment, job.voice
    store_config(assignment)
    remove_drafts(assignment.run.checkpoints)
    aside = set_aside(assignment.run, state.step, assignment.attempt)
    if job.origin:
        voice.resumed(state.step, str(job.origin.path))
    elif assignment.attempt > 1:
        voice.events.resume(0, "")
    if aside:
        voice.note(f"checkpoints of an earlier attempt moved to the run's trash: {', '.join(aside)}")
    if gone := empty_trash(assignment.run, lambda text: voice.note(text, "warning")):
        voice.note(f"removed from the run's trash after {TRASH_DAYS} days: {', '.join(gone)}")
    horizon, steps = state.schedule.horizon, assignment.config.steps
    if horizon != steps:
        voice.note(
            f"{steps} steps under a schedule that spans {horizon}; it keeps that shape "
            "(--set optim.horizon=N gives it another)"
        )


def step(run: Training) -> None:
    """Take the next batch and perform one optimizer step."""
    run.world.order(Order.STEP)
    batch = to_device(run.world.part(run.batches.batch_at(run.state.step)), run.device)

    def tell(message: str) -> None:
        run.job.voice.note(message, "warning", run.state.step)

    run.state.metrics = None
    run.meter.add(*train_step_within_memory(run.state, run.config, run.device, batch, tell, run.world))
    run.clock.step(batch.inputs.numel() * run.world.size)
    run.job.ledger.step = run.state.step
    run.job.ledger.steps_done += 1


def report(run: Training) -> None:
    """Read the meter and speak a row of metrics.

    Raises:
        TrainingFailedError: the cross-entropy is not finite any more.
    """
    step, values = run.state.step, run.meter.read()
    with run.clock.outside("log"):
        pace = run.clock.pace(run.config.steps - step)
        values |= {
            "reg": values.get("reg", 0.0),
            "lr": run.state.schedule.rate(step - 1),
            "tokens": float(run.state.tokens),
            "tokens_per_s": pace.tokens_per_s,
            "step_ms": pace.step_ms,
            "eta_s": pace.eta_s,
            "overhead": pace.overhead,
            **run.device.memory(),
        }
        run.job.voice.metrics(step, values)
    if not math.isfinite(values["ce"]):
        last = run.job.ledger.checkpoint or "the beginning"
        reason = f"the cross-entropy is not finite at step {step}; resume from {last} with a lower optim.lr"
        run.job.voice.note(reason, "error", step)
        raise TrainingFailedError(reason)


def evaluate(run: Training) -> bool:
    """Score the held-out text and speak a sample; return whether this is the best score so far."""
    state, voice, config, check = run.state, run.job.voice, run.config, run.job.stop.check
    with run.clock.outside("eval"):
        voice.events.phase("evaluating", state.step)
        val, width = run.corpus.val, run.corpus.bytes_per_token
        scores = validate(state, config, run.device, val, width, check)
        best = scores["val_ce"] < state.best
        state.best, state.metrics = min(state.best, scores["val_ce"]), scores
        voice.evaluation(state.step, scores, best, saves=best and config.checkpoint.keep_best > 0)
        try:
            if config.eval.sample_tokens:
                speak_sample(run)
        finally:
            voice.end_evaluation()
        run.device.release_memory()
        if not is_last(run):
            voice.events.phase("training", state.step)
    return best


def speak_sample(run: Training) -> None:
    """Let the model continue the prompt."""
    state, wish, tokenizer = run.state, run.config.eval, run.corpus.tokenizer
    run.job.voice.events.phase("sampling", state.step)
    prompt = tokenizer.encode(wish.prompt) or [0]
    seed = run.config.seed + state.step
    check = run.job.stop.check
    drawn = sample(
        state.model, run.device, prompt, wish.sample_tokens, Sampling(wish.temperature, seed=seed), check
    )
    text = tokenizer.decode(drawn.ids).decode("utf-8", "replace")
    run.job.voice.sample(state.step, text, wish.prompt, drawn.R)


def save_checkpoint(run: Training, kind: str) -> None:
    """Put the state on disk, unless this very step is there already; then let old ones go."""
    ledger, state, folder = run.job.ledger, run.state, run.job.assignment.run.checkpoints
    if ledger.checkpoint_step == state.step:
        return
    with run.clock.outside("save"):
        run.job.voice.events.phase("saving", state.step)
        others = reports_of_others(run)
        around = Surroundings(run.config, run.device, run.corpus.fingerprint, run.corpus.vocab_size, others)
        saved = save(folder, state, around, kind)
        ledger.at_checkpoint(state.step, saved.name, saved.sha256)
        state.parent = saved.name
        run.job.voice.checkpoint(state.step, f"{folder.name}/{saved.name}", saved.sha256, kind, saved.bytes)
        prune(folder, run.config.checkpoint, in_use=(saved.name,))
        if kind not in ENDS_THE_RUN:
            run.job.voice.events.phase("training", state.step)


def reports_of_others(run: Training) -> list[dict[str, Any]]:
    """Ask every other process for what it has for itself, and whether its weights are ours.

    Raises:
        TrainingFailedError: they are not.
    """
    if run.world.size == 1:
        return []
    run.world.order(Order.SAVE)
    reports = run.world.gather((digest(run.state.model), of_process(run.state, run.device)))
    demand_equal([one for one, _ in reports], run.state.step)
    return [report for _, report in reports[1:]]


def is_last(run: Training) -> bool:
    """Whether every planned step is done."""
    return run.state.step == run.config.steps


def is_due(run: Training, every: int) -> bool:
    """Whether something that happens every so many steps (0: never) and at the end happens now."""
    return is_last(run) or (every > 0 and run.state.step % every == 0)
