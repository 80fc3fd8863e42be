"""What an evaluation looks at: a model, whole and verified, with the text that it was held out from."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import torch
from safetensors.torch import load_file

from trainer.checkpoints.save import AVERAGE_FILE, MODEL_FILE, TOKENIZER_FILE
from trainer.config.resolve import from_values
from trainer.config.schema import RunConfig
from trainer.data import Corpus, Tokenizer, default_cache_dir, prepare, prepare_or_cached
from trainer.data.progress import DataProgress, silent
from trainer.data.tasks.known_tasks import task_of
from trainer.data.tasks.task_corpus import task_corpus
from trainer.data.tokenizers.stored import tokenizer_from
from trainer.device.device import Device, open_device
from trainer.job.environment import granted_threads
from trainer.job.outcome import RefusedError
from trainer.models import LanguageModel, ModelSpecError, build
from trainer.run.checkpoints.manifest import MANIFEST, NAME, Manifest, newest_valid, verify
from trainer.run.home import open_home
from trainer.run.layout import RunDir
from trainer.run.run_errors import CheckpointError, HomeError, SpecError


@dataclass(frozen=True)
class Subject:
    """A trained model and its text.

    Attributes:
        name: run and checkpoint, for people.
        untrained: makes its twin, freshly drawn from the run's seed.
    """

    name: str
    model: LanguageModel[Any]
    corpus: Corpus
    config: RunConfig
    device: Device
    step: int

    def untrained(self) -> LanguageModel[Any]:
        """Return the same model before its first step."""
        torch.manual_seed(self.config.seed)
        model = build(self.config.model, self.corpus.vocab_size).to(self.device.place)
        return model.eval()


def find_checkpoint(name: str) -> Path:
    """Return the checkpoint that `name` means: its folder, a run's folder, or a run id of this host.

    Raises:
        RefusedError: there is none; the message says where was looked.
    """
    path = Path(name).expanduser()
    if not path.exists():
        try:
            path = open_home().run(name).path
        except (HomeError, SpecError):
            path = Path(name)
    if (path / MANIFEST).is_file() and NAME.fullmatch(path.name):
        return path
    if not path.is_dir():
        raise RefusedError(
            f"{name} is neither a checkpoint, nor the folder of a run, nor a run of this host; "
            "`photinus ls` lists the runs"
        )
    found = newest_valid(RunDir(path).checkpoints)
    if found is None:
        raise RefusedError(f"{path} has no valid checkpoint yet; train it first")
    return found.path


def load_subject(
    name: str,
    *,
    data: str | None = None,
    device: str = "",
    averaged: bool = False,
    say: Callable[[str], None] = lambda _: None,
    progress: Callable[[DataProgress], None] = silent,
) -> Subject:
    """Load and verify.

    Args:
        name: as in `find_checkpoint`.
        data: another source than the one it was trained on.
        device: where to compute; the best that there is by default.
        averaged: take the averaged weights of `optim.ema`.
        say: told what it is, and what is odd about it.
        progress: told how far the text is read, where it has to be read anew.

    Raises:
        RefusedError: no such checkpoint, its tokens are not those of the text, or no such device.
        CheckpointError: a file of it is torn or changed.
        DataError: the text cannot be read.
    """
    path = find_checkpoint(name)
    manifest = verify(path)
    config = config_of(manifest, path)
    if averaged:
        demand_average(manifest, path)
    if data:
        config = _with_data(config, data)
    place = device_for(device or "auto", config.threads or granted_threads())
    say(f"{path.parent.parent.name}/{path.name}: {config.model.kind} on {config.data.source}")
    default_cache_dir().parents[1].mkdir(mode=0o700, parents=True, exist_ok=True)  # a state root is private
    corpus = text_of(manifest, config, path, bool(data), progress)
    try:
        demand_same_tokens(manifest, config, corpus, path)
        if not data and manifest.raw.get("data_fingerprint") != corpus.fingerprint:
            say(f"{config.data.source} has changed since training: what is held out now may have been seen")
        model = load_model(path, config, corpus.vocab_size, place, averaged)
    except RefusedError:
        corpus.close()
        raise
    return Subject(f"{path.parent.parent.name}/{path.name}", model, corpus, config, place, manifest.step)


@dataclass(frozen=True)
class Speaker:
    """A trained model with its tokenizer: all that sampling needs."""

    name: str
    model: LanguageModel[Any]
    tokenizer: Tokenizer
    device: Device


def load_speaker(
    name: str, *, device: str = "", averaged: bool = False, say: Callable[[str], None] = lambda _: None
) -> Speaker | None:
    """Load and verify what sampling needs; None where an older checkpoint holds no tokenizer.

    Raises:
        RefusedError, CheckpointError: as in `load_subject`.
    """
    path = find_checkpoint(name)
    manifest = verify(path)
    tokenizer = stored_tokenizer(manifest, path)
    if tokenizer is None:
        return None
    if averaged:
        demand_average(manifest, path)
    config = config_of(manifest, path)
    place = device_for(device or "auto", config.threads or granted_threads())
    label = f"{path.parent.parent.name}/{path.name}"
    say(f"{label}: {config.model.kind} on {config.data.source}")
    model = load_model(path, config, tokenizer.vocab_size, place, averaged)
    return Speaker(label, model, tokenizer, place)


def load_model(
    path: Path, config: RunConfig, vocab_size: int, device: Device, averaged: bool = False
) -> LanguageModel[Any]:
    """Build the model of a verified checkpoint, for evaluation.

    Raises:
        RefusedError: its weights are not those of such a model.
    """
    try:
        model = build(config.model, vocab_size).to(device.place)
        weights = load_file(path / MODEL_FILE, device=str(device.place))
        if averaged:
            weights |= load_file(path / AVERAGE_FILE, device=str(device.place))
        model.load_state_dict(weights)
    except (RuntimeError, ModelSpecError) as error:
        raise RefusedError(
            f"{path.name} does not fit this version of {config.model.kind}: {str(error).splitlines()[0]}; "
            "evaluate it with the version that trained it"
        ) from error
    return model.eval()


def demand_average(manifest: Manifest, path: Path) -> None:
    """Refuse a checkpoint without averaged weights.

    Raises:
        RefusedError: it has none.
    """
    if AVERAGE_FILE not in manifest.files:
        raise RefusedError(
            f"{path.name} holds no averaged weights: a run keeps them with --set optim.ema=0.999; "
            "leave --averaged out"
        )


def stored_tokenizer(manifest: Manifest, path: Path) -> Tokenizer | None:
    """Return the tokenizer that a verified checkpoint holds, if it does.

    Raises:
        CheckpointError: what it holds is none of ours.
    """
    if TOKENIZER_FILE not in manifest.files:
        return None
    try:
        return tokenizer_from((path / TOKENIZER_FILE).read_bytes())
    except (ValueError, msgspec.MsgspecError) as error:
        raise CheckpointError(f"{path.name}: {TOKENIZER_FILE} is no tokenizer of this version") from error


def text_of(
    manifest: Manifest,
    config: RunConfig,
    path: Path,
    is_other: bool,
    progress: Callable[[DataProgress], None],
) -> Corpus:
    """Return the tokens of a checkpoint's own text (from the cache where it is gone) or of another text.

    Byte pairs are never learnt anew where the checkpoint holds them.

    Raises:
        DataError: neither text nor tokens can be had.
    """
    if (task := task_of(config.data, config.context)) is not None:
        return task_corpus(config.data, task)
    tokenizer = stored_tokenizer(manifest, path) if config.data.tokenizer != "byte" else None
    known = str(manifest.raw.get("data_fingerprint") or "-")
    if is_other:
        return prepare(config.data, progress=progress, tokenizer=tokenizer)
    own = tokenizer if config.data.tokenizer_file else None
    corpus = prepare_or_cached(config.data, known, progress=progress, tokenizer=own)
    if tokenizer is not None and corpus.fingerprint != known:
        corpus.close()
        return prepare(config.data, progress=progress, tokenizer=tokenizer)
    return corpus


def device_for(name: str, threads: int) -> Device:
    """Open a device.

    Raises:
        RefusedError: there is none of that name.
    """
    try:
        return open_device(name, threads)
    except RuntimeError as error:
        raise RefusedError(
            f"{name} is no device; give cpu, cuda, cuda:N or mps, or leave --device out"
        ) from error


def demand_same_tokens(manifest: Manifest, config: RunConfig, corpus: Corpus, path: Path) -> None:
    """Refuse a text whose token ids mean something else than they did in training.

    Raises:
        RefusedError: the vocabulary has another size, or its byte pairs were learnt on another text.
    """
    name, own = path.name, stored_tokenizer(manifest, path)
    if own is not None and own.to_json() == corpus.tokenizer.to_json():
        return
    stored = manifest.raw.get("vocab_size")
    if stored != corpus.vocab_size:
        raise RefusedError(
            f"{name} was trained with a vocabulary of {stored}, this text makes one of "
            f"{corpus.vocab_size}; evaluate it on its own data, or on text of the byte tokenizer"
        )
    if config.data.tokenizer != "byte" and manifest.raw.get("data_fingerprint") != corpus.fingerprint:
        raise RefusedError(
            f"the {config.data.tokenizer} tokens of {name} were learnt on another text than "
            f"{config.data.source} is now; evaluate it on the text that it was trained on"
        )


def config_of(manifest: Manifest, path: Path) -> RunConfig:
    """Return the configuration that a checkpoint was trained with.

    Raises:
        CheckpointError: it tells none.
    """
    raw = manifest.raw.get("config")
    if not isinstance(raw, dict):
        raise CheckpointError(f"{path.name} does not tell its configuration")
    return from_values(raw)


def _with_data(config: RunConfig, source: str) -> RunConfig:
    return msgspec.structs.replace(config, data=msgspec.structs.replace(config.data, source=source))
