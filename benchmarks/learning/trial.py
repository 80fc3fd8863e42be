"""One run of the study: the trainer's own text, batches, step and validation; no checkpoints, no log."""

import math
import time

import msgspec

from benchmarks.learning.contenders import EVAL_TOKENS, STEP_BYTES, config_of
from benchmarks.learning.fingerprint import function_of
from benchmarks.learning.ledger import Run, Trial
from benchmarks.learning.provenance import provenance
from trainer.config.schema import RunConfig
from trainer.data import Batches, Corpus, prepare
from trainer.device.device import Device, open_device
from trainer.evals.validation import validate
from trainer.loop.setup import build_state
from trainer.step.optimizer_step import to_device, train_step
from trainer.step.state import TrainState

POINTS = 8
POINT_TOKENS = 16384


def perform(trial: Trial, source: str, threads: int) -> Run:
    """Train from the seed to the last step and score.

    Args:
        source: where the corpus is, as `data.source` has it.
        threads: of torch.
    """
    config = config_of(trial.model, trial.setting, source, steps=trial.steps, seed=trial.seed)
    device = open_device("cpu", threads)
    with prepare(config.data) as corpus:
        state = build_state(config, device, corpus.vocab_size, 0)
        cpu_s, curve = fit(state, config, device, corpus)
        val_ce = score(state, config, device, corpus, EVAL_TOKENS)
        return Run(
            model=trial.model,
            corpus=trial.corpus,
            fingerprint=corpus.fingerprint,
            bytes=trial.steps * STEP_BYTES,
            steps=trial.steps,
            seed=trial.seed,
            lr=trial.setting.lr,
            beta2=trial.setting.beta2,
            warmup=trial.setting.warmup,
            parameters=state.model.parameter_count(),
            val_ce=val_ce,
            val_tokens=min(EVAL_TOKENS, len(corpus.val) - 1) // config.context * config.context,
            floors={
                name: round(getattr(corpus.floors, name), 5) for name in ("unigram", "bigram", "trigram")
            },
            curve=curve,
            cpu_s=round(cpu_s, 1),
            function=function_of(trial.model),
            **provenance(threads),
        )


def fit(
    state: TrainState, config: RunConfig, device: Device, corpus: Corpus
) -> tuple[float, list[tuple[int, float]]]:
    """Train to the last step; return the CPU seconds of the steps, and the validation CE on the way."""
    batches = Batches(corpus.train, config.context, config.batch, config.seed)
    marks = {round(config.steps * part / POINTS) for part in range(1, POINTS)}
    seconds, curve = 0.0, []
    while state.step < config.steps:
        began = time.process_time()
        train_step(state, config, device, to_device(batches.batch_at(state.step), device))
        seconds += time.process_time() - began
        if state.step in marks and (ce := score(state, config, device, corpus, POINT_TOKENS)) is not None:
            curve.append((state.step * STEP_BYTES, ce))
    return seconds, curve


def score(state: TrainState, config: RunConfig, device: Device, corpus: Corpus, tokens: int) -> float | None:
    """Validation CE over the first `tokens`, nats a byte; None where it is not finite."""
    config = msgspec.structs.replace(config, eval=msgspec.structs.replace(config.eval, tokens=tokens))
    ce = validate(state, config, device, corpus.val, 1.0, lambda: None)["val_ce"]
    return round(ce, 5) if math.isfinite(ce) else None
