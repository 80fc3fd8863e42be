"""From a file of torch.save to a checkpoint of ours: weights and tokenizer, no optimizer."""

import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import torch
from torch import Tensor

from trainer.checkpoints.draft import Draft
from trainer.checkpoints.save import FORMAT, MODEL_FILE, TOKENIZER_FILE, installed_version, tokenizer_facts
from trainer.config.config_error import ConfigError
from trainer.config.model import ModelConfig
from trainer.config.resolve import to_values
from trainer.config.schema import RunConfig
from trainer.data import Tokenizer
from trainer.data.tokenizers.stored import family_of
from trainer.data.tokenizers.tokenizer import ByteTokenizer
from trainer.foreign.pt_file import PtFile, check_tensors, first_number, read_weights
from trainer.foreign.tokenizer_files import read_tokenizer
from trainer.foreign.weight_names import ForeignModel, Told, own_names
from trainer.job.outcome import RefusedError
from trainer.models import ModelSpecError, build
from trainer.run.checkpoints.manifest import IMPORTED, checkpoint_name

INSIDE = ("model_state_dict", "model_state", "state_dict", "model")
STEPS = ("step", "global_step", "iter_num", "iteration")
NO_TOKENIZER = "none"


@dataclass(frozen=True, slots=True)
class TakenOver:
    """A checkpoint that was made of a foreign file: where it lies, whose it was, and what was assumed."""

    path: Path
    program: str
    kind: str
    parameters: int
    vocab_size: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TokenizerTold:
    """What an operator says of the tokens: `byte`, `none` or a file, and what that file does not tell."""

    name: str
    split: str = ""
    extra: int = 0


def take_over(source: Path, folder: Path, tokenizer: TokenizerTold, told: Told) -> TakenOver:
    """Write `folder/checkpoints/step-NNNNNNNN` with the weights of `source`.

    Raises:
        RefusedError: it is no file of weights, or of no model that has a form here; or the step is taken.
        ConfigError: something must be told, or what was told does not fit.
        OSError: a file cannot be read or written.
    """
    pt = read_weights(source)
    tensors, step, arguments = contents(source.name, pt)
    check_tensors(source.name, tensors, pt.bytes)
    found = own_names(tensors, replace(told, arguments=arguments))
    chosen = demand_tokenizer(tokenizer, found.vocab_size)
    config = config_for(found, chosen)
    weights = fitted(found, config.model)
    path = folder / "checkpoints" / checkpoint_name(step)
    if path.exists():
        raise RefusedError(f"{path} is there already; give another folder with --to")
    with Draft(path.parent, path.name) as draft:
        draft.tensors(MODEL_FILE, weights)
        if chosen is not None:
            draft.file(TOKENIZER_FILE, chosen.to_json())
        draft.publish(_manifest(source, pt, step, config, found, chosen))
    count = sum(one.numel() for one in weights.values())
    return TakenOver(path, found.program, config.model.kind, count, found.vocab_size, found.notes)


def contents(name: str, pt: PtFile) -> tuple[dict[str, Tensor], int, Mapping[str, Any]]:
    """Return the weights of a file, the step that it tells (0: none), and its `model_args`.

    Raises:
        RefusedError: there are no weights in it.
    """
    outer = pt.value if isinstance(pt.value, dict) else {}
    inner = next((outer[key] for key in INSIDE if isinstance(outer.get(key), dict)), outer)
    tensors = {key: one for key, one in inner.items() if isinstance(key, str) and isinstance(one, Tensor)}
    if not tensors:
        raise RefusedError(f"{name} holds no weights: neither at its top nor under {', '.join(INSIDE)}")
    arguments = outer.get("model_args")
    return tensors, first_number(outer, STEPS) or 0, arguments if isinstance(arguments, dict) else {}


