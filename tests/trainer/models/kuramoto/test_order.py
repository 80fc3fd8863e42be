"""The Kuramoto step and the order parameters, against the formulas written with angles."""

import pytest
import torch
from torch import Tensor

from tests.trainer.models.texts import small, text
from trainer.models.kuramoto.order import order_parameters

GROUP, GROUPS, HARMONICS = 4, 3, 3


def states(tokens: int = 5, dtype: torch.dtype = torch.float64) -> Tensor:
    """Return states `[2, 2, tokens, GROUP * GROUPS]` inside the unit disk, none near zero."""
    draw = torch.Generator().manual_seed(0)
    shape = (2, tokens, GROUP * GROUPS)
    radius = 0.2 + 0.8 * torch.rand(shape, generator=draw, dtype=dtype)
    angle = 6.3 * torch.rand(shape, generator=draw, dtype=dtype)
    return torch.stack((radius * angle.cos(), radius * angle.sin()))


def by_angles(z: Tensor, K: Tensor) -> Tensor:
    """Return `Z_n [B, T, H, G]`, complex: theta += K R sin(psi - theta), then mean of |z| e^{i n theta}."""
    numbers = torch.complex(z[0], z[1]).view(*z.shape[1:3], GROUP, GROUPS)
    theta = numbers.angle()
    mean = numbers.mean(dim=2, keepdim=True)
    theta = theta + K[..., None, None] * mean.abs() * torch.sin(mean.angle() - theta)
    order = torch.arange(1, HARMONICS + 1)[:, None, None]
    terms = numbers.abs().unsqueeze(2) * torch.exp(1j * order * theta.unsqueeze(2))
    means: Tensor = terms.mean(dim=3)
    return means


def test_order_parameters_follow_the_formulas() -> None:
    z, K = states(), torch.linspace(1.0, 2.0, 10, dtype=torch.float64).view(2, 5)
    planes = order_parameters(z, K, GROUP, HARMONICS).planes
    expected = by_angles(z, K)
    assert (torch.complex(planes[0], planes[1]) - expected).abs().max() < 1e-4
    assert (
        order_parameters(z, None, GROUP, HARMONICS).planes[0] - by_angles(z, 0 * K).real
    ).abs().max() < 1e-4
    unlike = by_angles(z, 0.9 * K)
    assert (torch.complex(planes[0], planes[1]) - unlike).abs().max() > 1e-3


def test_coupling_raises_the_coherence_of_groups() -> None:
    z = states(200)
    free = order_parameters(z, None, GROUP, 1)
    bound = order_parameters(z, torch.full((2, 200), 1.5, dtype=torch.float64), GROUP, 1)
    assert bound.magnitude.mean() > 1.2 * free.magnitude.mean()
    assert bound.R.mean() > 1.2 * free.R.mean()
    assert bound.coherence.mean() > 1.2 * free.coherence.mean()
    assert torch.allclose(bound.R, bound.magnitude[:, :, 0].mean(-1))


@pytest.mark.parametrize("cached", [1, 2**30])
@pytest.mark.parametrize("coupled", [True, False])
def test_gradients_are_those_of_finite_differences(
    coupled: bool, cached: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainer.models.planes.CACHED_ELEMENTS", cached)
    z = states(2).requires_grad_()
    K = torch.linspace(1.0, 2.0, 4, dtype=torch.float64).view(2, 2).requires_grad_()

    def planes(z: Tensor, K: Tensor) -> Tensor:
        return order_parameters(z, K if coupled else None, GROUP, HARMONICS).planes

    assert torch.autograd.gradcheck(planes, (z, K) if coupled else (z, K.detach()))


def test_gradients_stay_finite_for_oscillators_at_rest() -> None:
    z = torch.zeros(2, 1, 3, GROUP * GROUPS, requires_grad=True)
    order = order_parameters(z, torch.ones(1, 3), GROUP, 2)
    (order.planes.sum() + order.magnitude.sum()).backward()  # type: ignore[no-untyped-call]
    assert z.grad is not None
    assert torch.isfinite(z.grad).all()


def test_R_and_coherence_lie_in_the_unit_interval() -> None:
    with torch.no_grad():
        answer = small(layers=3)(text(2, 200))
    for reading in (answer.R, answer.coherence):
        assert reading.shape == (2, 200, 3)
        assert reading.min() >= 0.0
        assert reading.max() <= 1.0
        assert reading.std() > 0.0


def test_R_is_one_when_all_oscillators_share_a_phase() -> None:
    model = small(layers=1)
    bank = model.blocks[0].bank  # type: ignore[union-attr, index]
    with torch.no_grad():
        bank.drive.weight.zero_()
        bank.drive.bias.fill_(0.0)
        bank.drive.bias[: bank.config.oscillators] = 20.0
        answer = model(text(1, 8))
    assert (answer.R - 1).abs().max() < 1e-6
    assert (answer.coherence - 1).abs().max() < 1e-6
    assert answer.R.max() <= 1.0
