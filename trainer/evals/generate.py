"""Text from the model, one token at a time in its O(1) form, with a generator of its own."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from trainer.device.device import Device
from trainer.evals.drawing import Sampling, draw
from trainer.models import LanguageModel, StepOutput


@dataclass(frozen=True, slots=True)
class Sampled:
    """Generated token ids; of each, R, coherence and u (mean over layers), empty where the model has none."""

    ids: tuple[int, ...]
    R: tuple[float, ...]
    coherence: tuple[float, ...] = ()
    u: tuple[float, ...] = ()


@torch.no_grad()
def sample(
    model: LanguageModel[Any],
    device: Device,
    prompt: Sequence[int],
    count: int,
    how: Sampling,
    check_stop: Callable[[], None] = lambda: None,
    on_token: Callable[[int], None] = lambda _: None,
) -> Sampled:
    """Return `count` tokens that continue `prompt`.

    Args:
        prompt: at least one token id.
        check_stop: raises when a stop was requested; called once a token.
        on_token: told each generated token.
    """
    generator = torch.Generator("cpu").manual_seed(how.seed)
    state = model.init_state(1)
    was_training = model.training
    model.eval()
    ids, seen = list[int](), list[StepOutput]()
    try:
        for index in range(len(prompt) + count - 1):
            check_stop()
            token = prompt[index] if index < len(prompt) else ids[-1]
            out, state = model.step(torch.tensor([token], device=device.place), state)
            if index >= len(prompt) - 1:
                ids.append(draw(out.logits[0].float().cpu(), how, generator))
                seen.append(out)
                on_token(ids[-1])
    finally:
        model.train(was_training)
    us = [out.u for out in seen if out.u is not None]
    return Sampled(
        tuple(ids), _mean([out.R for out in seen]), _mean([out.coherence for out in seen]), _mean(us)
    )


class Conversation:
    """A model that hears and answers in turn; its state, of one text, is all that it remembers."""

    def __init__(self, model: LanguageModel[Any], device: Device, how: Sampling) -> None:
        self._model, self._device, self._how = model.eval(), device, how
        self._generator = torch.Generator("cpu").manual_seed(how.seed)
        self._state: Any = model.init_state(1)
        self._scores: Tensor | None = None

    def hear(self, tokens: Sequence[int]) -> None:
        """Take tokens into the state.

        Raises:
            ValueError: a model of so many positions has no more.
        """
        for token in tokens:
            out, self._state = self._model.step(torch.tensor([token], device=self._device.place), self._state)
            self._scores = out.logits[0].float().cpu()

    def answer(self, most: int) -> Iterator[int]:
        """Yield at most so many tokens, each heard as it is said; nothing where nothing was heard yet."""
        for _ in range(most if self._scores is not None else 0):
            assert self._scores is not None
            token = draw(self._scores, self._how, self._generator)
            self.hear([token])
            yield token


def _mean(layers: Sequence[Tensor]) -> tuple[float, ...]:
    """Of `[1, layers]` a token, the mean over layers; nothing where there are no layers."""
    if not layers or layers[0].numel() == 0:
        return ()
    return tuple(torch.cat(list(layers)).float().mean(-1).tolist())
