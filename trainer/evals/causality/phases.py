"""Changes to the phases of a group that leave every amplitude as it is."""

import torch
from torch import Tensor

SCALES = (0.5, 0.8, 0.9, 1.1, 1.25, 2.0)


def deviations(states: Tensor, group: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return amplitude, deviation from the group's weighted mean phase, and that phase.

    Args:
        states: `[2, B, T, N]`; oscillator j of group q is unit `j * G + q`.

    Returns:
        `[B, T, k, G]`, `[B, T, k, G]` in (-pi, pi], `[B, T, 1, G]`.
    """
    z = states.view(*states.shape[:-1], group, -1)
    mean = z.mean(3, keepdim=True)
    along = z[0] * mean[0] + z[1] * mean[1]
    across = z[1] * mean[0] - z[0] * mean[1]
    return z.square().sum(0).sqrt(), torch.atan2(across, along), torch.atan2(mean[1], mean[0])


def scaled(states: Tensor, group: int, scale: float) -> Tensor:
    """Return the states with every deviation times `scale`: below 1 the group is more coherent."""
    size, apart, mean = deviations(states, group)
    return _compose(size, mean + scale * apart, states)


def jostled(states: Tensor, group: int, scale: float, generator: torch.Generator) -> Tensor:
    """Return the states, each moved exactly as far as by `scaled`, in a random direction."""
    size, apart, mean = deviations(states, group)
    signs = torch.randint(0, 2, apart.shape, generator=generator, device=apart.device) * 2 - 1
    return _compose(size, mean + apart + signs * (scale - 1) * apart, states)


def coherence(states: Tensor, group: int) -> Tensor:
    """Return `|sum z| / sum |z|` of each group, mean over groups: `[B, T]`."""
    z = states.view(*states.shape[:-1], group, -1)
    whole = z.sum(3).square().sum(0).sqrt()
    parts = z.square().sum(0).sqrt().sum(2)
    share: Tensor = whole / parts.clamp(min=1e-12)
    return share.mean(-1)


def _compose(size: Tensor, theta: Tensor, like: Tensor) -> Tensor:
    return torch.stack((size * theta.cos(), size * theta.sin())).reshape(like.shape)
