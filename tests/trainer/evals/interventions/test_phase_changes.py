"""Nudges of a group: amplitudes stay, coherence goes where it should, chance goes as far."""

import torch

from trainer.evals.interventions.phase_changes import coherence, jostled, scaled

GROUP = 4


def states() -> torch.Tensor:
    generator = torch.Generator().manual_seed(5)
    return 0.4 * torch.randn(2, 3, 10, 24, generator=generator)


def size(z: torch.Tensor) -> torch.Tensor:
    return z.square().sum(0).sqrt()


def test_amplitudes_stay_as_they_are() -> None:
    z = states()
    for moved in (scaled(z, GROUP, 0.5), jostled(z, GROUP, 0.5, torch.Generator().manual_seed(1))):
        assert torch.allclose(size(moved), size(z), atol=1e-6)


def test_scale_one_changes_nothing_and_smaller_ones_make_groups_coherent() -> None:
    z = states()
    assert torch.allclose(scaled(z, GROUP, 1.0), z, atol=1e-6)
    own = coherence(z, GROUP).mean()
    assert coherence(scaled(z, GROUP, 0.5), GROUP).mean() > own + 0.1
    assert torch.allclose(coherence(scaled(z, GROUP, 0.0), GROUP), torch.ones(3, 10), atol=1e-5)
    assert not torch.allclose(scaled(z, GROUP, 0.9), z, atol=1e-3)


def test_chance_moves_every_oscillator_exactly_as_far() -> None:
    z = states()
    ours = size(scaled(z, GROUP, 1.25) - z)
    chance = size(jostled(z, GROUP, 1.25, torch.Generator().manual_seed(1)) - z)
    assert torch.allclose(ours, chance, atol=1e-5)
    assert not torch.allclose(scaled(z, GROUP, 1.25), jostled(z, GROUP, 1.25, torch.Generator()), atol=1e-3)
