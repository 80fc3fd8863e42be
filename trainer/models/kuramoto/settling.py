"""Oscillators whose state itself is changed after every token: by the mean field of their group, by a latch.

    theta <- theta + K R sin(psi - theta) - l sin(2 theta)

The first is the Kuramoto step in time, where the read-out's step leaves the state alone. The second has two
attractors, 0 and pi, where it outweighs omega and the field (sub-harmonic injection locking). Neither
composes associatively, so `settling_circle.py` and `settling_disk.py` loop over tokens, with the gradient
written out.
"""

import torch
from torch import Tensor

from trainer.models.planes import times

EPS = 1e-6
"""Added to |z|^2: an oscillator at rest has no phase."""


@torch.no_grad()
def settle(state: Tensor, phasor: Tensor, strength: Tensor | None, latch: float, group: int) -> Tensor:
    """Return the state `[2, B, N]` after one step of coupling and latch.

    Args:
        state, phasor: the state, and the same with amplitudes of 1; unit `j * G + q` is oscillator j of group
            q.
        strength: K, `[B]`, or None for no mean field.
        latch: l, radians.
        group: oscillators a group.
    """
    delta = (-2 * latch) * phasor[0] * phasor[1]
    if strength is not None:
        mean = group_mean(state, group)
        delta = delta + strength.unsqueeze(1) * (phasor[0] * mean[1] - phasor[1] * mean[0])
    return times(state, delta.cos(), delta.sin())


def group_mean(values: Tensor, group: int) -> Tensor:
    """Return each unit's mean over its group, `[..., N]`."""
    mean = values.view(*values.shape[:-1], group, -1).mean(-2)
    return mean.repeat(*(1,) * (values.dim() - 1), group)
