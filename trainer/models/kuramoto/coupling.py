"""u, the positive number that sets how strongly oscillators couple: `K = k_max sigmoid(u)`.

The published bank projects ten numbers a..j, of which `u = (dg - ch) / (ag - ce)` uses six; b and f reached
the penalty alone, i and j nothing. The six that live are kept.
"""

import math

import torch
from torch import Tensor, nn

from trainer.models import native
from trainer.models.base import initialise_linear
from trainer.models.native.u import NativeLogU
from trainer.models.whole import is_whole
from trainer.models.whole.log_u import log_u_whole

LIVE = ("a", "c", "d", "e", "g", "h")
_SOFTEN = 0.01
_LIMIT = math.log(10.0)


class Coupling(nn.Module):
    """Reads u from the stream, position by position.

    Args:
        dim: width of the stream.
        clamped: the published hard clamp into [0.1, 10] in place of the smooth form. A clamp leaves most
            positions at an end, where the gradient is zero; it is here to be compared with.
    """

    def __init__(self, dim: int, clamped: bool) -> None:
        super().__init__()
        self.clamped = clamped
        self.params = nn.Linear(dim, len(LIVE))
        initialise_linear(self.params, dim**-0.5)
        nn.init.constant_(self.params.bias, 0.5)

    def forward(self, stream: Tensor) -> tuple[Tensor, Tensor]:
        """Return `u [B, T]` and the mean of `(log u)^2` for `stream [B, T, D]`."""
        live = self.params(stream).float()
        if self.clamped:
            n, m = _fraction(live)
            u = (n / (m + 1e-6)).clamp(0.1, 10.0)
            return u, u.log().square().mean()
        log_u = log_u_of(live)
        return log_u.exp(), log_u.square().mean()


def log_u_of(live: Tensor) -> Tensor:
    """Return the smooth log u, `[B, T]`, of the numbers a, c, d, e, g, h, `[B, T, 6]`, with u = n / m."""
    if native.serves(live):
        log_u: Tensor = native.apply(NativeLogU, live, _SOFTEN, _LIMIT)
        return log_u
    if is_whole(live):
        return log_u_whole(live, _SOFTEN, _LIMIT)
    return smooth_log_u(*_fraction(live))


def smooth_log_u(n: Tensor, m: Tensor) -> Tensor:
    """Return `ln 10 tanh(ln(|n| / |m|) / ln 10)`, softened at zero: smooth, and inside ln 10 of zero."""
    ratio = 0.5 * torch.log((n.square() + _SOFTEN) / (m.square() + _SOFTEN))
    return _LIMIT * torch.tanh(ratio / _LIMIT)


def _fraction(live: Tensor) -> tuple[Tensor, Tensor]:
    a, c, d, e, g, h = live.unbind(-1)
    return d * g - c * h, a * g - c * e


def coupling_strength(u: Tensor, k_max: float = 2.0, signed: bool = False) -> Tensor:
    """Return `K = k_max sigmoid(u)`: between 1.05 and 2 for u in [0.1, 10], where k_max is 2.

    Args:
        signed: `k_max tanh(0.5 ln u)` instead, which is negative below u = 1 and within 0.82 k_max of zero.
    """
    return k_max * ((u - 1) / (u + 1) if signed else torch.sigmoid(u))
