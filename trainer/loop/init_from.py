"""`init_from`: a run that begins with the weights of another one; all else of it is its own."""

from pathlib import Path
from typing import Any

from trainer.checkpoints.restore import restore_weights
from trainer.config.schema import RunConfig
from trainer.data import Corpus, Tokenizer, prepare_or_cached
from trainer.data.tasks.known_tasks import task_of
from trainer.data.tasks.task_corpus import task_corpus
from trainer.data.tokenizers.stored import family_of
from trainer.device.device import Device
from trainer.evals.subject import find_checkpoint, stored_tokenizer
from trainer.job.outcome import RefusedError
from trainer.run.checkpoints.manifest import verify
from trainer.step.averaged_weights import AveragedWeights
from trainer.step.state import TrainState


def tokens_of(config: RunConfig, fingerprint: str, origin: Path | None, **how: Any) -> Corpus:
    """Return the tokens of a run; byte pairs that came with its weights are not learnt anew.

    Args:
        fingerprint: of the tokens that it is known to have, or "-".
        origin: the checkpoint that it continues from, where it has one.
        how: as `prepare_or_cached` has it.

    Raises:
        RefusedError, CheckpointError: the checkpoint that is named is none, torn or changed.
        DataError, Stopped: as `prepare_or_cached`.
    """
    if (task := task_of(config.data, config.context)) is not None:
        return task_corpus(config.data, task)
    if config.data.tokenizer == "byte":
        return prepare_or_cached(config.data, fingerprint, **how)
    is_kept = bool(config.init_from or (origin is not None and config.data.tokenizer_file))
    given = tokenizer_at(origin or find_checkpoint(config.init_from), config) if is_kept else None
    corpus = prepare_or_cached(config.data, fingerprint, tokenizer=given, **how)
    if given is None and origin is not None and corpus.fingerprint != fingerprint != "-":
        again = prepare_or_cached(config.data, "-", tokenizer=tokenizer_at(origin, config), **how)
        if again.fingerprint == fingerprint:
            corpus.close()
            return again
        again.close()
    return corpus


def tokenizer_at(path: Path, config: RunConfig) -> Tokenizer | None:
    """Return the tokenizer of a checkpoint; None of one that is older than that.

    Raises:
        RefusedError: it is of another kind than the configuration's.
        CheckpointError: it is torn or changed.
    """
    tokenizer = stored_tokenizer(verify(path), path)
    if tokenizer is not None and family_of(tokenizer) != config.data.tokenizer:
        raise RefusedError(
            f"{path.name} was trained with the {tokenizer.name} tokenizer; "
            f"--set data.tokenizer={family_of(tokenizer)} begins with its weights"
        )
    return tokenizer


def initialise(state: TrainState, config: RunConfig, device: Device) -> None:
    """Give a fresh state the weights of `config.init_from`, where it names some.

    Raises:
        RefusedError: there is no such checkpoint.
        CheckpointError: it is torn or changed, or of another model.
    """
    if not config.init_from:
        return
    path = find_checkpoint(config.init_from)
    restore_weights(state, path, verify(path), device)
    if state.average is not None:
        state.average = AveragedWeights(state.model, config.optim.ema)
    state.parent = f"{path.parent.parent.name}/{path.name}"
