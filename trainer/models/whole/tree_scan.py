"""The linear recurrence `w_t = a_t w_{t-1} + b_t`, scanned as a tree of eight branches.

Tokens are scanned in chunks of `RADIX` side by side, from rest; the ends of the chunks are a recurrence of an
eighth of the length, scanned the same way; each chunk then gets what reached it, as far as it decays. 512
tokens are 24 steps, and all but an eighth of the memory is touched by the first eight.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import pad

RADIX = 8


def tree_scan(a: Tensor, b: Tensor, start: Tensor | None, back: bool = False) -> Tensor:
    """Return `w`, `[P, B, T, N]`.

    Args:
        a: decay, `[B, T, N]`.
        b: what is added, `[P, B, T, N]`.
        start: the state before the first token, `[P, B, N]`; rest if None.
        back: go from the last token to the first, `w_t = a_t w_{t+1} + b_t`; `start` lies behind the last.
    """
    if torch.compiler.is_compiling() and len(b) > 1:  # of one shape with the decay, they become one kernel
        starts = [None] * len(b) if start is None else [start[p : p + 1] for p in range(len(b))]
        planes = [b[p : p + 1] for p in range(len(b))]
        return torch.cat([tree_scan(a, *pair, back) for pair in zip(planes, starts, strict=True)])
    tokens = a.shape[1]
    if tokens <= RADIX:
        return torch.stack(_steps(a.unbind(1), b.unbind(2), start, back), dim=2)
    spare = -tokens % RADIX
    if spare:
        a, b = pad(a, (0, 0, 0, spare), value=1.0), pad(b, (0, 0, 0, spare))
    chunks = a.shape[1] // RADIX
    a, b = (one.reshape(*one.shape[:-2], chunks, RADIX, one.shape[-1]) for one in (a, b))
    steps = _steps(a.unbind(2), b.unbind(3), None, back)
    decay = _running_product(a, back)
    last = 0 if back else RADIX - 1
    after = tree_scan(decay[:, :, last], steps[last], start, back)
    reached = _before(after, start, back)
    whole = torch.addcmul(torch.stack(steps, dim=3), reached.unsqueeze(3), decay).flatten(2, 3)
    return whole[:, :, :tokens] if spare else whole


def _before(after: Tensor, start: Tensor | None, back: bool) -> Tensor:
    """Return the states before the chunks of those after them, `[P, B, C, N]`."""
    rest = after[:, :, 1:] if back else after[:, :, :-1]
    if start is None:
        return pad(rest, (0, 0, 0, 1) if back else (0, 0, 1, 0))
    first = start.unsqueeze(2)
    return torch.cat((rest, first) if back else (first, rest), dim=2)


def _steps(a: Sequence[Tensor], b: Sequence[Tensor], start: Tensor | None, back: bool) -> list[Tensor]:
    """Return the states after each of a few tokens, in their order; from rest where `start` is None."""
    order = range(len(a))
    states = list(b)
    state = start
    for t in reversed(order) if back else order:
        if state is not None:
            states[t] = torch.addcmul(b[t], state, a[t])
        state = states[t]
    return states


def _running_product(a: Tensor, back: bool) -> Tensor:
    """Return the products of `a [B, C, R, N]` along R: what is left of what came in, after each token."""
    if torch.compiler.is_compiling():  # a chain of products becomes a part of the kernel of the steps
        zeros = [torch.zeros_like(one) for one in a.unbind(2)]
        return torch.stack(_steps(a.unbind(2), zeros, torch.ones_like(zeros[0]), back), dim=2)
    return a.flip(2).cumprod(2).flip(2) if back else a.cumprod(2)
