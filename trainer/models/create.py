"""From a preset's name, or from its `model:` section, to a module."""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

import msgspec

from trainer.config.config_error import ConfigError
from trainer.config.model import Kind, ModelConfig
from trainer.config.presets import load_preset
from trainer.models.base import LanguageModel
from trainer.models.bolted import BoltedGPT
from trainer.models.gated import GatedRecurrence
from trainer.models.gpt import GPT
from trainer.models.kssm import KuramotoSSM
from trainer.models.memory_model import AssociativeModel
from trainer.models.published import PublishedV1, PublishedV2, PublishedV3

MODELS: Mapping[Kind, Callable[[ModelConfig, int], LanguageModel[Any]]] = {
    "kssm-v3": KuramotoSSM,
    "gpt": GPT,
    "gated": GatedRecurrence,
    "bolted": BoltedGPT,
    "memory": AssociativeModel,
    "kssm-v1-original": PublishedV1,
    "kssm-v2-original": PublishedV2,
    "kssm-v3-original": PublishedV3,
    "kssm-v3-monostable": PublishedV3,
}
Spec = ModelConfig | Mapping[str, Any]


class ModelSpecError(ValueError):
    """A model was asked for that does not exist; the message names the nearest name and what is allowed."""


def create(preset: str, vocab_size: int, **overrides: object) -> LanguageModel[Any]:
    """Return a freshly initialised model, drawn from torch's global generator.

    Args:
        preset: name of a file in `configs/presets`, without `.yaml`.
        vocab_size: tokens of the vocabulary.
        **overrides: fields of `ModelConfig` that replace the preset's.

    Raises:
        ModelSpecError: unknown preset or override, or a value out of its bounds.
    """
    try:
        section = load_preset(preset).get("model")
    except ConfigError as error:
        raise ModelSpecError(str(error)) from error
    if section is None:
        raise ModelSpecError(f"preset {preset!r} has no section `model:`; add one to its file")
    return build({**section, **overrides}, vocab_size)


def build(spec: Spec, vocab_size: int) -> LanguageModel[Any]:
    """Return the model that `spec`, a resolved `ModelConfig` or a mapping of its fields, describes.

    Raises:
        ModelSpecError: as in `create`.
    """
    config = spec if isinstance(spec, ModelConfig) else _decode(spec)
    if vocab_size < 1:
        raise ModelSpecError(f"vocab_size is {vocab_size}; a vocabulary has at least one token")
    return MODELS[config.kind](config, vocab_size)


def _decode(fields: Mapping[str, Any]) -> ModelConfig:
    known = ModelConfig.__struct_fields__
    for name in fields:
        if name not in known:
            raise ModelSpecError(f"unknown model key {name!r}{_nearest(name, known)}")
    try:
        return msgspec.convert(dict(fields), ModelConfig)
    except msgspec.ValidationError as error:
        raise ModelSpecError(f"model: {error}") from error


def _nearest(name: str, known: tuple[str, ...]) -> str:
    close = get_close_matches(name, known, n=1, cutoff=0.4)
    return f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(known)}"
