"""How the kernels want a pair of drives: rows of equal stride, dense within."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def halves(both: Tensor) -> tuple[Tensor, Tensor]:
    """Return both halves of the last dimension, as `chunk` does; gradients side by side are not copied."""
    if torch.compiler.is_compiling():
        one, other = both.chunk(2, dim=-1)
        return one, other
    pair: tuple[Tensor, Tensor] = _Halves.apply(both)  # type: ignore[no-untyped-call]
    return pair


class _Halves(torch.autograd.Function):
    @staticmethod
    def forward(_: Any, both: Tensor) -> tuple[Tensor, Tensor]:
        one, other = both.chunk(2, dim=-1)
        return one, other

    @staticmethod
    @once_differentiable
    def backward(_: Any, one: Tensor, other: Tensor) -> Tensor:
        return _whole(one, other)


def _whole(one: Tensor, other: Tensor) -> Tensor:
    """Return two halves as one: where they lie side by side in a dense tensor, they are it already."""
    units = one.shape[-1]
    shape = (*one.shape[:-1], 2 * units)
    dense = torch.empty(shape, device="meta").stride()
    same = one.untyped_storage().data_ptr() == other.untyped_storage().data_ptr()
    beside = same and other.storage_offset() - one.storage_offset() == units
    if beside and one.stride() == dense == other.stride():
        return one.as_strided(shape, dense)
    return torch.cat((one, other), dim=-1)


def paired_rows(one: Tensor, other: Tensor) -> tuple[Tensor, Tensor, int]:
    """Return two drives `[B, T, N]` and their stride: as they lie in wider rows, or made dense."""
    stride = one.stride(1)
    if all(_in_rows(half, stride) for half in (one, other)):
        return one, other, stride
    return one.contiguous(), other.contiguous(), one.shape[2]


def paired_gradients(like: Tensor) -> tuple[Tensor, Tensor, int]:
    """Return room for the gradients of two drives like this one, side by side, and its stride."""
    batch, tokens, units = like.shape
    both = like.new_empty(batch, tokens, 2 * units)
    return both[..., :units], both[..., units:], 2 * units


def _in_rows(half: Tensor, stride: int) -> bool:
    batch, tokens, units = half.shape
    along = tokens == 1 or half.stride(1) == stride
    across = batch == 1 or half.stride(0) == tokens * stride
    return stride >= units and half.stride(2) == 1 and along and across
