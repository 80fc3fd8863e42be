"""Changes to the phases of a group that leave every amplitude as it is."""

import torch
from torch import Tensor

from trainer.models.planes import times

SCALES = (0.5, 0.8, 0.9, 1.1, 1.25, 2.0)


def deviations(states: Tensor, group: int) -> Tensor:
    """Return each oscillator's deviation from its group's weighted mean phase, in (-pi, pi].

    Args:
        states: `[2, B, T, N]`; oscillator j of group q is unit `j * G + q`.

    Returns:
        `[B, T, N]`.
    """
    z = states.view(*states.shape[:-1], group, -1)
    mean = z.mean(3, keepdim=True)
    along = torch.mul(z[0], mean[0]).addcmul_(z[1], mean[1])
    across = torch.mul(z[1], mean[0]).addcmul_(z[0], mean[1], value=-1)
    return torch.atan2(across, along).flatten(2)


def scaled(states: Tensor, group: int, scale: float) -> Tensor:
    """Return the states with every deviation times `scale`: below 1 the group is more coherent."""
    turn = (scale - 1) * deviations(states, group)
    return times(states, turn.cos(), turn.sin())


def jostled(states: Tensor, group: int, scale: float, generator: torch.Generator) -> Tensor:
    """Return the states, each moved exactly as far as by `scaled`, in a random direction."""
    turn = (scale - 1) * deviations(states, group)
    signs = torch.randint(0, 2, turn.shape, generator=generator, device=turn.device, dtype=turn.dtype)
    return times(states, turn.cos(), turn.sin() * signs.mul_(2).sub_(1))


def scattered(states: Tensor, generator: torch.Generator) -> Tensor:
    """Return the states with phases drawn evenly from the circle, amplitudes as they are."""
    turn = torch.rand(states.shape[1:], generator=generator, device=states.device) * (2 * torch.pi)
    size = states.square().sum(0).sqrt()
    return torch.stack((size * turn.cos(), size * turn.sin()))


def coherence(states: Tensor, group: int) -> Tensor:
    """Return `|sum z| / sum |z|` of each group, mean over groups: `[B, T]`."""
    z = states.view(*states.shape[:-1], group, -1)
    whole = z.sum(3).square().sum(0).sqrt()
    parts = z.square().sum(0).sqrt().sum(2)
    share: Tensor = whole / parts.clamp(min=1e-12)
    return share.mean(-1)