def demand_tokenizer(told: TokenizerTold, vocab_size: int) -> Tokenizer | None:
    """Return the tokenizer that an operator named; None where they said that there is none.

    Raises:
        ConfigError: none was named, it is none of ours, or has another vocabulary.
    """
    text = told.name
    if not text:
        raise ConfigError(
            f"the file does not tell what its {vocab_size:,} tokens mean: say --tokenizer byte, --tokenizer "
            "FILE (a tokenizer.json of a checkpoint here or of Hugging Face, nanoGPT's meta.pkl, a file of "
            "tiktoken, or GPT-2's vocab.bpe or merges.txt), or --tokenizer none (it can be scored and "
            "exported, not sampled)"
        )
    if text == NO_TOKENIZER:
        return None
    tokenizer: Tokenizer = ByteTokenizer()
    if text != tokenizer.name:
        tokenizer = read_tokenizer(Path(text).expanduser(), told.split, told.extra)
    if (missing := vocab_size - tokenizer.vocab_size) > 0 and not told.extra and text != "byte":
        raise ConfigError(
            f"--tokenizer {text}: it has {tokenizer.vocab_size:,} tokens, these weights {vocab_size:,}; if "
            f"the last {missing:,} mean nothing (padding, the end of a text), say --extra-tokens {missing}"
        )
    if missing:
        raise ConfigError(
            f"--tokenizer {text}: it has {tokenizer.vocab_size:,} tokens, these weights {vocab_size:,}; name "
            "the tokenizer that they were trained with"
        )
    return tokenizer


def config_for(found: ForeignModel, tokenizer: Tokenizer | None) -> RunConfig:
    """Return the configuration that the checkpoint tells: the model's shape; all else by default.

    Raises:
        RefusedError: no model of ours has this shape.
    """
    try:
        model = msgspec.convert(dict(found.model), ModelConfig)
    except msgspec.ValidationError as error:
        raise RefusedError(f"weights of {found.program} in a shape that has no form here: {error}") from error
    config = RunConfig()
    name = family_of(tokenizer) if tokenizer is not None else "byte"
    data = msgspec.convert({**msgspec.to_builtins(config.data), "tokenizer": name}, type(config.data))
    context = min(config.context, model.positions) if model.is_bounded else config.context
    return msgspec.structs.replace(config, model=model, data=data, context=context)


def fitted(found: ForeignModel, model: ModelConfig) -> dict[str, Tensor]:
    """Return float32 weights that such a model loads, every one of them finite.

    Raises:
        RefusedError: one is missing, of another shape, or no number.
    """
    wanted = {key: one.shape for key, one in _built(found, model).state_dict().items()}
    missing = [key for key in wanted if key not in found.weights]
    wrong = [key for key, one in found.weights.items() if wanted.get(key) != one.shape]
    if wrong or [key for key in missing if not (found.optional and key.endswith(".bias"))]:
        what = ", ".join([*wrong, *missing][:4])
        raise RefusedError(
            f"weights of {found.program}, but not laid out so: {what} is missing or of another shape"
        )
    weights = {key: one.detach().to(torch.float32).contiguous() for key, one in found.weights.items()}
    weights |= {key: torch.zeros(wanted[key]) for key in missing}
    if bad := [key for key, one in weights.items() if not bool(one.isfinite().all())]:
        raise RefusedError(f"{bad[0]} holds what is no number: such a model is not kept")
    return {key: weights[key] for key in wanted}


def _built(found: ForeignModel, model: ModelConfig) -> torch.nn.Module:
    try:
        return build(model, found.vocab_size)
    except ModelSpecError as error:
        raise RefusedError(f"weights of {found.program} in a shape that has no form here: {error}") from error


def _manifest(
    source: Path, pt: PtFile, step: int, config: RunConfig, found: ForeignModel, tokenizer: Tokenizer | None
) -> dict[str, Any]:
    return {
        "format": FORMAT, "step": step, "tokens": 0, "kind": IMPORTED, "parent": "", "primary": "val_ce",
        "metrics": {}, "best": None, "config": to_values(config), "data_fingerprint": "",
        "vocab_size": found.vocab_size,
        "tokenizer": tokenizer_facts(tokenizer.to_json()) if tokenizer is not None else {},
        "source": {
            "file": source.name, "bytes": pt.bytes, "sha256": pt.sha256, "program": found.program,
            "notes": list(found.notes),
        },
        "versions": {
            "photinus": installed_version(), "torch": torch.__version__, "python": platform.python_version(),
        },
        "at": time.time(),
    }  # fmt: skip
