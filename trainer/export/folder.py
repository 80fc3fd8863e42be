"""An exported model: a folder of weights, configuration, tokenizer, `modeling.py` and a card."""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from safetensors.torch import load_file

from trainer.checkpoints.save import MODEL_FILE, TOKENIZER_FILE, installed_version
from trainer.config.resolve import to_values
from trainer.data import Tokenizer
from trainer.evals.subject import config_of, find_checkpoint, stored_tokenizer
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
) -> list[Path]:
    """Write the folder `to`, whole or not at all; return its files.

    Args:
        subject: a checkpoint, a run's folder or its id; proven before it is read.
        evaluation, controls: see `CardFacts`.

    Raises:
        RefusedError: there is no such checkpoint, it holds no tokenizer, or `to` is there already.
        CheckpointError: a file of it is torn or changed.
    """
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise RefusedError(f"--to {to}: it is there already; name a folder that is not, or an empty one")
    path = find_checkpoint(subject)
    manifest = verify(path)
    tokenizer = stored_tokenizer(manifest, path)
    if tokenizer is None:
        raise RefusedError(
            f"{path.name} is older than the tokenizer in a checkpoint, and cannot be exported alone; "
            "resume its run for a further step, and export that one"
        )
    to.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{to.name}-", dir=to.parent))
    try:
        _write(draft, path, manifest, tokenizer, evaluation, controls)
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
    evaluation: Mapping[str, Any] | None,
    controls: Sequence[Mapping[str, Any]],
) -> None:
    config, name = config_of(manifest, path), f"{path.parent.parent.name}/{path.name}"
    try:
        model = build(config.model, tokenizer.vocab_size)
        model.load_state_dict(load_file(path / MODEL_FILE))
    except (RuntimeError, ModelSpecError) as error:
        raise RefusedError(
            f"{path.name} does not fit this version of {config.model.kind}: {str(error).splitlines()[0]}; "
            "export it with the version that trained it"
        ) from error
    shutil.copyfile(path / MODEL_FILE, draft / WEIGHTS)
    shutil.copyfile(path / TOKENIZER_FILE, draft / TOKENIZER)
    told = {
        "format": FORMAT,
        "model": to_values(config)["model"],
        "vocab_size": tokenizer.vocab_size,
        "context": config.context,
        "tokenizer": tokenizer.name,
        "special_tokens": [],
    }
    (draft / CONFIG).write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    title = f"{config.model.kind}, {name}: a causal language model and its tokenizer."
    source = single_file(type(model), type(tokenizer), title, installed_version())
    (draft / MODELING).write_text(source, encoding="utf-8")
    facts = CardFacts(name, model.parameter_count(), manifest.raw, evaluation, controls)
    (draft / CARD).write_text(model_card(facts), encoding="utf-8")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
