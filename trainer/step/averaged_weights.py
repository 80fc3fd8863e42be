"""`optim.ema`: the exponential average of the weights over the steps, beside the weights themselves."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from trainer.models import LanguageModel


class AveragedWeights:
    """Averages by parameter name, on the device; those of step 0 are the weights themselves."""

    def __init__(self, model: LanguageModel[Any], decay: float) -> None:
        self.decay = decay
        self.values: dict[str, Tensor] = {
            name: one.detach().clone() for name, one in model.named_parameters()
        }

    @torch.no_grad()
    def take(self, model: LanguageModel[Any]) -> None:
        """Take the weights of a step. Waits for nothing."""
        torch._foreach_lerp_(list(self.values.values()), list(model.parameters()), 1 - self.decay)

    @contextmanager
    def lent_to(self, model: LanguageModel[Any]) -> Iterator[None]:
        """Have the model compute with the averages inside of this block, and with its own weights after."""
        own = {name: one.data for name, one in model.named_parameters()}
        try:
            for name, one in model.named_parameters():
                one.data = self.values[name]
            yield
        finally:
            for name, one in model.named_parameters():
                one.data = own[name]
