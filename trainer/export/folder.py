"""An exported model: a folder of weights, configuration, tokenizer, `modeling.py` and a card."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch import Tensor

from trainer.checkpoints.save import AVERAGE_FILE, MODEL_FILE, TOKENIZER_FILE, installed_version
from trainer.config.resolve import to_values
from trainer.data import Tokenizer
from trainer.evals.subject import config_of, demand_average, find_checkpoint, stored_tokenizer
from trainer.export.model_card import CardFacts, model_card
from trainer.export.single_file import single_file
from trainer.export.standalone import CONFIG, TOKENIZER, WEIGHTS
from trainer.job.outcome import RefusedError
from trainer.models import ModelSpecError, build
from trainer.run.checkpoints.manifest import Manifest, verify

MODELING, CARD = "modeling.py", "README.md"
FORMAT = 1


def export(
    subject: str,
    to: Path,
    evaluation: Mapping[str, Any] | None = None,
    controls: Sequence[Mapping[str, Any]] = (),
    averaged: bool = False,
) -> list[Path]:
    """Write the folder `to`, whole or not at all; return its files.

    Args:
        subject: a checkpoint, a run's folder or its id; proven before it is read.
        evaluation, controls: see `CardFacts`.
        averaged: take the averaged weights of `optim.ema` in place of those of the last step.

    Raises:
        RefusedError: there is no such checkpoint, it holds no tokenizer, or `to` is there already.
        CheckpointError: a file of it is torn or changed.
    """
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise RefusedError(f"--to {to}: it is there already; name a folder that is not, or an empty one")
    path = find_checkpoint(subject)
    manifest = verify(path)
    tokenizer = stored_tokenizer(manifest, path)
    if averaged:
        demand_average(manifest, path)
    if tokenizer is None:
        raise RefusedError(
            f"{path.name} is older than the tokenizer in a checkpoint, and cannot be exported alone; "
            "resume its run for a further step, and export that one"
        )
    to.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{to.name}-", dir=to.parent))
    try:
        weights = _weights(path, AVERAGE_FILE if averaged else "")
        _write(draft, path, manifest, tokenizer, weights, CardFacts("", 0, {}, evaluation, controls))
        draft.chmod(0o777 & ~_umask())
        if to.exists():
            to.rmdir()
        draft.rename(to)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return sorted(to.iterdir())


def _write(
    draft: Path,
    path: Path,
    manifest: Manifest,
    tokenizer: Tokenizer,
    weights: Mapping[str, Tensor],
    facts: CardFacts,
) -> None:
    config, name = config_of(manifest, path), f"{path.parent.parent.name}/{path.name}"
    try:
        model = build(config.model, tokenizer.vocab_size)
        model.load_state_dict(weights)
    except (RuntimeError, ModelSpecError) as error:
        raise RefusedError(
            f"{path.name} does not fit this version of {config.model.kind}: {str(error).splitlines()[0]}; "
            "export it with the version that trained it"
        ) from error
    save_file(dict(model.state_dict()), draft / WEIGHTS)
    shutil.copyfile(path / TOKENIZER_FILE, draft / TOKENIZER)
    document = {
        "format": FORMAT,
        "model": to_values(config)["model"],
        "vocab_size": tokenizer.vocab_size,
        "context": config.context,
        "tokenizer": tokenizer.name,
        "special_tokens": [],
    }
    (draft / CONFIG).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    title = f"{config.model.kind}, {name}: a causal language model and its tokenizer."
    source = single_file(type(model), type(tokenizer), title, installed_version())
    (draft / MODELING).write_text(source, encoding="utf-8")
    proof = hashlib.sha256((draft / WEIGHTS).read_bytes()).hexdigest()
    count = model.parameter_count()
    facts = replace(facts, name=name, parameters=count, manifest=manifest.raw, weights_sha256=proof)
    (draft / CARD).write_text(model_card(facts), encoding="utf-8")


def _weights(path: Path, average: str) -> dict[str, Tensor]:
    """The weights of the last step; of those that are averaged, the average."""
    weights = load_file(path / MODEL_FILE)
    return weights | (load_file(path / average) if average else {})


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
