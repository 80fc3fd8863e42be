"""What a run says of itself between two steps: rows, scores, samples, looks into its oscillators."""

import math

from trainer.device.device import is_out_of_memory
from trainer.evals.generate import Sampling, sample
from trainer.evals.probes.probe import probe
from trainer.evals.validation import validate
from trainer.job.outcome import DivergedError
from trainer.loop.context import Training, is_last
from trainer.step.optimizer_step import to_device


def report(run: Training) -> None:
    """Read the meter and speak a row of metrics.

    Raises:
        DivergedError: the cross-entropy is not finite any more.
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
        if run.prediction is not None:
            values["R_predicted"] = run.prediction.at(step, values.get("u_val", math.nan))
        run.job.voice.metrics(step, values)
    if not math.isfinite(values["ce"]):
        last = run.job.ledger.checkpoint or "the beginning"
        reason = f"the cross-entropy is not finite at step {step}; resume from {last} with a lower optim.lr"
        run.job.voice.note(reason, "error", step)
        raise DivergedError(reason)


def look(run: Training) -> None:
    """Look into the oscillators on the batch of the last step, and say what was seen."""
    state = run.state
    with run.clock.outside("probe"):
        batch = to_device(run.world.part(run.batches.batch_at(state.step - 1)), run.device)
        try:
            seen = probe(state, run.device, batch)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            run.looks = False
            run.device.release_memory()
            run.job.voice.note("out of memory: no more looks into the oscillators", "warning", state.step)
        else:
            run.job.voice.events.probe(state.step, seen.values, seen.layers)


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
