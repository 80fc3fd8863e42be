"""What the banks of a model let be seen without being changed, and their u dealt out anew."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from trainer.models import LanguageModel
from trainer.models.kuramoto.bank import Bank
from trainer.models.kuramoto.coupling import Coupling
from trainer.models.published.v3 import BankV3

LOW_DET = 0.1
"""|Delta| below this counts as near zero: the two equations behind u are nearly dependent."""

Columns = dict[str, list[Tensor]]


def banks_with_u(model: nn.Module) -> list[nn.Module]:
    """Return the banks whose coupling is set by a u, first layer first."""
    return [
        one
        for one in model.modules()
        if isinstance(one, BankV3) or (isinstance(one, Bank) and one.coupling is not None)
    ]


@contextmanager
def watched(model: LanguageModel[Any]) -> Iterator[Columns]:
    """Collect, in each forward pass of this block, a scalar a layer: `z`, `det` and `det_low`.

    `z` is mean |z| of the oscillators (absent in the originals, whose phases have no amplitude); `det` is
    mean |Delta| and `det_low` the share of it below `LOW_DET` (of the published v3 alone).
    """
    seen: Columns = {}
    with _closing() as undo:
        for module in model.modules():
            if isinstance(module, Bank):
                undo(_watch_amplitudes(module, seen))
            elif isinstance(module, BankV3):
                undo(module.ten.register_forward_hook(_watch_det(seen)).remove)
        yield seen


@contextmanager
def u_shuffled(model: LanguageModel[Any], order: Tensor) -> Iterator[None]:
    """Give every position the u of another one, in every layer: position i that of `order[i]`.

    Args:
        model: any; one without u is not changed.
        order: a permutation of the positions of a batch, `[B * T]`.
    """

    def deal(values: Tensor) -> Tensor:
        return values.flatten(0, 1)[order].view_as(values)

    def deal_u(_module: nn.Module, _inputs: object, output: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        return deal(output[0]), output[1]

    def deal_ten(_module: nn.Module, _inputs: object, output: Tensor) -> Tensor:
        return deal(output)  # of the ten, only u reaches the output

    with _closing() as undo:
        for module in model.modules():
            if isinstance(module, Coupling):
                undo(module.register_forward_hook(deal_u).remove)
            elif isinstance(module, BankV3):
                undo(module.ten.register_forward_hook(deal_ten).remove)
        yield


@contextmanager
def _closing() -> Iterator[Callable[[Callable[[], None]], None]]:
    """Undo at the end what was done, however it ends."""
    undone: list[Callable[[], None]] = []
    try:
        yield undone.append
    finally:
        for undo in undone:
            undo()


def _watch_amplitudes(bank: Bank, seen: Columns) -> Callable[[], None]:
    before = bank.intervene

    def look(states: Tensor) -> Tensor:
        with torch.no_grad():
            seen.setdefault("z", []).append(states.square().sum(0).sqrt().mean())
        return states if before is None else before(states)

    def undo() -> None:
        bank.intervene = before

    bank.intervene = look
    return undo


def _watch_det(seen: Columns) -> Callable[[nn.Module, object, Tensor], None]:
    def look(_module: nn.Module, _inputs: object, output: Tensor) -> None:
        _, b, c, _, _, f, g, _, _, _ = output.detach().float().unbind(-1)
        det = (b * g - c * f).abs()
        seen.setdefault("det", []).append(det.mean())
        seen.setdefault("det_low", []).append((det < LOW_DET).float().mean())

    return look
