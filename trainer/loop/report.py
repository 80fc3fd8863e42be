"""What a run says of itself between two steps: rows, scores, samples, looks into its oscillators."""

import math
from typing import NoReturn

from trainer.checkpoints.save import bad_weights
from trainer.config.data_source import TASK_SOURCES
from trainer.device.out_of_memory import unless_out_of_memory, within_memory
from trainer.evals.drawing import Sampling
from trainer.evals.generate import sample
from trainer.evals.probes.probe import probe
from trainer.evals.validation import AVERAGED_CE, validate
from trainer.job.outcome import DivergedError
from trainer.loop.context import Training, is_last
from trainer.step.optimizer_step import to_device
from trainer.step.self_defence import Trouble, batch_of


def report(run: Training) -> Trouble | None:
    """Read the meter and speak a row of metrics; return what is wrong with the weights, if anything is."""
    step, values = run.state.step, run.meter.read()
    lost = run.meter.streak > 0 and bool(bad_weights(run.state))
    if lost:
        values["ce"] = math.nan
    with run.clock.outside("log"):
        pace = run.clock.pace(run.config.steps - step)
        values |= {
            "reg": values.get("reg", 0.0),
            "lr": run.state.rate(step - 1, run.config.guard),
            "tokens": float(run.state.tokens),
            "tokens_per_s": pace.tokens_per_s,
            "step_ms": pace.step_ms,
            "eta_s": pace.eta_s,
            "overhead": pace.overhead,
            "data_wait": pace.data_wait,
            **(run.speed.values(pace.tokens_per_s) if run.speed else {}),
            **run.device.memory(),
        }
        if run.prediction is not None:
            values["R_predicted"] = run.prediction.at(step, values.get("u_val", math.nan))
        run.job.reporter.metrics(step, values)
    if news := run.fallbacks.news():
        run.job.reporter.note(news, "warning", step)
    if lost:
        return Trouble(f"the cross-entropy is not finite at step {step}", step, 0)
    if run.meter.skipped:
        many = f"{run.meter.skipped} of {run.meter.steps} steps skipped: loss or gradient was not finite"
        run.job.reporter.note(many, "warning", step)
    return None


def fail(run: Training, what: str) -> NoReturn:
    """End the run, with the remedy.

    Raises:
        DivergedError: always.
    """
    last = run.state.defence.anchor or run.job.ledger.checkpoint or "the beginning"
    reason = f"{what}; resume from {last} with a lower optim.lr"
    run.job.reporter.note(reason, "error", run.state.step)
    raise DivergedError(reason)


def look(run: Training) -> None:
    """Look into the oscillators on the batch of the last step, and say what was seen."""
    state, reporter = run.state, run.job.reporter
    with run.clock.outside("probe"):
        index = batch_of(state.step - 1, state.defence.skipped)
        batch = to_device(run.world.part(run.batches.batch_at(index)), run.device)

        def without() -> None:
            run.looks = False
            reporter.note("out of memory: no more looks into the oscillators", "warning", state.step)

        seen = unless_out_of_memory(lambda: probe(state, run.device, batch), run.device, without)
        if seen is not None:
            reporter.events.probe(state.step, seen.values, seen.layers)


def evaluate(run: Training) -> bool:
    """Score the held-out text and speak a sample; return whether this is the best score so far."""
    state, reporter, config = run.state, run.job.reporter, run.config
    with run.clock.outside("eval"):
        reporter.events.phase("evaluating", state.step)
        scores = validated(run)
        best = scores["val_ce"] < state.best
        state.best, state.metrics = min(state.best, scores["val_ce"]), scores
        keeps = config.checkpoint
        saves = best and keeps.keep_best > 0 and state.is_worth_keeping(keeps.min_improvement)
        reporter.evaluation(state.step, scores, best, saves=saves)
        try:
            if config.eval.sample_tokens and config.data.source not in TASK_SOURCES:
                unless_out_of_memory(lambda: speak_sample(run), run.device, lambda: without_sample(run))
        finally:
            reporter.end_evaluation()
        run.device.release_memory()
        if not is_last(run):
            reporter.events.phase("training", state.step)
    return best


def validated(run: Training) -> dict[str, float]:
    """Return the scores of the held-out text, as many sequences at a time as memory holds.

    Raises:
        DivergedError: a single one does not fit.
    """
    state, scored, begins = run.state, run.scored, run.corpus.begins[1]

    def work(rows: int) -> dict[str, float]:
        check = run.job.stop.check
        how = (state, run.config, run.device, scored.tokens, scored.bytes_per_token, check, rows, begins)
        scores = validate(*how)
        if state.average is not None:
            with state.average.lent_to(state.model):
                scores[AVERAGED_CE] = validate(*how)["val_ce"]
        return scores

    def halved(rows: int) -> None:
        run.job.reporter.note(f"out of memory: {rows} sequences scored at a time", "warning", state.step)
        run.eval_rows = rows

    return within_memory(work, run.eval_rows or state.micro_batch, run.device, halved)[0]


def without_sample(run: Training) -> None:
    """Say that there is none."""
    run.job.reporter.note("out of memory: no sample", "warning", run.state.step)


def speak_sample(run: Training) -> None:
    """Let the model continue the prompt."""
    state, wish, tokenizer = run.state, run.config.eval, run.corpus.tokenizer
    run.job.reporter.events.phase("sampling", state.step)
    prompt = tokenizer.encode(wish.prompt) or [0]
    seed = run.config.seed + state.step
    check = run.job.stop.check
    drawn = sample(
        state.model, run.device, prompt, wish.sample_tokens, Sampling(wish.temperature, seed=seed), check
    )
    text = tokenizer.decode(drawn.ids).decode("utf-8", "replace")
    run.job.reporter.sample(state.step, text, wish.prompt, drawn.R)
