"""The frame that turns with the oscillators, by turns: angles that are right after hundreds of tokens.

A frequency is split into a multiple of 1/4096 turn, whose product with a token's number is exact and whose
whole turns can be dropped without rounding, and a small rest. A plain float32 `omega * t` is off by 1e-5 at
t = 64.
"""

from dataclasses import dataclass
from math import tau

import torch
from torch import Tensor

FRAME = 512
"""Tokens after which the frame is anchored anew; up to 1,024 the angles are exact to the last bits."""

_PARTS = 4096.0
TAU_COARSE = 6.28125
"""Two pi to nine bits: its product with a multiple of 1/4096 turn is exact, up to eight turns a token."""
TAU_REST = tau - TAU_COARSE


@dataclass(frozen=True)
class Turning:
    """`e^{i omega t}` for t = 1..L, and its angle, no more than 0.4 beyond half a turn; each `[L, N]`."""

    angle: Tensor
    cos: Tensor
    sin: Tensor


def turning(omega: Tensor, tokens: int) -> Turning:
    """Return the frame of frequencies `omega [N]`, radians a token, for `tokens` tokens up to `FRAME`."""
    t = torch.arange(1, tokens + 1, device=omega.device, dtype=omega.dtype).unsqueeze(1)
    coarse = (omega * (_PARTS / tau)).round() / _PARTS
    rest = (omega - TAU_COARSE * coarse) - TAU_REST * coarse
    turns = coarse * t
    angle = torch.addcmul((turns - turns.round()) * tau, rest, t)
    return Turning(angle, angle.cos(), angle.sin())
