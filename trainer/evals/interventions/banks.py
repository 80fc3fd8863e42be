"""Where the oscillators of each kind of model are, so that one intervention serves all of them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any, Protocol, cast

from torch import Tensor, nn

from trainer.models import LanguageModel
from trainer.models.bolted import BoltedGPT
from trainer.models.kssm import KssmBlock, KuramotoSSM
from trainer.models.kuramoto.bank import Reading
from trainer.models.published import PublishedV1, PublishedV2, PublishedV3

Intervention = Callable[[Tensor], Tensor]


class Intervenable(Protocol):
    """A bank whose oscillator states `[2, B, T, N]` can be replaced before they are read."""

    intervene: Intervention | None


def banks_of(model: LanguageModel[Any]) -> list[Intervenable]:
    """Return the banks of a model, first layer first; none for the controls without oscillators."""
    if isinstance(model, KuramotoSSM):
        return [cast(KssmBlock, block).bank for block in model.blocks]
    if isinstance(model, BoltedGPT):
        return [model.bank]
    if isinstance(model, PublishedV1):
        return [model]
    if isinstance(model, PublishedV2):
        return [cast(Intervenable, block) for block in model.blocks]
    if isinstance(model, PublishedV3):
        return list(model.banks())
    return []


def group_of(model: LanguageModel[Any]) -> int:
    """Return how many oscillators couple with each other: a group, or all of a layer in the originals."""
    if isinstance(model, KuramotoSSM | BoltedGPT):
        return model.config.group
    return model.config.oscillators


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


def mean_order(model: LanguageModel[Any], tokens: Tensor) -> list[Tensor]:
    """Return what each bank hands on for `tokens [B, T]`, averaged over texts and positions.

    That is the features of its order parameters; where R is bolted on, R alone.
    """
    found: list[Tensor] = []

    def listen(features: Tensor) -> Tensor:
        found.append(features.flatten(0, 1).mean(0))
        return features

    with ExitStack() as stack:
        for layer in range(len(banks_of(model))):
            stack.enter_context(_through(model, layer, listen))
        model(tokens)
    return found


@contextmanager
def constant_order(model: LanguageModel[Any], layer: int, value: Tensor) -> Iterator[None]:
    """Replace everything that the bank of `layer` hands on by `value`, at every position."""
    with _through(model, layer, lambda features: value.expand(features.shape)):
        yield


@contextmanager
def _through(model: LanguageModel[Any], layer: int, change: Callable[[Tensor], Tensor]) -> Iterator[None]:
    """Have `change` see and replace what one bank hands on."""

    def before(_: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return (change(inputs[0]), *inputs[1:])

    def bolted(_: nn.Module, __: object, answer: tuple[Tensor, Reading]) -> tuple[Tensor, Reading]:
        return answer[0], replace(answer[1], R=change(answer[1].R.unsqueeze(-1)).squeeze(-1))

    bank = banks_of(model)[layer]
    if isinstance(model, BoltedGPT):
        handle = model.bank.register_forward_hook(bolted)
    else:
        reader = bank.rise if isinstance(bank, PublishedV1) else bank.out  # type: ignore[attr-defined]
        handle = cast(nn.Linear, reader).register_forward_pre_hook(before)
    try:
        yield
    finally:
        handle.remove()
