"""Every kind of model at its smallest, and every form of the oscillators: what a trial of all models walks.

A kind that is added to `MODELS` is in here by itself.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from trainer.config.model import ModelConfig
from trainer.models.create import MODELS

SMALL: Mapping[str, Any] = {
    "dim": 16, "layers": 2, "ffn": 2.0, "oscillators": 8, "group": 4, "harmonics": 2, "heads": 2,
    "positions": 256, "slots": 8,
}  # fmt: skip
OSCILLATORS: Mapping[str, Mapping[str, Any]] = {
    "ema": {"dynamics": "ema"},
    "mobius": {"dynamics": "mobius"},
    "feedback": {"feedback": True},
    "latch": {"dynamics": "mobius", "latch": 0.05},
    "signed": {"k_sign": "signed"},
    "clamp": {"u": "clamp"},
    "without u": {"u": "off"},
    "uncoupled": {"coupled": False},
    "written by R": {"written": "R"},
    "residual": {"path": "residual"},
    "noisy": {"noise": 0.1},
}
"""Forms of kssm-v3 beside its default."""
MEMORIES: Mapping[str, Mapping[str, Any]] = {"hrr": {"memory": "hrr"}, "random": {"start": "random"}}
"""Forms of memory beside its default."""


def small_kinds() -> dict[str, ModelConfig]:
    """Return a small model of each kind, by the kind's name."""
    return {kind: msgspec.convert({**SMALL, "kind": kind}, ModelConfig) for kind in MODELS}


def small_forms() -> dict[str, ModelConfig]:
    """Return a small kssm-v3, or memory, of each form that is not its default, by what is different."""
    kinds = (("kssm-v3", OSCILLATORS), ("memory", MEMORIES))
    return {
        name: msgspec.convert({**SMALL, "kind": kind, **fields}, ModelConfig)
        for kind, forms in kinds
        for name, fields in forms.items()
    }
