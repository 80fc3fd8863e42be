"""`recompute`: blocks are worked again in the backward pass, so that what lies inside of them is not kept."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from trainer.models import LanguageModel


def recompute_blocks(model: LanguageModel[Any], noise: torch.Generator) -> None:
    """Have every block of a model keep its input alone. The arithmetic, noise included, stays as it is.

    Args:
        noise: the generator of the model's phase noise; a block that is worked again draws the same from it.
    """
    for block in getattr(model, "blocks", ()):
        if isinstance(block, nn.Module):
            block.forward = _recomputed(block.forward, noise)


def _recomputed(forward: Callable[..., Any], noise: torch.Generator) -> Callable[..., Any]:
    def worked(*inputs: Any) -> Any:
        if not torch.is_grad_enabled():
            return forward(*inputs)
        before, first = noise.get_state(), [True]

        def again(*same: Any) -> Any:
            if first.pop() if first else False:
                return forward(*same)
            now = noise.get_state()
            noise.set_state(before)
            try:
                return forward(*same)
            finally:
                noise.set_state(now)

        return checkpoint(again, *inputs, use_reentrant=False)

    return worked
