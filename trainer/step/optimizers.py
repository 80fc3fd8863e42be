"""The optimizers, by name: each updates on the device, and changes nothing where `found_inf` is 1."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from trainer.config.schema import OptimConfig
from trainer.models import LanguageModel
from trainer.step.adamw import AdamW, GroupOptimizer, Groups, adam_state

MOMENTUM = 0.95
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
"""Coefficients of the quintic iteration of Muon (Jordan et al. 2024): fast, and right within 30 %."""
ROUNDS = 5
LIKE_ADAMW = 0.2
"""A step of AdamW has about this root mean square (Liu et al. 2025), so that one rate serves both."""


class Muon(GroupOptimizer):
    """Momentum of matrices, orthogonalised; everything else goes to an AdamW that shares groups and state."""

    def __init__(self, matrices: list[nn.Parameter], rest: AdamW, lr: float, weight_decay: float) -> None:
        self.rest = rest
        super().__init__([{"params": matrices, "muon": True}], lr=lr, weight_decay=weight_decay)
        self.param_groups += rest.param_groups
        rest.state = self.state

    @torch.no_grad()
    def step(self) -> None:
        """See `GroupOptimizer`."""
        group = self.param_groups[0]
        lr, decay = group["lr"], group["weight_decay"]
        good = torch.ones(()) if self.found_inf is None else 1.0 - self.found_inf
        for one in group["params"]:
            if one.grad is None:
                continue
            momentum: Tensor = self.state[one]["momentum"]
            gradient = torch.where(good > 0, one.grad, 0.0)
            momentum.lerp_(gradient, (1 - MOMENTUM) * good)
            update = orthogonalised(gradient.lerp(momentum, MOMENTUM))
            scale = LIKE_ADAMW * max(one.shape) ** 0.5
            one.mul_(1 - lr * decay * good).sub_(update * (lr * scale * good))
        self.rest.found_inf = self.found_inf
        self.rest.step()


def orthogonalised(matrix: Tensor) -> Tensor:
    """Return roughly `U V^T` of `matrix = U S V^T`, `[M, N]`: every singular value between 0.7 and 1.2."""
    a, b, c = NEWTON_SCHULZ
    x: Tensor
    with torch.autocast(matrix.device.type, enabled=False):
        x = matrix.float() / (matrix.float().norm() + 1e-7)
        if tall := x.shape[0] > x.shape[1]:
            x = x.T
        for _ in range(ROUNDS):
            gram = x @ x.T
            x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if tall else x


def _adamw(model: LanguageModel[Any], optim: OptimConfig) -> AdamW:
    groups = model.parameter_groups(optim.weight_decay, optim.decay_omega)
    return AdamW(groups, lr=optim.lr, betas=(optim.beta1, optim.beta2))


def _muon(model: LanguageModel[Any], optim: OptimConfig) -> Muon:
    groups: Groups = model.parameter_groups(optim.weight_decay, optim.decay_omega)
    matrices = [
        one for name, one in model.named_parameters() if one.dim() == 2 and name.startswith("blocks.")
    ]
    taken = {id(one) for one in matrices}
    rest = [{**group, "params": [one for one in group["params"] if id(one) not in taken]} for group in groups]
    inner = AdamW([group for group in rest if group["params"]], lr=optim.lr, betas=(optim.beta1, optim.beta2))
    return Muon(matrices, inner, optim.lr, optim.weight_decay)


OPTIMIZERS: Mapping[str, Callable[[LanguageModel[Any], OptimConfig], GroupOptimizer]] = {
    "adamw": _adamw,
    "muon": _muon,
}


def fresh_state(group: Mapping[str, Any], parameter: Tensor) -> dict[str, Tensor]:
    """Return the moments of a parameter before its first update."""
    if group.get("muon"):
        return {"momentum": torch.zeros_like(parameter, memory_format=torch.preserve_format)}
    return adam_state(parameter)
