"""Where the oscillators of each kind of model are, so that one intervention serves all of them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, cast

from torch import Tensor, nn

from trainer.models import LanguageModel
from trainer.models.bolted import BoltedGPT
from trainer.models.kssm import Block, KuramotoSSM
from trainer.models.published import PublishedV1, PublishedV2, PublishedV3

Intervention = Callable[[Tensor], Tensor]


class Intervenable(Protocol):
    """A bank whose oscillator states `[2, B, T, N]` can be replaced before they are read."""

    intervene: Intervention | None


def banks_of(model: LanguageModel[Any]) -> list[Intervenable]:
    """Return the banks of a model, first layer first; none for the controls without oscillators."""
    if isinstance(model, KuramotoSSM):
        return [cast(Block, block).bank for block in model.blocks]
    if isinstance(model, BoltedGPT):
        return [model.bank]
    if isinstance(model, PublishedV1):
        return [model]
    if isinstance(model, PublishedV2):
        return [cast(Intervenable, block) for block in model.blocks]
    if isinstance(model, PublishedV3):
        return list(model.banks())
    return []


@contextmanager
def intervening(model: LanguageModel[Any], make: Callable[[int], Intervention]) -> Iterator[None]:
    """Have every bank read other states: `make(layer)` gives the replacement of that layer's."""
    banks = banks_of(model)
    for layer, bank in enumerate(banks):
        bank.intervene = make(layer)
    try:
        yield
    finally:
        for bank in banks:
            bank.intervene = None


@contextmanager
def constant_order(model: KuramotoSSM, layer: int, value: float = 0.25) -> Iterator[None]:
    """Replace every order parameter that one bank reads by `value`."""

    def replace(_module: nn.Module, _inputs: object, features: Tensor) -> Tensor:
        return features.new_full(features.shape, value)

    bank = cast(Block, model.blocks[layer]).bank
    handle = bank.read_out.register_forward_hook(replace)
    try:
        yield
    finally:
        handle.remove()
