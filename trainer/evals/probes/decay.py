"""What weight decay alone does to the published v3: R in closed form, with nothing fitted and no data.

AdamW multiplies every decayed parameter by `1 - lr_t wd` in each step, whatever its gradient. Left to that,
omega_0, evenly spaced over [-pi, pi], is `a` times as wide after t steps, `a = prod (1 - lr_t wd)`, and so is
the width of the noise. Phases that stand closer together have a larger mean field.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

FIRST_DELTA = 0.2
"""The published width of the phase noise at the start, radians."""
NODES = 12

Floats = NDArray[np.float64]


def decayed_scales(steps: Sequence[int], rate: Callable[[int], float], weight_decay: float) -> list[float]:
    """Return `a = prod (1 - rate(s) weight_decay)` over s < t, for each t of `steps`: the share left."""
    factors = [1.0]
    for step in range(max(steps, default=0)):
        factors.append(factors[-1] * (1 - rate(step) * weight_decay))
    return [factors[step] for step in steps]


def coupling_of(u: Floats) -> Floats:
    """Return `K = 2 sigmoid(u)`."""
    return np.asarray(1 + np.tanh(np.asarray(u, np.float64) / 2))


def expected_R(scale: float, u: Floats, oscillators: int, delta: float | None = None) -> float:
    """Return the R that decay predicts, the mean over positions.

    phi_j = a omega_j lies evenly about 0, so its mean sine is 0, and one coupling step leads to
    theta_j = phi_j - K c sin(phi_j), c = mean of cos(phi_j). With noise, theta_j + delta eta_j, the field has
    the mean m = exp(-delta^2 / 2) mean cos(theta_j) and, by the central limit theorem, normal deviations
    along and across it, each with its variance / N. R is the mean of its modulus: |m| where that is far above
    1 / sqrt(N), the floor of a finite number where it is not. What a position adds to all phases alike turns
    the field and leaves R alone.

    Args:
        scale: a.
        u: `[n]`, of n positions, clamped as the model clamps it.
        oscillators: N.
        delta: width of the noise, radians; by default `0.2 a`, for it is decayed as omega_0 is.
    """
    width = FIRST_DELTA * scale if delta is None else delta
    phase = scale * np.linspace(-np.pi, np.pi, oscillators)
    theta = phase - coupling_of(u)[:, None] * np.cos(phase).mean() * np.sin(phase)
    damped = np.exp(-(width**2) / 2)
    mean = damped * np.cos(theta).mean(-1)
    along = (1 + damped**4 * np.cos(2 * theta)) / 2 - (damped * np.cos(theta)) ** 2
    across = (1 - damped**4 * np.cos(2 * theta)) / 2 - (damped * np.sin(theta)) ** 2
    return float(_mean_modulus(mean, along.mean(-1) / oscillators, across.mean(-1) / oscillators).mean())


def _mean_modulus(mean: Floats, along: Floats, across: Floats) -> Floats:
    """E|mean + x + iy| of normal x, y with variances `[n]`, by Gauss and Hermite's quadrature."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    weights = weights / weights.sum()
    real = mean[:, None] + np.sqrt(along.clip(0))[:, None] * nodes
    imag = np.sqrt(across.clip(0))[:, None] * nodes
    modulus = np.hypot(real[:, :, None], imag[:, None, :])
    return np.asarray(np.einsum("nij,i,j->n", modulus, weights, weights))
