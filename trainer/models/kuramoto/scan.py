"""The linear recurrence of the oscillators, scanned in chunks inside a frame that rotates with them.

In the frame that turns with the natural frequency omega the recurrence `z_t = a_t e^{i omega} z_{t-1} + b_t`
is real and linear, `w_t = a_t w_{t-1} + e^{-i omega t} b_t`. The frame is anchored anew at the head of every
chunk, so that an angle never grows beyond `CHUNK * |omega|`: a frame that is never anchored is off by 1e-3
after 4,096 tokens in float32. All chunks are scanned side by side, then their carries are joined.

Arrays are planes: `[P, B, C, L, N]` for P planes (2 for a complex number, 1 for a real one), batch B,
C chunks of L tokens, N units. Nothing here records gradients: `oscillators.py` and `gated.py` do.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from trainer.models.planes import times

CHUNK = 32
"""Tokens a chunk: at most 64 for the sake of the angles; 32 measured fastest at 256 tokens on CPU."""

_EXACT_STEPS = 4096.0


@dataclass(frozen=True)
class RotatingFrame:
    """The rotation `e^{i omega t}` for t = 1..L, and its angle wrapped into [-pi, pi]; each `[L, N]`."""

    cos: Tensor
    sin: Tensor
    angle: Tensor


def rotating_frame(omega: Tensor, length: int) -> RotatingFrame:
    """Return the frame of frequencies `omega [N]` (radians a token) for 1..`length` tokens.

    omega is split into a part of few bits, whose product with t is exact, and a small rest; the two rotations
    are composed by angle addition. A plain float32 `omega * t` would be off by 1e-5 at t = 64.
    """
    t = torch.arange(1, length + 1, device=omega.device, dtype=omega.dtype).unsqueeze(1)
    coarse = torch.round(omega * _EXACT_STEPS) / _EXACT_STEPS
    rest = (omega - coarse) * t
    coarse = coarse * t
    cos = coarse.cos() * rest.cos() - coarse.sin() * rest.sin()
    sin = coarse.sin() * rest.cos() + coarse.cos() * rest.sin()
    return RotatingFrame(cos, sin, torch.atan2(sin, cos))


def chunk_length(tokens: int) -> int:
    """Return the tokens of a chunk for a text of `tokens` tokens."""
    return min(CHUNK, tokens)


def scan(a: Tensor, planes: Tensor, start: Tensor, frame: RotatingFrame | None) -> Tensor:
    """Scan `w_t = a_t w_{t-1} + b_t` in place, chunk by chunk.

    Args:
        a: decay `[B, C, L, N]`.
        planes: `[P + 1, B, C, L, N]`; the first P hold `b` and receive `w`, the last is scratch.
        start: the state before the first token, `[P, B, N]`, in the resting frame.
        frame: the rotation that carries a state from one chunk to the next (P = 2), or None for a real state.

    Returns:
        The state before each chunk, `[P, B, C, N]`, in the resting frame.
    """
    planes[-1].copy_(a)
    planes[-1, :, :, 1:].zero_()
    steps, decays = planes.unbind(3), a.unbind(2)
    for previous, current, decay in zip(steps[:-1], steps[1:], decays[1:], strict=True):
        current.addcmul_(previous, decay)
    chunks = a.shape[1]
    carries = [start]
    ends = planes[:, :, :, -1].unbind(2)
    for index in range(chunks - 1):
        end = torch.addcmul(ends[index][:-1], carries[-1], ends[index][-1])
        carries.append(end if frame is None else times(end, frame.cos[-1], frame.sin[-1]))
    carry = torch.stack(carries, dim=2)
    planes[:-1].addcmul_(carry.unsqueeze(3), planes[-1])
    return carry


def scan_back(a: Tensor, planes: Tensor, frame: RotatingFrame | None) -> Tensor:
    """Scan the adjoint `v_t = d_t + a_{t+1} v_{t+1}` in place, from the last token to the first.

    Args:
        a: decay `[B, C, L, N]`.
        planes: `[P + 1, B, C, L, N]`; the first P hold `d`, the gradients of w, and receive `v`.
        frame: as in `scan`.

    Returns:
        The gradient of the state before the first token, `[P, B, N]`.
    """
    planes[-1].zero_()
    planes[-1, :, :, -1].fill_(1.0)
    steps, decays = planes.unbind(3), a.unbind(2)
    for current, following, decay in zip(steps[-2::-1], steps[:0:-1], decays[:0:-1], strict=True):
        current.addcmul_(following, decay)
    heads, first = planes[:, :, :, 0].unbind(2), decays[0].unbind(1)
    carries = [torch.zeros_like(heads[0][:-1])]
    for index in range(a.shape[1] - 1, -1, -1):
        head = torch.addcmul(heads[index][:-1], carries[-1], heads[index][-1]) * first[index]
        turned = head if frame is None or index == 0 else times(head, frame.cos[-1], -frame.sin[-1])
        carries.append(turned)
    carry = torch.stack(carries[-2::-1], dim=2)
    planes[:-1].addcmul_(carry.unsqueeze(3), planes[-1])
    return carries[-1]
