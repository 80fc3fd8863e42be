"""What u does: CE with u shuffled among positions, held at an end of its range, at 1, and with no coupling.

Nothing is trained again: a model may need what it has learnt to rely on, and still be as good without it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor, nn

from trainer.evals.bootstrap import Interval, ratio_of_sums
from trainer.evals.interventions.document_scores import Change, DocumentScores
from trainer.models import LanguageModel
from trainer.models.bolted import BoltedGPT
from trainer.models.kssm import KssmBlock, KuramotoSSM
from trainer.models.kuramoto.bank import Bank
from trainer.models.published import PublishedV3
from trainer.models.published.v3 import BankV3

LOW, OFF, HIGH = 0.1, 1.0, 10.0
NO_COUPLING = -1e9
"""As u this gives K = 2 sigmoid(u) = 0 exactly."""


@dataclass(frozen=True, slots=True)
class UChange:
    """Change of CE, nats a token, under one change of u."""

    name: str
    delta_ce: Interval


class UChanges:
    """The changes that a model's u allows; none for a model without one."""

    def __init__(self, model: LanguageModel[Any], seed: int) -> None:
        generator = torch.Generator(model.embedding.weight.device).manual_seed(seed)
        self._banks = _banks_with_u(model)
        self._named: list[tuple[str, Callable[[Tensor], Tensor]]] = []
        if self._banks:
            self._named = [
                ("shuffled", partial(_shuffled, generator=generator)),
                (f"at {LOW:g}", partial(torch.full_like, fill_value=LOW)),
                (f"at {HIGH:g}", partial(torch.full_like, fill_value=HIGH)),
                (f"off (u = {OFF:g})", partial(torch.full_like, fill_value=OFF)),
            ]
        if isinstance(model, KuramotoSSM | BoltedGPT) and self._banks:
            none = OFF if model.config.k_sign == "signed" else NO_COUPLING
            self._named.append(("no coupling (K = 0)", partial(torch.full_like, fill_value=none)))

    def changes(self) -> list[Change]:
        """One each, in the order of `found`."""
        return [partial(self._change, what) for _, what in self._named]

    def found(self, base: DocumentScores, done: list[DocumentScores]) -> tuple[UChange, ...]:
        """Make of the scores as they are, and under each change, what was found."""
        named = zip(self._named, done, strict=True)
        return tuple(
            UChange(name, ratio_of_sums(one.nats - base.nats, base.tokens)) for (name, _), one in named
        )

    @contextmanager
    def _change(self, what: Callable[[Tensor], Tensor]) -> Iterator[None]:
        def replaced(_: nn.Module, __: object, answer: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
            return what(answer[0]), answer[1]

        def published(_: nn.Module, __: object, ten: Tensor) -> Tensor:
            return _ten_for(what(_u_of(ten)))

        handles = [
            bank.ten.register_forward_hook(published)
            if isinstance(bank, BankV3)
            else cast(nn.Module, bank.coupling).register_forward_hook(replaced)
            for bank in self._banks
        ]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()


def _banks_with_u(model: LanguageModel[Any]) -> list[Bank | BankV3]:
    if isinstance(model, PublishedV3):
        return list(model.banks())
    banks = [model.bank] if isinstance(model, BoltedGPT) else []
    if isinstance(model, KuramotoSSM):
        banks = [cast(KssmBlock, block).bank for block in model.blocks]
    return [bank for bank in banks if bank.coupling is not None]


def _shuffled(u: Tensor, generator: torch.Generator) -> Tensor:
    """Return `u [B, T]` with all its positions in another order."""
    order = torch.randperm(u.numel(), generator=generator, device=u.device)
    return u.flatten()[order].view(u.shape)


def _u_of(ten: Tensor) -> Tensor:
    a, _, c, d, e, _, g, h, _, _ = ten.float().unbind(-1)
    return (d * g - c * h) / (a * g - c * e)


def _ten_for(u: Tensor) -> Tensor:
    """Return the ten numbers, `[B, T, 10]`, of which the published bank makes `u`: d = u, a = g = 1."""
    ten = u.new_zeros(*u.shape, 10)
    ten[..., 3], ten[..., 0], ten[..., 6] = u, 1.0, 1.0
    return ten
