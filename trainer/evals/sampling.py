"""Text from the model, one token at a time in its O(1) form, with a generator of its own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from trainer.device import Device
from trainer.models import LanguageModel


@dataclass(frozen=True, slots=True)
class Sampled:
    """Generated token ids, and R (mean over layers) of each; no R where the model has none."""

    ids: tuple[int, ...]
    R: tuple[float, ...]


@torch.no_grad()
def sample(
    model: LanguageModel[Any],
    device: Device,
    prompt: Sequence[int],
    count: int,
    temperature: float,
    seed: int,
    check_stop: Callable[[], None],
) -> Sampled:
    """Return `count` tokens that continue `prompt`, drawn at `temperature`.

    Args:
        prompt: at least one token id.
        seed: of this sample's own generator; training's are not touched.
        check_stop: raises when a stop was requested; called once a token.
    """
    generator = torch.Generator("cpu").manual_seed(seed)
    state = model.init_state(1)
    was_training = model.training
    model.eval()
    ids, order = list[int](), list[Tensor]()
    try:
        for index in range(len(prompt) + count - 1):
            check_stop()
            token = prompt[index] if index < len(prompt) else ids[-1]
            out, state = model.step(torch.tensor([token], device=device.place), state)
            if index >= len(prompt) - 1:
                scores = (out.logits[0].float() / temperature).softmax(-1).cpu()
                ids.append(int(torch.multinomial(scores, 1, generator=generator)))
                order.append(out.R[0])
    finally:
        model.train(was_training)
    per_token = torch.stack(order) if order else torch.zeros(0, 0)
    has_order = per_token.numel() > 0
    return Sampled(tuple(ids), tuple(per_token.float().mean(-1).tolist()) if has_order else ())
