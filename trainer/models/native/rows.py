"""How the kernels want a pair of drives: rows of equal stride, dense within."""

from torch import Tensor


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
