"""Small models and texts for these tests."""

from typing import Any

import torch
from torch import Tensor

from trainer.models import LanguageModel, build

KINDS = ("kssm-v3", "gpt", "gated", "memory")
VOCAB = 64


def small(kind: str = "kssm-v3", seed: int = 0, **fields: object) -> LanguageModel[Any]:
    """Return a two-layer model in evaluation mode."""
    torch.manual_seed(seed)
    shape: dict[str, object] = {"kind": kind, "dim": 32, "layers": 2, "heads": 2, "oscillators": 32}
    return build({**shape, **fields}, VOCAB).eval()


def text(batch: int, tokens: int, seed: int = 1) -> Tensor:
    """Return random tokens `[batch, tokens]`."""
    return torch.randint(0, VOCAB, (batch, tokens), generator=torch.Generator().manual_seed(seed))
