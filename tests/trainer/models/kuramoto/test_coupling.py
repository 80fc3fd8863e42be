"""u: smooth, positive, inside (0.1, 10), with a gradient everywhere."""

import torch
from torch import Tensor

from tests.trainer.models.texts import small, text
from trainer.models.kuramoto.coupling import Coupling, coupling_strength, smooth_log_u


def grid() -> tuple[Tensor, Tensor]:
    """Return numerators and denominators over ten decades, both signs and zero."""
    line = torch.cat((-torch.logspace(-6, 4, 60), torch.zeros(1), torch.logspace(-6, 4, 60)))
    n, m = torch.meshgrid(line, line, indexing="ij")
    return n.flatten(), m.flatten()


def test_u_stays_between_its_ends() -> None:
    u = smooth_log_u(*grid()).exp()
    assert u.min() >= 0.1 * (1 - 1e-6)
    assert u.max() <= 10 * (1 + 1e-6)
    assert u.min() < 0.11
    assert u.max() > 9.0


def test_the_gradient_of_u_is_finite_everywhere() -> None:
    n, m = (part.requires_grad_() for part in grid())
    smooth_log_u(n, m).exp().sum().backward()  # type: ignore[no-untyped-call]
    for part in (n, m):
        assert part.grad is not None
        assert torch.isfinite(part.grad).all()


def share_without_gradient(clamped: bool) -> float:
    """Return the share of positions whose u moves none of the bank's parameters."""
    torch.manual_seed(0)
    coupling, stream = Coupling(32, clamped), torch.randn(1, 2000, 32, requires_grad=True)
    u, _ = coupling(stream)
    (grad,) = torch.autograd.grad(u.sum(), stream)
    return float((grad.abs().amax(-1) == 0).float().mean())


def test_no_position_loses_its_gradient_but_under_the_published_clamp_many_do() -> None:
    assert share_without_gradient(clamped=False) == 0.0
    assert share_without_gradient(clamped=True) > 0.2


def test_coupling_is_strongest_where_u_is_large() -> None:
    strength = coupling_strength(torch.tensor([0.1, 1.0, 10.0]))
    assert (strength.diff() > 0).all()
    assert 1.04 < strength[0] < strength[2] <= 2.0


def test_the_penalty_is_the_mean_square_of_log_u() -> None:
    with torch.no_grad():
        answer = small()(text(2, 50))
    assert answer.u is not None
    assert answer.u.shape == (2, 50, 2)
    assert torch.allclose(answer.penalty, answer.u.log().square().mean(), rtol=1e-4)


def test_without_u_there_is_no_penalty_and_no_parameter_of_u() -> None:
    model = small(u="off")
    answer = model(text(1, 8))
    assert answer.u is None
    assert answer.penalty == 0.0
    assert not [name for name, _ in model.named_parameters() if "coupling" in name]
